from pathlib import Path

from tests.helpers.trees import Tree, draw_label, draw_pairs


def draw(root: Path) -> None:
    """As the authors unpack it, with mmsegmentation's labels beside theirs."""
    for split, names in (("train", ("000000000009", "000000000025")), ("val", ("000000000139",))):
        images = [f"images/{split}2017/{name}.jpg" for name in names]
        labels = [f"annotations/{split}2017/{name}.png" for name in names]
        draw_pairs(root, zip(images, labels, strict=True), (0, 10, 12, 89, 91, 181, 255))
        for name in names:
            draw_label(
                root / f"annotations/{split}2017/{name}_labelTrainIds.png", (*range(171), 255)
            )


TREE = Tree(
    draw,
    "val",
    "images/val2017/000000000139.jpg",
    "annotations/val2017/000000000139.png",
)
