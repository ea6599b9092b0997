from pathlib import Path

from tests.helpers.trees import Tree, draw_pairs, write_list


def draw(root: Path) -> None:
    for split, frames in (("train", ("2008_000008", "2008_000015")), ("val", ("2008_000002",))):
        write_list(root / f"ImageSets/SegmentationContext/{split}.txt", frames)
        labels = [f"SegmentationClassContext/{frame}.png" for frame in frames]
        images = [f"JPEGImages/{frame}.jpg" for frame in frames]
        draw_pairs(root, zip(images, labels, strict=True), range(60))
        of_mseg = [f"Segmentation_GT_60cls/{frame}.png" for frame in frames]
        draw_pairs(root, zip(images, of_mseg, strict=True), range(60))
        write_list(root / f"list/{split}.txt", map(" ".join, zip(images, of_mseg, strict=True)))


TREE = Tree(
    draw,
    "val",
    "JPEGImages/2008_000002.jpg",
    "SegmentationClassContext/2008_000002.png",
)
