from pathlib import Path

from tests.helpers.trees import Tree, draw_label, draw_pairs

FRAMES = {"train": ("a/001", "a/002", "b/001"), "val": ("c/001",)}


def draw(root: Path) -> None:
    """Cities below splits, with instances and depth."""
    for split, frames in FRAMES.items():
        pairs = [(f"img/{split}/{frame}.jpg", f"gt/{split}/{frame}.png") for frame in frames]
        draw_pairs(root, pairs, (0, 1, 2, 255))
        for seed, frame in enumerate(frames):
            draw_label(root / f"things/{split}/{frame}.png", (0, 4, 9), seed)
            draw_label(root / f"depth/{split}/{frame}.png", (0, 20, 200), seed)


TREE = Tree(
    draw,
    "val",
    "img/val/c/001.jpg",
    "gt/val/c/001.png",
    {
        "images": "img/{split}/{city}/{id}.*",
        "labels": "gt/{split}/{city}/{id}.png",
        "instances": "things/{split}/{city}/{id}.png",
        "depth": "depth/{split}/{city}/{id}.png",
        "depth_unit": 0.5,
        "classes": ["road", "building", "sky"],
        "sequence": "{city}",
    },
)
