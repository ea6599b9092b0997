from pathlib import Path

from tests.helpers.trees import TRAIN_IDS, Tree, draw_pairs


def draw(root: Path) -> None:
    frames = {"train": ("0004a4c0-d4dff0ad", "00054602-3bf57337"), "val": ("7d06fefd-f7be05a6",)}
    for split, names in frames.items():
        images = [f"seg/images/{split}/{name}.jpg" for name in names]
        labels = [f"seg/labels/{split}/{name}_train_id.png" for name in names]
        draw_pairs(root, zip(images, labels, strict=True), TRAIN_IDS)


TREE = Tree(
    draw,
    "val",
    "seg/images/val/7d06fefd-f7be05a6.jpg",
    "seg/labels/val/7d06fefd-f7be05a6_train_id.png",
)
