"""Noise that varies surfaces: one table, drawn once, that repeats without a seam."""

from __future__ import annotations

from functools import cache

import numpy as np

from bench.core.seeding import key, numpy_generator

_SIZE = 256


@cache
def _table() -> np.ndarray:
    """Return float32 [256, 256] value noise of eight octaves, spread evenly over [-1, 1]."""
    rng = numpy_generator(key("scenes", "texture"))
    total = np.zeros((_SIZE, _SIZE))
    cells = 2
    while cells <= _SIZE:
        grid = rng.uniform(-1, 1, (cells, cells))
        total += _upsample(_upsample(grid).T).T / cells**0.55
        cells *= 2
    ranks = np.empty(_SIZE * _SIZE)
    ranks[np.argsort(total, axis=None, kind="stable")] = np.linspace(-1, 1, _SIZE * _SIZE)
    return ranks.reshape(_SIZE, _SIZE).astype(np.float32)


def _upsample(grid: np.ndarray) -> np.ndarray:
    """Interpolate the first axis linearly to the table's size, the end joining the start."""
    cells = len(grid)
    position = np.arange(_SIZE) * cells / _SIZE
    low = position.astype(np.int64)
    share = (position - low)[:, None]
    smooth = share * share * (3 - 2 * share)
    return grid[low] * (1 - smooth) + grid[(low + 1) % cells] * smooth


def noise(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Look noise up; u and v in texels, any float arrays of one shape; result in [-1, 1]."""
    column = np.floor(u).astype(np.int64) & (_SIZE - 1)
    row = np.floor(v).astype(np.int64) & (_SIZE - 1)
    return np.asarray(np.take(_table(), row * _SIZE + column, mode="clip"))


def fraction(values: np.ndarray) -> np.ndarray:
    """Return what is above the next lower whole number; much faster than ``% 1``."""
    return np.asarray(values - np.floor(values))


def scatter(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Give each pair of whole numbers a value in [0, 1) that has no pattern to the eye."""
    mixed = u.astype(np.int64) * 73856093 ^ v.astype(np.int64) * 19349663
    mixed = (mixed ^ (mixed >> 13)) * 1274126177 & 0x7FFFFFFF
    return ((mixed >> 7) & 1023).astype(np.float32) / np.float32(1024)
