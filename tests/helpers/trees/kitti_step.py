from pathlib import Path

import numpy as np
from PIL import Image

from tests.helpers.trees import TRAIN_IDS, Tree, draw_image, some_of


def draw(root: Path) -> None:
    """Train ids in red, instances in green and blue."""
    for split, frames in (("train", ("0000/000000", "0001/000000")), ("val", ("0002/000000",))):
        for frame in frames:
            draw_image(root / f"training/image_02/{frame}.png")
            path = root / f"panoptic_maps/{split}/{frame}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            ids = some_of(TRAIN_IDS)
            Image.fromarray(np.stack([ids, ids * 0, ids * 0 + 7], -1).astype(np.uint8)).save(path)


TREE = Tree(
    draw,
    "val",
    "training/image_02/0002/000000.png",
    "panoptic_maps/val/0002/000000.png",
)
