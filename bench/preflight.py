"""Is a copy of a dataset complete and sane? Asked before any training, answered in seconds.

Labels are judged by what their files store, before values are given a meaning: a copy whose
labels are of another kind (train ids for label ids, ids shifted by one) reads without an
error and trains without one, and only its class shares give it away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np

from bench import taxonomy
from bench.dataset import Dataset, DatasetError, DatasetMissing, LabelSpace, Raw
from bench.datasets._digests import changed_files
from bench.datasets._files import Encoding, FolderDataset
from bench.schema import IGNORE_INDEX
from bench.taxonomy import Taxonomy, TaxonomyError

SAMPLE = 40
"""Images that a quick check decodes, evenly spread over the split."""

_MUCH_VOID = 0.5
_CLEARLY_BETTER = 0.25
"""How much nearer to the published shares another reading must be to be taken for the truth."""
_UNUSUAL = 0.5
"""Distance from the published shares beyond which a reader should look."""

Level = Literal["ok", "note", "differs", "missing", "wrong"]
"""``note``: worth reading; ``differs``: not the published data; ``missing``: not here;
``wrong``: a number from these data would mean nothing."""


class Finding(NamedTuple):
    """The outcome of one check."""

    check: str
    level: Level
    text: str


class Reading(NamedTuple):
    """What a sample of a split holds."""

    images: int
    stored: np.ndarray  # int64 [256], pixels of each stored label value
    outside: int
    """Pixels whose stored value is no byte."""
    first: Mapping[int, str]
    """The first label that holds each stored value; those that are no bytes as -1."""
    sizes: Counter[tuple[int, int]]
    """Images of each height and width."""
    faults: tuple[str, ...]
    """Files that cannot be used, one line each."""


class Inspection(NamedTuple):
    """What was found in one split."""

    findings: tuple[Finding, ...]
    reading: Reading | None = None
    """Absent where the split's files could not be listed."""


def inspect(dataset: Dataset, full: bool = False) -> Inspection:
    """Check one split.

    Args:
        dataset: the split.
        full: decode every image and read every file again, instead of a sample.
    """
    try:
        dataset.check()
    except DatasetMissing as error:
        text = str(error).removesuffix(f" ({dataset.access})")
        return Inspection((Finding("files", "missing", text),))
    except DatasetError as error:
        return Inspection((Finding("files", "wrong", str(error)),))
    reading = read(dataset, None if full else SAMPLE)
    return Inspection((count(dataset), *_content(dataset, reading, full)), reading)


def require(dataset: Dataset, say: Callable[[str], None]) -> None:
    """Refuse data from which a number would mean nothing; say what else one should know.

    Raises:
        DatasetError: for the first finding that is wrong.
    """
    name = f"{dataset.title}, {dataset.split}"
    for finding in (_palette(dataset.label_space), *inspect(dataset).findings):
        line = f"{name}: {finding.check}: {finding.text}"
        if finding.level == "wrong":
            remedy = "" if finding.check == "files" else "; replace the labels from the original"
            raise DatasetError(f"{line}{remedy}")
        if finding.level != "ok":
            say(line)


def count(dataset: Dataset) -> Finding:
    """Compare the number of images with the published one; opens no image."""
    found, published = len(dataset), dataset.published_images
    if published is None:
        return Finding("images", "ok", f"{found:,}; no number was published")
    if found == published:
        return Finding("images", "ok", f"{found:,}, as published")
    how = "missing" if found < published else "too many"
    text = f"{found:,} of {published:,} published: {abs(published - found):,} {how}"
    return Finding("images", "differs", text)


def spaces(space: LabelSpace) -> Iterator[Finding]:
    """Check a label space: its palette, and its place in every taxonomy that has it."""
    yield _palette(space)
    for name in taxonomy.names():
        yield _taxonomy(space, taxonomy.load(name))


def _content(dataset: Dataset, reading: Reading, full: bool) -> Iterator[Finding]:
    if reading.faults:
        more = f" (and {len(reading.faults) - 1} more)" if len(reading.faults) > 1 else ""
        yield Finding("files", "wrong", f"{reading.faults[0]}{more}")
    yield _sizes(dataset, reading)
    yield from _labels(dataset, reading)
    if full and isinstance(dataset, FolderDataset):
        changed = changed_files(dataset.files())
        text = "all read again; every digest holds"
        if changed:
            text = f"{changed[0]} changed without a newer time stamp ({len(changed)} files do)"
        yield Finding("content", "wrong" if changed else "ok", text)


def read(dataset: Dataset, sample: int | None) -> Reading:
    """Decode images and labels: all, or a sample that is evenly spread over the split."""
    indices = range(len(dataset))
    if sample is not None and len(indices) > sample:
        indices = np.linspace(0, len(dataset) - 1, sample).astype(int).tolist()
    stored = np.zeros(256, dtype=np.int64)
    sizes, faults, first = Counter[tuple[int, int]](), [], dict[int, str]()
    outside = 0
    for index in indices:
        try:
            raw = _raw(dataset, index)
        except DatasetError as error:
            faults.append(str(error))
            continue
        values = raw.values.ravel().astype(np.int64)
        inside = (values >= 0) & (values < 256)
        stored += np.bincount(values[inside], minlength=256)
        outside += int((~inside).sum())
        for value in np.unique(np.where(inside, values, -1)).tolist():
            first.setdefault(value, raw.label_name)
        sizes[raw.image.shape[:2]] += 1
        if raw.image.shape[:2] != raw.values.shape:
            faults.append(
                f"{raw.label_name}: label is {_size(raw.values.shape)}, its image "
                f"{raw.image_name} is {_size(raw.image.shape)}; replace them from the original"
            )
    return Reading(len(indices), stored, outside, first, sizes, tuple(faults))


def _raw(dataset: Dataset, index: int) -> Raw:
    if isinstance(dataset, FolderDataset):
        return dataset.raw(index)
    sample = dataset[index]
    return Raw(sample.id, sample.image, sample.label, sample.id, sample.id)


def encodings(dataset: Dataset) -> tuple[str, Mapping[str, Encoding]]:
    """Return how a split's labels are stored, and all kinds they could be confused with."""
    if isinstance(dataset, FolderDataset):
        own, known = dataset.encoding, dict(dataset.encodings)
    else:
        classes = range(len(dataset.label_space.classes))
        own, known = "classes", {"classes": {**dict(enumerate(classes)), 255: IGNORE_INDEX}}
    for shift in (1, -1):
        moved = {
            value + shift: meaning
            for value, meaning in known[own].items()
            if 0 <= value + shift < 256 and meaning != IGNORE_INDEX
        }
        void = {value: IGNORE_INDEX for value in (0, 255) if value not in moved}
        known[f"{own} shifted by {shift:+d}"] = {**void, **moved}
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


def _labels(dataset: Dataset, reading: Reading) -> Iterator[Finding]:
    """Check label values, void and class shares; name another kind of label where one fits."""
    own, known = encodings(dataset)
    pixels = int(reading.stored.sum()) + reading.outside
    if not pixels:
        return
    foreign = {name: _foreign(reading, encoding) for name, encoding in known.items()}
    distances = _distances(dataset, reading, known)
    fitting = [name for name in known if name != own and not foreign[name]]
    fitting.sort(key=lambda name: distances.get(name, 0.0))
    if foreign[own]:
        values = np.flatnonzero(_foreign_values(reading, known[own])).tolist()
        where = reading.first[values[0] if values else -1]
        text = f"{foreign[own] / pixels:.1%} of the pixels hold values that {own!r} has not"
        text += f" ({_list(values) or 'beyond 255'}, first in {where})"
        text += f": these seem to be {fitting[0]!r}" if fitting else ""
        yield Finding("label values", "wrong", text)
        return
    if fitting and distances and distances[own] - distances[fitting[0]] > _CLEARLY_BETTER:
        text = (
            f"these seem to be {fitting[0]!r}, not {own!r}: so read, the class shares are "
            f"{distances[fitting[0]]:.2f} from the published ones, and else {distances[own]:.2f}"
        )
        yield Finding("label values", "wrong", text)
        return
    yield Finding("label values", "ok", f"all are {own!r}")
    yield _void(known[own], reading, pixels)
    if distances:
        level: Level = "note" if distances[own] > _UNUSUAL else "ok"
        text = f"{distances[own]:.2f} from the published ones (0: the same, 1: nothing shared)"
        yield Finding("class shares", level, text)


def _void(encoding: Encoding, reading: Reading, pixels: int) -> Finding:
    void = sum(int(reading.stored[v]) for v, meaning in encoding.items() if meaning == IGNORE_INDEX)
    if void == pixels:
        text = "every pixel is void: labels of a test split, or of another dataset"
        return Finding("void", "wrong", text)
    level: Level = "note" if void > _MUCH_VOID * pixels else "ok"
    return Finding("void", level, f"{void / pixels:.1%} of the pixels")


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


def _sizes(dataset: Dataset, reading: Reading) -> Finding:
    if not reading.sizes:
        return Finding("sizes", "wrong", "no image could be read")
    sizes = sorted(reading.sizes)
    text = f"{_size(sizes[0])}" if len(sizes) == 1 else f"{_size(sizes[0])} to {_size(sizes[-1])}"
    text += f" in {reading.images} images"
    if dataset.image_size is None:
        return Finding("sizes", "ok", text)
    if sizes == [dataset.image_size]:
        return Finding("sizes", "ok", f"{text}, as published")
    return Finding("sizes", "differs", f"{text}; published are {_size(dataset.image_size)}")


def _palette(space: LabelSpace) -> Finding:
    colours = np.array(space.palette, dtype=float)
    pairs = [
        (float(np.linalg.norm(colours[a] - colours[b])), space.classes[a], space.classes[b])
        for a, b in combinations(range(len(colours)), 2)
    ]
    if not pairs:
        return Finding("palette", "ok", "one colour")
    distance, one, other = min(pairs)
    if distance == 0:
        return Finding("palette", "wrong", f"{one} and {other} have one colour")
    text = f"{len(colours)} distinct colours; the nearest are {distance:.0f} apart ({one}, {other})"
    return Finding("palette", "ok", text)


def _taxonomy(space: LabelSpace, universal: Taxonomy) -> Finding:
    """Check that a taxonomy knows every class, and what is lost on the way there and back."""
    check = f"taxonomy {universal.name}"
    try:
        universal.members(space)
    except TaxonomyError as error:
        return Finding(check, "note", f"{error}: not for use there")
    uses: list[str] = []
    level: Level = "ok"
    try:
        table = universal.from_space(space)[: len(space.classes)]
        uses.append("can be trained on")
    except TaxonomyError as error:
        table = None
        uses.append(f"not for training: {error}")
    try:
        projection = universal.to_space(space)
    except TaxonomyError as error:
        uses.append(f"not for testing: {error}")
    else:
        lost = projection.unreachable
        back = "all classes" if not lost else f"all classes but {', '.join(lost)}"
        uses.append(f"can be tested on, {back}")
        known = [] if table is None else np.flatnonzero(table != IGNORE_INDEX).tolist()
        exact = all(projection.target[table[c]] == c for c in known if table is not None)
        level = "ok" if exact and not lost else "note"
    return Finding(check, level, "; ".join(uses))


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[0]}x{shape[1]}"


def _list(values: list[int], most: int = 5) -> str:
    return ", ".join(map(str, values[:most])) + (", ..." if len(values) > most else "")
