from pathlib import Path

import numpy as np
from PIL import Image

from tests.helpers.trees import LABEL_IDS, TRAIN_IDS, Tree, draw_pairs

CITIES = {
    "train": ("aachen/aachen_000000_000019", "bochum/bochum_000000_000313"),
    "val": ("frankfurt/frankfurt_000000_000294",),
}


def draw(root: Path) -> None:
    for split, frames in CITIES.items():
        for kind, values in (("labelIds", LABEL_IDS), ("labelTrainIds", TRAIN_IDS)):
            images = [f"leftImg8bit/{split}/{frame}_leftImg8bit.png" for frame in frames]
            labels = [f"gtFine/{split}/{frame}_gtFine_{kind}.png" for frame in frames]
            draw_pairs(root, zip(images, labels, strict=True), values)
        for frame in frames:
            draw_instances(root / f"gtFine/{split}/{frame}_gtFine_instanceIds.png")


def draw_instances(path: Path) -> None:
    """Number every thing of the label ids beside it, but bicycles: these are one group."""
    with Image.open(path.with_name(path.name.replace("instanceIds", "labelIds"))) as file:
        ids = np.array(file).astype(np.uint16)
    Image.fromarray(np.where((ids >= 24) & (ids < 33), 1000 * ids + 1, ids)).save(path)


_CITY = "val/frankfurt/frankfurt_000000_000294"
TREE = Tree(
    draw,
    "val",
    f"leftImg8bit/{_CITY}_leftImg8bit.png",
    f"gtFine/{_CITY}_gtFine_labelIds.png",
)
