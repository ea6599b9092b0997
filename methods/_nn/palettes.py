"""Colourings X: which colour stands for which class in a maskige.

A palette is float64 [n, 3] in 0..255, RGB. GSS (Chen et al., arXiv:2303.11316) asks for
colours "as widely dispersed as possible" (section 3.3); its appendix B designs grids,
which are not, so a palette that is comes with them.
"""

from __future__ import annotations

import numpy as np

GREY = np.full((1, 3), 128.0)


def minimum_distance(palette: np.ndarray) -> float:
    """Return the Euclidean distance of the closest two colours, in 0..255 units."""
    return float(np.sqrt(_squared_distances(palette, palette).min()))


def maximin(num_colours: int, sweeps: int = 600) -> np.ndarray:
    """Spread colours so that the closest two are as far apart as can be found.

    Farthest-point insertion from black (Gonzalez, 1985) gives the start; then the colours
    repel each other with a force that falls with the distance to a growing power, the
    close pairs hence counting more and more. Deterministic, and integers at the end.
    """
    palette = farthest(num_colours)
    for sweep in range(sweeps):
        done = sweep / sweeps
        offset = palette[:, None] - palette[None]  # [n, n, 3]
        distance = np.sqrt(_squared_distances(palette, palette))
        strength = (distance.min() / distance) ** (6 + 40 * done)
        force = (offset / distance[..., None] * strength[..., None]).sum(1)
        length = np.linalg.norm(force, axis=1, keepdims=True)
        step = force / np.maximum(length, 1)  # at most one unit
        palette = np.clip(palette + 8 * (1 - done) * step, 0, 255)
    return palette.round()


def farthest(num_colours: int, occupied: np.ndarray | None = None, step: int = 5) -> np.ndarray:
    """Take, one after another, the lattice colour farthest from all taken so far.

    Args:
        num_colours: how many to return.
        occupied: float64 [m, 3], colours to keep away from; by default the first taken
            is black.
        step: of the lattice, in 0..255 units.
    """
    axis = np.arange(0, 256, step, dtype=np.float64)
    lattice = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    room = np.full(len(lattice), np.inf)
    for colour in () if occupied is None else occupied:
        room = np.minimum(room, ((lattice - colour) ** 2).sum(1))
    taken = np.empty((num_colours, 3))
    for i in range(num_colours):
        taken[i] = lattice[room.argmax()]
        room = np.minimum(room, ((lattice - taken[i]) ** 2).sum(1))
    return taken


def _squared_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Squared distances [n, m]; infinite on the diagonal of a palette with itself."""
    squared = ((first[:, None] - second[None]) ** 2).sum(-1)
    if first is second:
        np.fill_diagonal(squared, np.inf)
    return np.asarray(squared)
