"""Layers that weather is made of: fractal maps, frost pictures, drawn ice."""

from __future__ import annotations

import cmath
from collections.abc import Iterator
from functools import lru_cache

import cv2
import numpy as np

from bench.corruptions.frost import FROST_FILES, FROST_REMEDY, frost_folder
from bench.corruptions.pixels import strips


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

    def settle(place: np.ndarray, four: np.ndarray) -> None:
        for rows in strips(four):
            noise = draws.uniform(-wobble, wobble, four[rows].shape)
            noise *= wobble
            noise += four[rows] / 4
            place[rows] = noise

    while step >= 2:
        half = step // 2
        corners = heights[::step, ::step]
        square = corners + np.roll(corners, -1, axis=0)
        square += np.roll(square, -1, axis=1)
        centres = heights[half::step, half::step]
        settle(centres, square)
        across = corners + np.roll(corners, -1, axis=1)
        settle(heights[::step, half::step], centres + np.roll(centres, 1, axis=0) + across)
        down = corners + np.roll(corners, -1, axis=0)
        settle(heights[half::step, ::step], centres + np.roll(centres, 1, axis=1) + down)
        step, wobble = half, wobble / decay
    heights -= heights.min()
    heights /= heights.max()
    return heights


def crystals(height: int, width: int, draws: np.random.RandomState) -> np.ndarray:
    """Draw ice ferns over a film of uneven thickness, uint8 [H, W, 3].

    A fern is a stem with side needles at 60 degrees, the angle of ice, which shorten
    towards its tip; lengths are fractions of the image height, and so is the thickness,
    as far as whole pixels allow: where they do not, there are fewer ferns.
    """
    side = max(height, width)
    film = cv2.resize(plasma(256, 1.8, draws), (side, side))[:height, :width]
    needles = np.zeros((height, width), np.uint8)
    thickness = max(1, round(height / 400))
    ferns = draws.random_sample((max(1, round(220 * width / 400 / thickness)), 4))
    for across, down, turn, stretch in ferns:
        reach = (0.05 + 0.25 * stretch**2) * height
        for start, end in _fern(complex(across * width, down * height), turn, reach):
            ends = [(round(point.real), round(point.imag)) for point in (start, end)]
            cv2.line(needles, ends[0], ends[1], 90 + round(150 * turn), thickness, cv2.LINE_AA)
    relief = cv2.GaussianBlur(needles, (0, 0), max(0.5, height / 600)).astype(np.float32)
    bright = np.clip(150 * film + relief * (0.35 + 0.65 * film), 0, 255)[..., None]
    return np.asarray((bright * np.array([0.88, 0.95, 1])).astype(np.uint8))


def _fern(root: complex, turn: float, reach: float) -> Iterator[tuple[complex, complex]]:
    direction = cmath.rect(1, 2 * cmath.pi * turn)
    yield root, root + reach * direction
    for part in np.linspace(0.1, 0.9, 9):
        joint = root + float(part) * reach * direction
        for side in (-cmath.pi / 3, cmath.pi / 3):
            yield joint, joint + 0.45 * (1 - part) * reach * direction * cmath.rect(1, side)
