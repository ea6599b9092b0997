from pathlib import Path

from tests.helpers.trees import Tree, draw_pairs

PAIRS = (
    (
        "ADE20K/ADEChallengeData2016/images/training/{}.jpg",
        "ADE20K/ADEChallengeData2016/annotations_semseg150_relabeled/training/{}.png",
        ("ADE_train_00000001", "ADE_train_00000002"),
    ),
)


def draw(root: Path) -> None:
    for image, label, frames in PAIRS:
        pairs = [(image.format(frame), label.format(frame)) for frame in frames]
        draw_pairs(root / "mseg_dataset", pairs, (*range(141), 255))


TREE = Tree(
    draw,
    "train",
    f"mseg_dataset/{PAIRS[0][0].format('ADE_train_00000001')}",
    f"mseg_dataset/{PAIRS[0][1].format('ADE_train_00000001')}",
)
