"""Weather: what lies between the camera and the scene."""

from __future__ import annotations

import numpy as np

from bench.corruptions.fractal import plasma
from bench.corruptions.pixels import UNIT, strips, truncated
from bench.seeding import legacy_generator


def fog(image: np.ndarray, amount: float, decay: float, *, seed: int) -> np.ndarray:
    """Add a bright fractal layer, then scale back to the image's own maximum."""
    height, width, channels = image.shape
    size = 1 << (max(height, width, channels) - 1).bit_length()
    layer = plasma(size, decay, legacy_generator(seed))[:height, :width, None]
    peak = UNIT[image.max()]
    unit = UNIT.astype(np.float32)
    out = np.empty_like(image)
    for rows in strips(image):
        foggy = unit[image[rows]] + np.float32(amount) * layer[rows]
        foggy *= np.float32(peak / (peak + amount))
        out[rows] = truncated(foggy)
    return out
