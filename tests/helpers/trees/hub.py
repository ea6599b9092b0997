from pathlib import Path

import datasets

from tests.helpers.trees import Tree, draw_pairs


def draw(root: Path) -> None:
    """Rows as the Hub has them, in a folder that ``save_to_disk`` wrote."""
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Image()})
    saved = {}
    for split, count in (("train", 3), ("validation", 2)):
        names = [f"{split}{number}" for number in range(count)]
        pairs = [(f"files/{name}.jpg", f"files/{name}.png") for name in names]
        draw_pairs(root, pairs, (0, 1, 2, 255))
        columns = {
            "image": [str(root / image) for image, _ in pairs],
            "label": [str(root / label) for _, label in pairs],
        }
        saved[split] = datasets.Dataset.from_dict(columns, features=features)
    datasets.DatasetDict(saved).save_to_disk(root / "saved")


TREE = Tree(
    draw,
    "val",
    options={"name": "{root}/saved", "classes": {"road": 0, "building": 1, "sky": 2}},
)
