"""Is a copy of a dataset complete and sane? Asked before any training, answered in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from bench.core.errors import DatasetError, DatasetMissing
from bench.data.dataset import Dataset
from bench.data.files.digests import changed_files
from bench.data.files.folder import FolderDataset
from bench.data.preflight.copies import check_apart, check_pictures
from bench.data.preflight.finding import Finding
from bench.data.preflight.labels import check_labels
from bench.data.preflight.reading import SAMPLE, Reading, describe_size, read
from bench.data.preflight.spaces import check_palette


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
    for finding in (check_palette(dataset.label_space), *inspect(dataset).findings):
        line = f"{name}: {finding.check}: {finding.text}"
        if finding.level == "wrong":
            raise DatasetError(line)
        if finding.level != "ok":
            say(line)


def require_apart(splits: Sequence[Dataset], say: Callable[[str], None]) -> None:
    """Refuse splits that hold the same images; say where a few are shared.

    Raises:
        DatasetError: if most images of one split are in another.
    """
    for dataset, finding in check_apart(splits):
        line = f"{dataset.title}, {dataset.split}: {finding.check}: {finding.text}"
        if finding.level == "wrong":
            raise DatasetError(line)
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


def _content(dataset: Dataset, reading: Reading, full: bool) -> Iterator[Finding]:
    if reading.faults:
        more = f" (and {len(reading.faults) - 1} more)" if len(reading.faults) > 1 else ""
        yield Finding("files", "wrong", f"{reading.faults[0]}{more}")
    yield _sizes(dataset, reading)
    yield from check_pictures(reading.pictures)
    yield from check_labels(dataset, reading)
    if full and isinstance(dataset, FolderDataset) and (files := dataset.files()):
        changed = changed_files(files)
        text = "all read again; every digest holds; the authors publish none to compare with"
        if changed:
            text = f"{changed[0]} changed without a newer time stamp ({len(changed)} files did)"
            text += "; its new digest holds from now on, and what used it is computed again"
        yield Finding("content", "wrong" if changed else "ok", text)


def _sizes(dataset: Dataset, reading: Reading) -> Finding:
    if not reading.sizes:
        return Finding("sizes", "wrong", "no image could be read")
    sizes = sorted(reading.sizes)
    text = " to ".join(describe_size(size) for size in dict.fromkeys((sizes[0], sizes[-1])))
    text += f" in {reading.images} images"
    if dataset.image_size is None:
        return Finding("sizes", "ok", text)
    if sizes == [dataset.image_size]:
        return Finding("sizes", "ok", f"{text}, as published")
    return Finding("sizes", "differs", f"{text}; published are {describe_size(dataset.image_size)}")
