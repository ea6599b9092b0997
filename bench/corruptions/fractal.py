"""The diamond-square height map of the reference's fog."""

from __future__ import annotations

import numpy as np


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
