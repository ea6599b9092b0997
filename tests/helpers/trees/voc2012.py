from pathlib import Path

from tests.helpers.trees import Tree, draw_image, draw_pairs, write_list


def draw(root: Path) -> None:
    lists = {"train": ("2007_000032", "2007_000039"), "val": ("2007_000033",)}
    lists["trainaug"] = (*lists["train"], "2008_000008")
    for name, frames in lists.items():
        write_list(root / f"ImageSets/Segmentation/{name}.txt", frames)
        for folder in ("SegmentationClass", "SegmentationClassAug"):
            pairs = [(f"JPEGImages/{frame}.jpg", f"{folder}/{frame}.png") for frame in frames]
            draw_pairs(root, pairs, (*range(21), 255))
    (root / "SegmentationClass/2008_000008.png").unlink()
    draw_image(root / "JPEGImages/2007_000027.jpg")


TREE = Tree(draw, "val", "JPEGImages/2007_000033.jpg", "SegmentationClass/2007_000033.png")
