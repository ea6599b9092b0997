"""The truth as CAM-Seg's notebook has it: resized as a colour image.

mahmed10/CAMSS resizes the coloured label map bilinearly and takes each pixel's nearest of the
classes' colours and black (data/base_dataset.py, validation.ipynb cells 3 and 7). At a
boundary the mixture of two colours may be nearest to a third class's, or to black: void.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from bench.core.schema import IGNORE_INDEX

SUMMARY = "at the square input; the label is resized as a colour image (CAM-Seg's notebook)"
KEEPS_INSTANCES = False
VOID = (0, 0, 0)
PIXELS = 2048
"""Whose distances to all colours are in memory at a time, and in a processor's cache."""
SKY = {(70, 130, 180): (0, 130, 180)}
"""Cityscapes' sky as the release writes it (data/base_dataset.py)."""


def colours(palette: Sequence[tuple[int, int, int]]) -> np.ndarray:
    """Return void's colour, then those of the classes, uint8 [K + 1, 3], as released.

    Raises:
        ValueError: two classes share a colour, or one is black: which of them a pixel is
            could not be told.
    """
    used = [VOID, *(SKY.get(colour, colour) for colour in palette)]
    for index, colour in enumerate(used):
        if colour in used[:index]:
            first = used.index(colour)
            other = f"class {first - 1}" if first else "void"
            raise ValueError(
                f"eval_at camseg_notebook tells labels by colour, but class {index - 1} and "
                f"{other} both have {colour}; eval_at native or input needs no colours"
            )
    return np.array(used, np.uint8)


def squash(
    label: np.ndarray, palette: Sequence[tuple[int, int, int]], size: tuple[int, int]
) -> np.ndarray:
    """Resize a label map as the notebook does.

    Args:
        label: uint8 [H, W], classes or IGNORE_INDEX.
        palette: RGB colours of the K classes.
        size: height and width of the result.

    Returns:
        uint8 [h, w], classes or IGNORE_INDEX; of equally near colours the first, void's
        before all.

    Raises:
        ValueError: colours that do not tell all classes apart.
    """
    table = colours(palette)
    place = np.where(label == IGNORE_INDEX, 0, label.astype(np.int64) + 1)
    image = Image.fromarray(table[place])
    image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    nearest = nearest_colour(np.asarray(image), table)
    return np.where(nearest == 0, IGNORE_INDEX, nearest - 1).astype(np.uint8)


def nearest_colour(image: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return the index of each pixel's nearest colour, the first of equally near ones.

    Args:
        image: uint8 [H, W, 3].
        table: uint8 [K, 3].

    Returns:
        int64 [H, W].
    """
    pixels = image.reshape(-1, 3)
    # |p - c|^2 without |p|^2, which is the same for all colours; all terms are exact integers.
    weights = -2 * np.ascontiguousarray(table.T, np.float32)
    squares = (table.astype(np.float32) ** 2).sum(axis=1)
    nearest = np.empty(len(pixels), np.int64)
    for start in range(0, len(pixels), PIXELS):
        distance = pixels[start : start + PIXELS].astype(np.float32) @ weights
        distance += squares
        distance.argmin(axis=1, out=nearest[start : start + PIXELS])
    return nearest.reshape(image.shape[:2])


def truth(
    label: np.ndarray, resized: np.ndarray, palette: Sequence[tuple[int, int, int]]
) -> np.ndarray:
    """Return the label resized as the notebook does, uint8 [h, w]."""
    return squash(label, palette, resized.shape)


def refusal(resize: tuple[int, int] | None) -> str:
    """Refuse what is not a square."""
    if resize is not None and resize[0] == resize[1]:
        return ""
    got = f"{resize[0]}x{resize[1]} pixels" if resize else "images of their own size"
    message = f"eval_at camseg_notebook squashes images to a square; resize gives {got}"
    return f"{message}: give it two equal sides, such as [768, 768]"
