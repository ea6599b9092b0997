from pathlib import Path

from tests.helpers.trees import Tree, draw_pairs


def draw(root: Path) -> None:
    for split, frames in (("train", ("0/005506", "0/005626")), ("val", ("119/035471",))):
        images = [f"leftImg8bit/{split}/{frame}_leftImg8bit.png" for frame in frames]
        labels = [f"gtFine/{split}/{frame}_gtFine_labelids.png" for frame in frames]
        draw_pairs(root, zip(images, labels, strict=True), range(40))
        level3 = [label.replace("labelids", "labellevel3Ids") for label in labels]
        draw_pairs(root, zip(images, level3, strict=True), (*range(26), 255))


TREE = Tree(
    draw,
    "val",
    "leftImg8bit/val/119/035471_leftImg8bit.png",
    "gtFine/val/119/035471_gtFine_labelids.png",
)
