"""Images that hold nothing, and images that occur twice, within a split and across splits."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench.data.dataset import Dataset
from bench.data.files.folder import FolderDataset
from bench.data.preflight.finding import Finding
from bench.data.preflight.reading import PicturedSample

_MOST = 0.5
"""Share of a sample, or of a test split, beyond which a fault is no exception any more."""
_ENDS = 4096
"""Bytes at both ends of a file that are read before the whole of it is."""


def check_pictures(pictures: Sequence[PicturedSample]) -> Iterator[Finding]:
    """Find images of one colour, and images that occur twice in the sample."""
    constant = [picture.image_name for picture in pictures if picture.constant]
    if constant:
        text = f"{constant[0]} is of one colour throughout ({len(constant)} of {len(pictures)} are)"
        much = len(constant) > _MOST * len(pictures)
        text += "; replace it from the original" if much else "; look at it"
        yield Finding("images", "wrong" if much else "note", text)
    first: dict[str, str] = {}
    twice = []
    for picture in pictures:
        if picture.constant:
            continue
        if picture.digest in first:
            twice.append((picture.image_name, first[picture.digest]))
        first.setdefault(picture.digest, picture.image_name)
    if twice:
        much = len(twice) > _MOST * len(pictures)
        text = f"{twice[0][0]} has the same pixels as {twice[0][1]} ({len(twice)} such images)"
        text += "; remove one of each two"
        yield Finding("duplicates", "wrong" if much else "note", text)


def check_apart(splits: Sequence[Dataset]) -> Iterator[tuple[Dataset, Finding]]:
    """Find images of one split among those of the splits before it: a leak.

    Image files are compared byte by byte, and read only where two have one size.

    Args:
        splits: of any datasets; those that are not of files are left out.

    Yields:
        A split with what was found in it.
    """
    in_files = [split for split in splits if isinstance(split, FolderDataset)]
    for number, split in enumerate(in_files):
        for other in in_files[:number]:
            if type(other) is type(split) and other.split != split.split:
                finding = _leak(split, other)
                if finding is not None:
                    yield split, finding


def _leak(split: FolderDataset, other: FolderDataset) -> Finding | None:
    known = [pair.image for pair in other.pairs]
    own = [pair.image for pair in split.pairs]
    shared = _same_files(own, known)
    if not shared:
        return None
    path, copy = shared[0]
    much = len(shared) > _MOST * min(len(own), len(known))
    text = f"{path} is {copy} of {other.split} ({len(shared)} of {len(own)} images are in both)"
    if much:
        text += "; a score would measure what was learnt by heart: replace one of the splits"
    return Finding("leak", "wrong" if much else "note", text)


def _same_files(own: Iterable[Path], known: Iterable[Path]) -> list[tuple[Path, Path]]:
    """Return files of the first with a file of the second that holds the same bytes."""
    by_size: dict[int, list[Path]] = defaultdict(list)
    for path in known:
        by_size[path.stat().st_size].append(path)
    shared = []
    for path in own:
        candidates = by_size.get(path.stat().st_size, [])
        same = (other for other in candidates if path == other or _equal(path, other))
        if (copy := next(same, None)) is not None:
            shared.append((path, copy))
    return shared


def _equal(path: Path, other: Path) -> bool:
    return _ends(path) == _ends(other) and _content(path) == _content(other)


def _ends(path: Path) -> tuple[bytes, bytes]:
    with path.open("rb") as file:
        start = file.read(_ENDS)
        file.seek(max(0, path.stat().st_size - _ENDS))
        return start, file.read(_ENDS)


def _content(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
