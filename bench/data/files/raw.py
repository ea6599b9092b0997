"""What datasets share whose labels are stored as numbers that need a meaning."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from bench.core.errors import DatasetError
from bench.data.dataset import Dataset, Raw, Sample

FAULT = -1
"""In a table of label values: a value that no label of this dataset may hold."""

Encoding = Mapping[int, int]
"""Every value a stored label may hold, and the class or IGNORE_INDEX it stands for."""


class RawDataset(Dataset):
    """A split whose images and stored labels can be had before their values get a meaning."""

    encodings: Mapping[str, Encoding]
    """The ways in which copies of this dataset store their labels, by name: the split's own
    (the first, unless ``encoding`` says otherwise), and those it could be confused with."""

    @property
    def encoding(self) -> str:
        """The name of the encoding that this subset is stored in."""
        return next(iter(self.encodings))

    @abstractmethod
    def raw(self, index: int) -> Raw:
        """Return an image and the values of its label as stored."""

    def meaning(self) -> list[object]:
        """Return all that decides what a stored label means, for the fingerprint."""
        return list(sorted(self.encodings[self.encoding].items()))

    def extras(self, index: int) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Return the instances and the depth of an image, each None if there are none."""
        return None, None

    @cached_property
    def table(self) -> np.ndarray:
        """For each stored value 0..255 a class, IGNORE_INDEX or FAULT, int16 [256]."""
        table = np.full(256, FAULT, dtype=np.int16)
        for value, meaning in self.encodings[self.encoding].items():
            table[value] = meaning
        return table

    def knows_split(self) -> bool:
        """Whether the dataset has a split of this name."""
        return self.split in self.splits

    def __getitem__(self, index: int) -> Sample:
        raw = self.raw(index)
        if raw.image.shape[:2] != raw.values.shape:
            raise DatasetError(
                f"{raw.label_name}: label is {_size(raw.values)}, its image {raw.image_name} is "
                f"{_size(raw.image)}; both must have one size: replace them from the original"
            )
        label = to_label(raw.values, self.table, raw.label_name)
        instance, depth = self.extras(index)
        if instance is not None and instance.shape != label.shape:
            raise DatasetError(
                f"{raw.label_name}: label is {_size(label)}, its instances {_size(instance)}; "
                "both must have one size: replace them from the original"
            )
        return Sample(raw.id, raw.image, label, instance, depth)


def to_label(values: np.ndarray, table: np.ndarray, name: str) -> np.ndarray:
    """Give stored label values their meaning.

    Args:
        values: integers [H, W].
        table: int16 [256], for each stored value a class, IGNORE_INDEX or FAULT.
        name: the label's path, for errors.

    Returns:
        uint8 [H, W].

    Raises:
        DatasetError: if a value is outside the table.
    """
    wide = values.astype(np.int64)
    outside = (wide < 0) | (wide > 255)
    label = table[np.where(outside, 0, wide)]
    faulty = outside | (label == FAULT)
    if faulty.any():
        wrong = np.unique(wide[faulty])
        listed = ", ".join(map(str, wrong[:5].tolist())) + (", ..." if len(wrong) > 5 else "")
        allowed = _ranges(np.flatnonzero(table != FAULT).tolist())
        raise DatasetError(
            f"{name}: label holds {listed}; this dataset has {allowed}: "
            "replace the file from the original, or use the dataset that it belongs to"
        )
    return label.astype(np.uint8)


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
