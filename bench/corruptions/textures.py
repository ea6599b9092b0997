"""Layers that weather is made of: fractal maps, frost pictures, drawn ice."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

FROST_FILES = ("frost1.png", "frost2.png", "frost3.png", "frost4.jpg", "frost5.jpg")
"""imagecorruptions ships a sixth, which its draw of randint(5) never reaches."""
FROST_REMEDY = (
    "frost needs the pictures of the package imagecorruptions, which is not installed: "
    "`pip install --no-deps imagecorruptions`, or use frost_procedural"
)


def frost_folder() -> Path | None:
    """Find the frost pictures of an installed imagecorruptions, without importing it."""
    spec = find_spec("imagecorruptions")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "frost"
    return folder if all((folder / name).exists() for name in FROST_FILES) else None


@lru_cache(maxsize=len(FROST_FILES))
def frost_picture(index: int) -> np.ndarray:
    """Read one of the frost pictures, uint8 [H, W, 3] RGB.

    Raises:
        FileNotFoundError: if imagecorruptions is not installed.
    """
    folder = frost_folder()
    if folder is None:
        raise FileNotFoundError(FROST_REMEDY)
    picture = np.asarray(cv2.imread(str(folder / FROST_FILES[index])))[..., ::-1].copy()
    picture.setflags(write=False)  # shared by all callers
    return picture


def plasma(size: int, decay: float, draws: np.random.RandomState) -> np.ndarray:
    """Draw a periodic fractal map, float32 [size, size] in [0, 1].

    imagecorruptions' ``plasma_fractal`` (float32 since c959e65), draw for draw.

    Args:
        size: a power of two.
        decay: the wobble is divided by this at every halving of the step.
        draws: the legacy stream.
    """
    heights = np.zeros((size, size), np.float32)
    wobble, step = 100.0, size

    def settle(four: np.ndarray) -> np.ndarray:
        noise = draws.uniform(-wobble, wobble, four.shape)
        noise *= wobble
        noise += four / 4
        return noise

    while step >= 2:
        half = step // 2
        corners = heights[::step, ::step]
        square = corners + np.roll(corners, -1, axis=0)
        square += np.roll(square, -1, axis=1)
        heights[half::step, half::step] = settle(square)
        centres = heights[half::step, half::step]
        across = corners + np.roll(corners, -1, axis=1)
        heights[::step, half::step] = settle(centres + np.roll(centres, 1, axis=0) + across)
        down = corners + np.roll(corners, -1, axis=0)
        heights[half::step, ::step] = settle(centres + np.roll(centres, 1, axis=1) + down)
        step, wobble = half, wobble / decay
    heights -= heights.min()
    heights /= heights.max()
    return heights


def crystals(height: int, width: int, draws: np.random.RandomState) -> np.ndarray:
    """Draw ice that is thick at the border and thins out inwards, uint8 [H, W, 3].

    Veins are where fractal maps cross their middle; a further map says how thick the
    ice is.
    """
    size = 1 << (max(height, width, 4) - 1).bit_length()
    maps = [plasma(size, decay, draws)[:height, :width] for decay in (1.7, 1.9, 2.2)]
    fine, coarse = (1 - np.abs(2 * each - 1) for each in maps[:2])
    row, column = np.mgrid[:height, :width].astype(np.float32)
    edge = np.minimum(np.minimum(row, height - 1 - row), np.minimum(column, width - 1 - column))
    border = np.exp(-6 * edge / max(min(height, width), 1))
    thick = np.clip(1.6 * maps[2] + 0.7 * border - 0.6, 0, 1)
    bright = np.clip(thick * (0.35 + 0.5 * fine**6 + 0.4 * coarse**12), 0, 1)
    ice: np.ndarray = bright[..., None] * np.array([225, 240, 255])
    return ice.astype(np.uint8)
