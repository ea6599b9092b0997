"""What kind of labels files hold, judged by stored values and class shares.

A copy whose labels are of another kind (train ids for label ids, ids shifted by one) may read
without an error and train without one: only its class shares give it away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import Dataset
from bench.data.files.raw import Encoding, RawDataset
from bench.data.preflight.agreement import check_agreement
from bench.data.preflight.finding import Finding, Level
from bench.data.preflight.places import check_places
from bench.data.preflight.reading import OUTSIDE, Reading

_MUCH_VOID = 0.5
_BETTER = 0.1
"""Another reading is taken for the truth if it brings the class shares to half the distance
from the published ones, and this much nearer: shares of a sample differ by a few tenths."""
_UNUSUAL = 0.5
"""Distance from the published shares beyond which a reader should look."""
_SMALL, _LARGE = 0.2, 0.5
"""Share of the pixels below which a class called background is none, and above which it is."""
_BACKGROUND = "background"
_REMEDY = "replace the labels from the original, or name the subset that they are of"


def encodings(dataset: Dataset) -> tuple[str, Mapping[str, Encoding]]:
    """Return how a split's labels are stored, and all kinds they could be confused with."""
    if isinstance(dataset, RawDataset):
        own, known = dataset.encoding, dict(dataset.encodings)
    else:
        classes = range(len(dataset.label_space.classes))
        own, known = "classes", {"classes": {**dict(enumerate(classes)), 255: IGNORE_INDEX}}
    for shift in (1, -1):  # of bytes, which go round
        moved = {(value + shift) % 256: meaning for value, meaning in known[own].items()}
        kept = {value: meaning for value, meaning in moved.items() if meaning != IGNORE_INDEX}
        void = dict.fromkeys((*moved, 0, 255), IGNORE_INDEX)
        known[f"{own} shifted by {shift:+d}"] = {**void, **kept}
    return own, known


def class_shares(stored: np.ndarray, encoding: Encoding, classes: int) -> np.ndarray:
    """Return each class's share of the labelled pixels, float64 [K]; zeros if there are none."""
    pixels = np.zeros(classes)
    for value, meaning in encoding.items():
        if meaning != IGNORE_INDEX:
            pixels[meaning] += stored[value]
    total = pixels.sum()
    shares: np.ndarray = pixels / total if total else pixels
    return shares


def check_labels(dataset: Dataset, reading: Reading) -> Iterator[Finding]:
    """Check label values, void and class shares; name another kind of label where one fits."""
    own, known = encodings(dataset)
    if not reading.sizes:
        return  # nothing could be read, which is said
    distances = _distances(dataset, reading, known)
    fitting = [name for name in known if name != own and not _foreign(reading, known[name])]
    fitting.sort(key=lambda name: distances.get(name, 0.0))
    void = _void(known[own], reading)
    if reading.blended:
        yield _blended(reading)
        if len(reading.blended) > reading.images / 2:
            return
    wrong = _wrong(dataset, own, known, reading, fitting, distances)
    if wrong and void.level != "wrong":
        yield Finding("label values", "wrong", f"{wrong}; {_REMEDY}")
        return
    yield Finding("label values", "ok", f"all are {own!r}")
    yield void
    if void.level == "wrong":
        return
    shares = class_shares(reading.stored, known[own], len(dataset.label_space.classes))
    yield from check_places(dataset, reading.pictures, known[own], shares)
    yield from check_agreement(reading.pictures, known[own])
    if not distances:
        text = "none were published for this set: swapped classes are told by their place alone"
        yield Finding("class shares", "ok", text)
    else:
        level: Level = "note" if distances[own] > _UNUSUAL else "ok"
        text = f"{distances[own]:.2f} from the published ones (0: the same, 1: nothing shared)"
        yield Finding("class shares", level, text)


def _wrong(
    dataset: Dataset,
    own: str,
    known: Mapping[str, Encoding],
    reading: Reading,
    fitting: list[str],
    distances: Mapping[str, float],
) -> str:
    """Say why the labels are not of their kind, and of which they seem; empty if they are."""
    if foreign := _foreign(reading, known[own]):
        values = np.flatnonzero(_foreign_values(reading, known[own])).tolist()
        where = reading.first[values[0] if values else OUTSIDE]
        text = f"{foreign / reading.pixels:.1%} of the pixels hold values that {own!r} has not"
        text += f" ({_list(values) or 'beyond 255'}, first in {where})"
        return text + (f": these seem to be {fitting[0]!r}" if fitting else "")
    if fitting and distances:
        here, there = distances[own], distances[fitting[0]]
        if there < here / 2 and here - there > _BETTER:
            text = f"these seem to be {fitting[0]!r}, not {own!r}: read so, the class shares are"
            return f"{text} {there:.2f} from the published ones, and {here:.2f} otherwise"
    if fitting and not distances:
        return _by_background(dataset, reading, own, {n: known[n] for n in (own, *fitting)})
    return ""


def _by_background(
    dataset: Dataset, reading: Reading, own: str, known: Mapping[str, Encoding]
) -> str:
    """Say that background is the class of most pixels in another reading alone."""
    classes = dataset.label_space.classes
    if _BACKGROUND not in classes:
        return ""
    index = classes.index(_BACKGROUND)
    shares = {n: class_shares(reading.stored, known[n], len(classes))[index] for n in known}
    other = max(shares, key=lambda name: shares[name])
    if shares[own] > _SMALL or shares[other] < _LARGE:
        return ""
    text = f"these seem to be {other!r}, not {own!r}: read so, background is {shares[other]:.0%} of"
    return f"{text} the labelled pixels, and {shares[own]:.0%} otherwise"


def _blended(reading: Reading) -> Finding:
    """Say which labels were averaged like photographs."""
    count, name = len(reading.blended), reading.blended[0]
    text = f"{name}: where classes meet lie values between those of their neighbours ({count} of "
    text += f"{reading.images} labels): resized or compressed as a photograph is; make them again, "
    much = count > reading.images / 2
    return Finding("blending", "wrong" if much else "note", text + "by nearest and as PNG")


def _void(encoding: Encoding, reading: Reading) -> Finding:
    values = [value for value, meaning in encoding.items() if meaning == IGNORE_INDEX]
    share = reading.stored[values].sum() / reading.pixels
    if share == 1:
        text = f"every pixel is void: labels of a test split, or of another dataset; {_REMEDY}"
        return Finding("void", "wrong", text)
    return Finding("void", "note" if share > _MUCH_VOID else "ok", f"{share:.1%} of the pixels")


def _distances(
    dataset: Dataset, reading: Reading, known: Mapping[str, Encoding]
) -> dict[str, float]:
    """Return, for each way to read the labels, half the sum of differences of class shares."""
    if not dataset.shares:
        return {}
    classes = dataset.label_space.classes
    published = np.array([dataset.shares[name] for name in classes])
    published = published / published.sum()
    found = {n: class_shares(reading.stored, known[n], len(classes)) for n in known}
    return {
        name: float(abs(shares - published).sum() / 2) if shares.any() else 1.0
        for name, shares in found.items()
    }


def _foreign_values(reading: Reading, encoding: Encoding) -> np.ndarray:
    """Return which stored values occur and have no meaning, bool [256]."""
    foreign: np.ndarray = reading.stored > 0
    foreign[list(encoding)] = False
    return foreign


def _foreign(reading: Reading, encoding: Encoding) -> int:
    return int(reading.stored[_foreign_values(reading, encoding)].sum()) + reading.outside


def _list(values: list[int], most: int = 5) -> str:
    return ", ".join(map(str, values[:most])) + (", ..." if len(values) > most else "")
