"""A small CamVid in the layout of SegNet, drawn for tests."""

from pathlib import Path

import numpy as np
from PIL import Image

FRAMES = {
    "train": ("0001TP_006690", "0006R0_f00930", "0016E5_00390"),
    "val": ("0016E5_07959", "0016E5_07961"),
    "test": ("0001TP_008550", "Seq05VD_f00000"),
}


def draw_camvid(root: Path) -> Path:
    """Draw frames of 24 x 32 pixels; every label value occurs in each."""
    rng = np.random.default_rng(0)
    for split, frames in FRAMES.items():
        for folder in (split, f"{split}annot"):
            (root / folder).mkdir(parents=True)
        for frame in frames:
            image = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
            label = (np.arange(24 * 32) % 12).reshape(24, 32).astype(np.uint8)
            Image.fromarray(image).save(root / split / f"{frame}.png")
            Image.fromarray(label).save(root / f"{split}annot" / f"{frame}.png")
    return root
