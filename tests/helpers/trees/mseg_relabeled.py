from pathlib import Path

from tests.helpers.trees import Tree, draw_pairs

PAIRS = (
    (
        "ADE20K/ADEChallengeData2016/images/training/{}.jpg",
        "ADE20K/ADEChallengeData2016/annotations_semseg150_relabeled/training/{}.png",
        ("ADE_train_00000001", "ADE_train_00000002"),
    ),
    (
        "BDD/bdd100k/seg/images/train/{}.jpg",
        "BDD/bdd100k/seg_relabeled/labels/train/{}_train_id.png",
        ("0004a4c0-d4dff0ad",),
    ),
    (
        "Cityscapes/leftImg8bit/train/{}_leftImg8bit.png",
        "Cityscapes/gtFine_19cls_relabeled/train/{}_gtFine_labelIds.png",
        ("aachen/aachen_000000_000019",),
    ),
    (
        "COCOPanoptic/images/train2017/{}.jpg",
        "COCOPanoptic/semantic_relabeled133/train2017/{}.png",
        ("000000000009",),
    ),
    (
        "IDD/IDD_Segmentation/leftImg8bit/train/{}_leftImg8bit.png",
        "IDD/IDD_Segmentation/gtFine39_relabeled/train/{}_gtFine_labelids.png",
        ("0/005506",),
    ),
    (
        "MapillaryVistasPublic/training/images/{}.jpg",
        "MapillaryVistasPublic/training_semseg65_relabeled/labels/{}.png",
        ("--NSVcUgfVhFd6uzkqHOOg",),
    ),
    (
        "SUNRGBD/image/train/img-{}.jpg",
        "SUNRGBD/semseg-relabeled37/train/00{}.png",
        ("000001",),
    ),
)
FEWEST_CLASSES = 18
"""No set has fewer, so these values are in all of them."""


def draw(root: Path) -> None:
    for image, label, frames in PAIRS:
        pairs = [(image.format(frame), label.format(frame)) for frame in frames]
        draw_pairs(root, pairs, (*range(FEWEST_CLASSES), 255))


TREE = Tree(
    draw,
    "train",
    PAIRS[0][0].format("ADE_train_00000001"),
    PAIRS[0][1].format("ADE_train_00000001"),
)
