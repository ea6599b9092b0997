"""What the families share: full scale, strips of rows, rounding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

UNIT = np.arange(256) / 255.0
"""The 256 pixel values as fractions of full scale, float64."""

STRIP_PIXELS = 2**15
"""Working size of a strip: its float64 channels stay in a second-level cache."""


def strips(image: np.ndarray) -> Iterator[slice]:
    """Cut an image [H, W, ...] into slices of rows from the top.

    Draws made strip by strip continue one stream, so they do not depend on the cut.
    """
    height, width = image.shape[:2]
    rows = max(1, STRIP_PIXELS // width)
    for start in range(0, height, rows):
        yield slice(start, min(start + rows, height))


def fractions(image: np.ndarray) -> np.ndarray:
    """Turn uint8 into float32 fractions of full scale."""
    return np.asarray(np.divide(image, 255, dtype=np.float32))


def truncated(fraction: np.ndarray) -> np.ndarray:
    """Turn fractions of full scale into uint8 as imagecorruptions does: cut, not rounded.

    The array given is used as working space.
    """
    np.clip(fraction, 0, 1, out=fraction)
    fraction *= 255
    return fraction.astype(np.uint8)


def rounded(value: np.ndarray) -> np.ndarray:
    """Turn values in 0..255 into uint8, rounded to nearest; the array is used up."""
    np.rint(value, out=value)
    np.clip(value, 0, 255, out=value)
    return value.astype(np.uint8)
