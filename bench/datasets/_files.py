"""What datasets that lie in folders share: pairs of files, their decoding and digests.

Such a dataset's own file says where its images and labels are, and what a label value
means; everything that can be wrong with a file is found here, in one line each.
"""

from __future__ import annotations

import hashlib
import json
import time
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from bench.dataset import Dataset, DatasetError, DatasetMissing, Sample
from bench.datasets._cache import cache_folder
from bench.schema import fingerprint
from bench.store import write_json

FAULT = -1
"""In a table of label values: a value that no label of this dataset may hold."""

RACY_NS = 2_000_000_000
"""A file changed so recently may change again without a newer time stamp."""


class Pair(NamedTuple):
    """One image and its label on disk."""

    id: str
    image: Path
    label: Path


class FolderDataset(Dataset):
    """A split that is a list of image and label files."""

    label_values: ClassVar[Mapping[int, int]]
    """Every value a stored label may hold, and the class or IGNORE_INDEX it stands for."""

    @abstractmethod
    def list_pairs(self) -> tuple[Pair, ...]:
        """List the split in a fixed order.

        Raises:
            DatasetError: as ``check`` does.
        """

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The split's files, listed once."""
        return self.list_pairs()

    @cached_property
    def _table(self) -> np.ndarray:
        table = np.full(256, FAULT, dtype=np.int16)
        for value, meaning in self.label_values.items():
            table[value] = meaning
        return table

    def check(self) -> None:
        """List the split's files; see the base class."""
        self.list_pairs()

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        pair = self.pairs[index]
        image = read_image(pair.image)
        label = read_label(pair.label, self._table)
        if image.shape[:2] != label.shape:
            raise DatasetError(
                f"{pair.label}: label is {_size(label)}, its image {pair.image} is "
                f"{_size(image)}; both must have one size: replace them from the original"
            )
        return Sample(pair.id, image, label)

    def ids(self) -> tuple[str, ...]:
        """Image ids in index order."""
        return tuple(pair.id for pair in self.pairs)

    def fingerprint(self) -> str:
        """Hash the content of every file of the split, and what its label values mean."""
        digests = file_digests(path for pair in self.pairs for path in (pair.image, pair.label))
        meanings = sorted(self.label_values.items())
        contents = [(pair.id, digests[pair.image], digests[pair.label]) for pair in self.pairs]
        return fingerprint(type(self).__name__, meanings, contents)


def find_root(root: Path | None, name: str, marker: str) -> Path:
    """Find a dataset's folder: ``root`` itself, or the folder ``name`` in it, in any case.

    Args:
        root: the data root, if one was given.
        name: the dataset's name in lower case.
        marker: a folder that every copy of the dataset has.

    Raises:
        DatasetMissing: if no root was given, or neither holds ``marker``.
        DatasetError: if the root is no folder.
    """
    if root is None:
        raise DatasetMissing(f"{name} needs its files: give --data-root DIR or set BENCH_DATA")
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder; --data-root (or BENCH_DATA) must name one")
    inside = sorted(path for path in root.iterdir() if path.name.lower() == name)
    for folder in (root, *inside):
        if (folder / marker).is_dir():
            return folder
    looked = " or ".join(str(folder / marker) for folder in (root, *(inside or [root / name])))
    raise DatasetMissing(f"{name} has no folder {marker}/: copy the split to {looked}")


def read_image(path: Path) -> np.ndarray:
    """Decode an image to uint8 [H, W, 3], RGB.

    Raises:
        DatasetError: if the file is missing or damaged.
    """
    return _decode(path, "RGB")


def read_label(path: Path, table: np.ndarray) -> np.ndarray:
    """Decode a label and give its values their meaning.

    Args:
        path: a greyscale or palette image; palette indices are the values.
        table: int16 [256], for each stored value a class, IGNORE_INDEX or FAULT.

    Returns:
        uint8 [H, W].

    Raises:
        DatasetError: if the file is missing, damaged, not a map of numbers, or holds a
            value outside the table.
    """
    stored = _decode(path, None)
    if stored.ndim != 2 or stored.dtype.kind not in "bui":
        raise DatasetError(
            f"{path}: a label must be one number a pixel, this is {stored.dtype} of shape "
            f"{list(stored.shape)}; point the data root at the label ids, not at their colours"
        )
    values = stored.astype(np.int64)
    outside = (values < 0) | (values > 255)
    label = table[np.where(outside, 0, values)]
    faulty = outside | (label == FAULT)
    if faulty.any():
        wrong = np.unique(values[faulty])
        listed = ", ".join(map(str, wrong[:5].tolist())) + (", ..." if len(wrong) > 5 else "")
        allowed = _ranges(np.flatnonzero(table != FAULT).tolist())
        raise DatasetError(
            f"{path}: label holds {listed}; this dataset has {allowed}: "
            "replace the file from the original, or use the dataset that it belongs to"
        )
    return label.astype(np.uint8)


def file_digests(paths: Iterable[Path]) -> dict[Path, str]:
    """Hash the content of files, reading again only those whose size or time changed.

    Digests are kept in the cache folder, one index for each folder of files. A file that
    was changed within the last two seconds is not kept, since a change after it could
    leave the same time stamp.

    Raises:
        DatasetError: if a file is missing.
    """
    folders: dict[Path, list[Path]] = {}
    for path in paths:
        folders.setdefault(path.parent, []).append(path)
    found: dict[Path, str] = {}
    for folder, members in folders.items():
        found.update(_folder_digests(folder, members))
    return found


def _folder_digests(folder: Path, paths: list[Path]) -> dict[Path, str]:
    index_path = cache_folder() / "digests" / f"{fingerprint(str(folder.resolve()))}.json"
    index = _read_index(index_path)
    now, found, changed = time.time_ns(), {}, False
    for path in paths:
        try:
            stat = path.stat()
            known = index.get(path.name)
            if known is None or known[:2] != [stat.st_size, stat.st_mtime_ns]:
                known = [stat.st_size, stat.st_mtime_ns, _digest(path)]
                if now - stat.st_mtime_ns > RACY_NS:
                    index[path.name], changed = known, True
        except FileNotFoundError:
            raise DatasetError(f"{path}: no such file; copy it from the original") from None
        found[path] = str(known[2])
    if changed:
        write_json(index_path, json.dumps(index))
    return found


def _read_index(path: Path) -> dict[str, list[int | str]]:
    """Read an index; a missing or damaged one only means that files are hashed again."""
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]


def _decode(path: Path, mode: str | None) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(path) as file:
            return np.array(file.convert(mode) if mode else file)
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file; copy it from the original") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise DatasetError(
            f"{path}: damaged image ({error}); replace it from the original"
        ) from error


def _size(array: np.ndarray) -> str:
    return f"{array.shape[0]}x{array.shape[1]}"


def _ranges(values: list[int]) -> str:
    """Write sorted numbers as ranges: ``0..11, 255``."""
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][1] + 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    return ", ".join(str(a) if a == b else f"{a}..{b}" for a, b in runs)
