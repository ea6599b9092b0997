"""Colourings X: which colour stands for which class in a maskige.

A palette is float64 [n, 3] in 0..255, RGB. GSS (Chen et al., arXiv:2303.11316) asks for
colours "as widely dispersed as possible" (section 3.3); its appendix B designs grids and
its code jitters one, which brings colours closer. ``maximin`` does what the words say.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench import seeding
from methods._nn.released_palettes import RELEASED
from methods._nn.settings import Colouring

Axes = tuple[range, range, range]

_GREY = np.full((1, 3), 128.0)
_ARITHMETIC: Axes = (range(0, 256, 45), range(0, 256, 45), range(0, 256, 45))
_MISALIGNED: Axes = (range(0, 256, 45), range(1, 256, 45), range(2, 256, 45))
_LARGEST_ADDITION = 15  # T of appendix B
_ADE20K_AXES: Axes = (range(15, 240, 51), range(16, 239, 40), range(17, 238, 45))
_MSEG_AXES: Axes = (range(15, 255, 55), range(16, 255, 51), range(17, 255, 33))
_MSEG_DROPPED = 6  # first colours of the grid that the release leaves out
_CITYSCAPES_IN_MSEG = (
    98, 100, 35, 191, 144, 143, 136, 135, 174, 102, 142, 125, 127, 176, 182, 180, 181, 178, 175,
)  # fmt: skip
"""Of each of Cityscapes' 19 classes the universal class that it is in MSeg's taxonomy."""


class PaletteError(ValueError):
    """A colouring cannot tell the classes apart: one line that says why."""


def make_palette(
    colouring: Colouring, classes: Sequence[str], own: Sequence[Sequence[int]], seed: int
) -> np.ndarray:
    """Choose a colour for every class, and one for void.

    Args:
        colouring: a grid of appendix B (``arithmetic``, then each with one step more:
            ``misaligned``, ``additive``, ``refined``), the grids of
            fudan-zvg/GSS tools/posterior_learning.py (``ade20k_grid``, ``mseg_grid``), a
            palette as released, ``cityscapes_as_mseg`` (each class of Cityscapes in the colour
            of its universal class, table 7), the dataset's own, ``random`` or ``maximin``.
        classes: K names, for messages.
        own: the dataset's display colours, K triples in 0..255.
        seed: of the colourings that draw numbers.

    Returns:
        float64 [K + 1, 3] in 0..255; the last is void's: as released, or else the lattice
        colour farthest from all others.

    Raises:
        PaletteError: if the colouring has fewer colours, or gives two classes the same.
    """
    num_classes = len(classes)
    if colouring in RELEASED or colouring == "cityscapes_as_mseg":
        released = _released(colouring)
        chosen, void = _first(released[:-1], num_classes, colouring), released[-1:]
    else:
        chosen = _design(colouring, num_classes, own, seed)
        void = farthest(1, occupied=chosen)
    _check_distinct(chosen, classes, colouring)
    return np.concatenate([chosen, void])


def _released(colouring: Colouring) -> np.ndarray:
    if colouring == "cityscapes_as_mseg":
        return RELEASED["mseg"][[*_CITYSCAPES_IN_MSEG, -1]]
    return RELEASED[colouring]


def _design(
    colouring: Colouring, num_classes: int, own: Sequence[Sequence[int]], seed: int
) -> np.ndarray:
    random = seeding.numpy_generator(seeding.key("palette", colouring, seed))
    match colouring:
        case "maximin":
            return maximin(num_classes)
        case "dataset":
            return np.array(own, dtype=np.float64)
        case "random":
            codes = random.choice(256**3, num_classes, replace=False)
            return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], 1).astype(np.float64)
        case "arithmetic":
            return _first(_product(_ARITHMETIC), num_classes, colouring)
        case "misaligned":
            return _first(_product(_MISALIGNED), num_classes, colouring)
        case "ade20k_grid":
            grid = _first(_product(_ADE20K_AXES), num_classes, colouring)
            return grid + random.integers(-15, 15, grid.shape, endpoint=True)
        case "mseg_grid":
            grid = _first(_product(_MSEG_AXES)[_MSEG_DROPPED:], num_classes, colouring)
            return grid + random.integers(-15, 0, grid.shape, endpoint=True)
    grid = _first(_product(_MISALIGNED), num_classes, colouring)
    additive = grid + random.integers(0, _LARGEST_ADDITION, grid.shape, endpoint=True)
    return additive if colouring == "additive" else refine(additive)


def _product(axes: Axes) -> np.ndarray:
    """Return all colours of a grid, blue counting fastest (eq. 18)."""
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3).astype(np.float64)


def _first(colours: np.ndarray, num_classes: int, colouring: str) -> np.ndarray:
    if num_classes > len(colours):
        raise PaletteError(
            f"colouring {colouring!r} has {len(colours)} colours for {num_classes} classes; "
            "'maximin' and 'random' have as many as are asked for"
        )
    return colours[:num_classes]


def _check_distinct(palette: np.ndarray, classes: Sequence[str], colouring: str) -> None:
    seen: dict[tuple[float, ...], str] = {}
    for name, colour in zip(classes, map(tuple, palette.tolist()), strict=True):
        if colour in seen:
            raise PaletteError(
                f"colouring {colouring!r} gives {seen[colour]!r} and {name!r} the same colour, "
                f"{tuple(int(value) for value in colour)}; every class needs its own"
            )
        seen[colour] = name


def minimum_distance(palette: np.ndarray) -> float:
    """Return the Euclidean distance of the closest two colours, in 0..255 units."""
    return float(np.sqrt(_squared_distances(palette).min()))


def maximin(num_colours: int) -> np.ndarray:
    """Spread colours so that the closest two are as far apart as can be found.

    Farthest-point insertion (Gonzalez, 1985), once from black and once from the corners,
    gives two starts; each is relaxed, and the better is kept. Deterministic.
    """
    starts = farthest(num_colours), farthest(num_colours, occupied=_GREY)
    return max((_repel(start) for start in starts), key=minimum_distance)


def _repel(palette: np.ndarray, sweeps: int = 200) -> np.ndarray:
    """Let colours repel each other within the cube; integers at the end.

    The force falls with the distance to a growing power, so that close pairs count more
    and more, and steps shrink.
    """
    for sweep in range(sweeps if len(palette) > 1 else 0):
        done = sweep / sweeps
        distance = np.sqrt(_squared_distances(palette))
        push = (distance.min() / distance) ** (6 + 40 * done) / distance  # [n, n]
        force = push.sum(1, keepdims=True) * palette - push @ palette
        length = np.linalg.norm(force, axis=1, keepdims=True)
        step = force / np.maximum(length, 1)  # at most one unit
        palette = np.clip(palette + 8 * (1 - done) * step, 0, 255)
    return palette.round()


def refine(palette: np.ndarray) -> np.ndarray:
    """Move colours that are hard to tell apart to where there is room: appendix B (iv).

    The paper does it by hand, for the classes of lowest IoU on the validation set it then
    reports, and keeps away from grey. Here a rule without data stands in: grey counts as
    one more colour; while it helps, of the closest pair the colour with the nearer second
    neighbour (never grey itself) goes to the lattice colour farthest from all others.
    """
    palette = palette.copy()
    for _ in range(len(palette)):
        squared = np.sort(_squared_distances(np.concatenate([palette, _GREY])), axis=1)[:-1]
        worst = int(np.lexsort((squared[:, 1], squared[:, 0]))[0])
        others = np.concatenate([np.delete(palette, worst, axis=0), _GREY])
        candidate = farthest(1, occupied=others)
        if ((others - candidate) ** 2).sum(1).min() <= squared[worst, 0]:
            break
        palette[worst] = candidate[0]
    return palette


def farthest(num_colours: int, occupied: np.ndarray | None = None, step: int = 15) -> np.ndarray:
    """Take, one after another, the lattice colour farthest from all taken so far.

    Args:
        num_colours: how many to return.
        occupied: float64 [m, 3], colours to keep away from; without, black is the first.
        step: of the lattice, in 0..255 units.
    """
    axis = range(0, 256, step)
    lattice = _product((axis, axis, axis))
    room = np.full(len(lattice), np.inf)
    for colour in () if occupied is None else occupied:
        room = np.minimum(room, ((lattice - colour) ** 2).sum(1))
    taken = np.empty((num_colours, 3))
    for i in range(num_colours):
        taken[i] = lattice[room.argmax()]
        room = np.minimum(room, ((lattice - taken[i]) ** 2).sum(1))
    return taken


def _squared_distances(palette: np.ndarray) -> np.ndarray:
    """Return squared distances [n, n], infinite on the diagonal."""
    lengths = (palette**2).sum(1)
    squared = np.maximum(lengths[:, None] + lengths - 2 * palette @ palette.T, 0)
    np.fill_diagonal(squared, np.inf)
    return np.asarray(squared)
