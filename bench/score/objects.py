"""The objects of a truth and their sizes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from bench.score.counts import SIZE_LIMITS, changes, run_lengths


def object_sizes(truth: np.ndarray, instance: np.ndarray | None) -> np.ndarray:
    """Return at each pixel which of ``SIZES`` its object is, uint8 [H, W]; see ``SIZE_LIMITS``.

    An object is an instance where the truth has one, else a connected component (of eight
    neighbours) of a class.

    Args:
        truth: uint8 [H, W].
        instance: integers [H, W], 0 where there is none.
    """
    begins = changes(truth.ravel())
    begins[:: truth.shape[1]] = True  # runs end with their row
    start = np.flatnonzero(begins)
    lengths = run_lengths(start, truth.size)
    component = _components(truth, start, np.cumsum(begins, dtype=np.int32) - 1)
    of_runs = _size(np.bincount(component, lengths)[component], truth.size)
    size = np.repeat(of_runs, lengths).reshape(truth.shape)
    if instance is not None:
        size = np.where(instance > 0, _instance_sizes(instance), size)
    return size


def _instance_sizes(instance: np.ndarray) -> np.ndarray:
    flat = instance.ravel()
    start = np.flatnonzero(changes(flat))
    lengths = run_lengths(start, flat.size)
    _, member = np.unique(flat[start], return_inverse=True)
    of_runs = _size(np.bincount(member, lengths)[member], flat.size)
    return np.repeat(of_runs, lengths).reshape(instance.shape)


def _size(pixels: np.ndarray, of: int) -> np.ndarray:
    """Tell which of ``SIZES`` objects are in an image of so many pixels, uint8."""
    return np.digitize(pixels / of, SIZE_LIMITS).astype(np.uint8)


def _components(truth: np.ndarray, start: np.ndarray, run: np.ndarray) -> np.ndarray:
    """Number the connected components that runs belong to, int32 [R].

    Runs rather than pixels are joined: several times fewer, and all classes at once.

    Args:
        truth: [H, W].
        start: int64 [R], flat index of the first pixel of each run of a row.
        run: int32 [H W], the number of the run at each pixel.
    """
    pairs = list(_touching(truth, start))
    first = np.concatenate([run[a] for a, _ in pairs])
    second = np.concatenate([run[b] for _, b in pairs])
    joined = coo_array((np.ones(len(first), bool), (first, second)), shape=(len(start),) * 2)
    return np.asarray(connected_components(joined, directed=False)[1])


def _touching(truth: np.ndarray, start: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield pairs of pixels of one class in neighbouring rows, flat indices.

    Of two runs that touch, the first pixel of one touches the other: or else both could be
    followed to the left.
    """
    height, width = truth.shape
    flat = truth.ravel()
    row, column = np.divmod(start, width)
    for down in (-1, 1):
        for across in (-1, 0, 1):
            inside = (row + down >= 0) & (row + down < height)
            inside &= (column + across >= 0) & (column + across < width)
            here = start[inside]
            there = here + down * width + across
            same = flat[here] == flat[there]
            yield here[same], there[same]
