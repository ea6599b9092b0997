"""Are classes where, and as frequent as, one expects? Two that are swapped are not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import Dataset
from bench.data.files.raw import Encoding
from bench.data.preflight.finding import Finding
from bench.data.preflight.reading import PicturedSample

_ABOVE = re.compile(r"^(sky|ceiling)\b")
_BELOW = re.compile(r"^(road|floor|sidewalk|pavement|ground|parking|flat)\b")
_HIGH, _LOW = 0.4, 0.6
"""Mean row of a class, as a fraction of the height from the top, beyond which its place is
taken for the other one's."""
_EXPECTED = 0.01
"""A class with this share of the published pixels should occur in every sample."""
_NEARER, _HALF = 0.1, 0.5
"""Classes count as swapped if that brings the shares to half the distance from the published
ones, and this much nearer."""


def check_places(
    dataset: Dataset, pictures: Sequence[PicturedSample], encoding: Encoding, shares: np.ndarray
) -> Iterator[Finding]:
    """Check which classes occur, how often and where.

    Args:
        dataset: the split.
        pictures: a sample of it.
        encoding: what stored values mean.
        shares: of the labelled pixels that each class has, float64 [K].
    """
    classes = dataset.label_space.classes
    yield _occurring(dataset, shares)
    if swapped := _swapped(dataset, shares):
        yield Finding("class order", "wrong", swapped)
    elif text := _misplaced(classes, _mean_rows(pictures, encoding, len(classes))):
        yield Finding("class order", "wrong", text)


def _occurring(dataset: Dataset, shares: np.ndarray) -> Finding:
    """Say which classes never occur; of those that should, in a note."""
    classes = dataset.label_space.classes
    absent = [name for name, share in zip(classes, shares, strict=True) if share == 0]
    text = f"{len(classes) - len(absent)} of {len(classes)} occur"
    total = sum(dataset.shares.values()) or 1
    missed = [name for name in absent if dataset.shares.get(name, 0) / total > _EXPECTED]
    if missed:
        text += f"; {', '.join(missed)} should, with over {_EXPECTED:.0%} of the published pixels"
        return Finding("classes", "note", f"{text}: is it the dataset that it should be?")
    if absent:
        named = ", ".join(absent[:5]) + (", ..." if len(absent) > 5 else "")
        text += f"; not in what was decoded: {named}"
    return Finding("classes", "ok", text)


def _swapped(dataset: Dataset, shares: np.ndarray) -> str:
    """Name two classes that have each other's published share; empty if there are none."""
    if not dataset.shares:
        return ""
    classes = dataset.label_space.classes
    published = np.array([dataset.shares[name] for name in classes])
    published = published / published.sum()
    here = float(abs(shares - published).sum() / 2)
    # What the distance becomes if each pair of classes changes places, [K, K].
    off = abs(shares[:, None] - published[None, :])
    own = abs(shares - published)
    gain = (own[:, None] + own[None, :] - off - off.T) / 2
    first, second = np.unravel_index(int(np.argmax(gain)), gain.shape)
    there = here - float(gain[first, second])
    if there >= _HALF * here or here - there <= _NEARER:
        return ""
    pair = f"{classes[first]!r} and {classes[second]!r}"
    return (
        f"{pair} seem to be swapped: so, the class shares would be {there:.2f} from the published "
        f"ones, and are {here:.2f}; correct the order of the classes, or their stored values"
    )


def _misplaced(classes: Sequence[str], rows: Mapping[int, float]) -> str:
    """Say that what is above others in the world is below them here; empty if it is not."""
    high = [k for k in rows if _ABOVE.match(classes[k].lower()) and rows[k] > _LOW]
    low = [k for k in rows if _BELOW.match(classes[k].lower()) and rows[k] < _HIGH]
    if not high or not low:
        return ""
    return (
        f"{classes[high[0]]!r} lies at {rows[high[0]]:.0%} of the height from the top, "
        f"{classes[low[0]]!r} at {rows[low[0]]:.0%}: the two seem to be swapped, or labels upside "
        "down; correct the order of the classes, or the labels"
    )


def _mean_rows(
    pictures: Sequence[PicturedSample], encoding: Encoding, classes: int
) -> dict[int, float]:
    """Return the mean row of each class that occurs, as a fraction of the height."""
    pixels, heights = np.zeros(classes), np.zeros(classes)
    table = np.full(257, IGNORE_INDEX)
    for value, meaning in encoding.items():
        table[value] = meaning
    for picture in pictures:
        label = table[picture.values]
        row = np.broadcast_to(
            (np.arange(label.shape[0])[:, None] + 0.5) / label.shape[0], label.shape
        )
        known = label != IGNORE_INDEX
        pixels += np.bincount(label[known], minlength=classes)
        heights += np.bincount(label[known], weights=row[known], minlength=classes)
    return {k: heights[k] / pixels[k] for k in np.flatnonzero(pixels).tolist()}
