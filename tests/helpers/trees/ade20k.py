from pathlib import Path

from tests.helpers.trees import Tree, draw_pairs


def draw(root: Path) -> None:
    frames = {"training": ("ADE_train_00000001", "ADE_train_00000002")}
    frames["validation"] = ("ADE_val_00000001",)
    for folder, names in frames.items():
        pairs = [(f"images/{folder}/{n}.jpg", f"annotations/{folder}/{n}.png") for n in names]
        draw_pairs(root, pairs, range(151))


TREE = Tree(
    draw,
    "val",
    "images/validation/ADE_val_00000001.jpg",
    "annotations/validation/ADE_val_00000001.png",
)
