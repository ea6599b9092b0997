"""Noise: independent draws per pixel or channel."""

from __future__ import annotations

import numpy as np

from bench.corruptions.pixels import UNIT, strips, truncated
from bench.seeding import legacy_generator, numpy_generator


def gaussian_noise(image: np.ndarray, std: float, *, seed: int) -> np.ndarray:
    """Add normal noise of the given fraction of full scale to every channel."""
    draws = legacy_generator(seed)
    out = np.empty_like(image)
    for rows in strips(image):
        noise = draws.normal(scale=std, size=image[rows].shape)
        noise += UNIT[image[rows]]
        out[rows] = truncated(noise)
    return out


def salt_pepper(image: np.ndarray, fraction: float, *, seed: int) -> np.ndarray:
    """Set a fraction of the pixels to black or white with equal chance.

    One uniform draw a pixel decides for all its channels, so a pixel changed at a lower
    fraction is changed to the same value at every higher one.
    """
    draw = numpy_generator(seed).random(image.shape[:2], dtype=np.float32)
    out = image.copy()
    out[draw < fraction / 2] = 0
    out[draw >= 1 - fraction / 2] = 255
    return out
