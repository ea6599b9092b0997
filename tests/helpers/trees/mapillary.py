from pathlib import Path

from tests.helpers.trees import Tree, draw_pairs


def draw(root: Path) -> None:
    frames = {"training": ("--NSVcUgfVhFd6uzkqHOOg", "-0-hPzSlaBvVMPoTeMVFLA")}
    frames["validation"] = ("--BJs76vloEaiH-wppzWNA",)
    for folder, names in frames.items():
        for labels, values in (("labels", 66), ("v2.0/labels", 124)):
            pairs = [(f"{folder}/images/{n}.jpg", f"{folder}/{labels}/{n}.png") for n in names]
            draw_pairs(root, pairs, range(values))


TREE = Tree(
    draw,
    "val",
    "validation/images/--BJs76vloEaiH-wppzWNA.jpg",
    "validation/labels/--BJs76vloEaiH-wppzWNA.png",
)
