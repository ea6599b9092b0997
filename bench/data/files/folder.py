"""What datasets that lie in folders share: the base class of a new one.

Such a dataset's own file says where its images and labels are, and what a label value
means; everything that can be wrong with a copy is found here, in one line each. A set that is
no more than a layout and a table is a class body without a method::

    class Lanes(FolderDataset):
        title, licence, citation = "Lanes", "CC BY 4.0", "@misc{lanes, title = {Lanes}}"
        splits = ("train", "val")
        published = {"train": 900, "val": 100}
        folders = ("lanes",)
        label_space = LabelSpace(
            name="lanes-2", classes=("road", "lane"), palette=((128, 64, 128), (255, 255, 255))
        )
        encodings = {"ids": {0: 0, 1: 1, 255: IGNORE_INDEX}}
        where = (Layout("images/{split}/{frame}.jpg", "labels/{split}/{frame}.png"),)

``docs/own_data.md`` says how it is tested, and how a suite declares one without Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from bench.core.errors import DatasetError, DatasetMissing
from bench.core.schema import fingerprint
from bench.data.dataset import Raw
from bench.data.files.decode import read_image, read_numbers
from bench.data.files.digests import file_digests
from bench.data.files.layout import Layout, Pair, find_root
from bench.data.files.raw import RawDataset


class FolderDataset(RawDataset):
    """A split that is a list of image and label files."""

    folders: tuple[str, ...]
    """Names of the dataset's folder below a data root; the first is this project's."""
    where: ClassVar[tuple[Layout, ...]] = ()
    """Where a split may be; of the layouts that are there the first complete one is used.
    ``{split}`` stands for the split's folder and ``{subset}`` for the subset."""
    split_folders: ClassVar[Mapping[str, str]] = {}
    """What ``{split}`` stands for, where that is not the split's own name."""

    def layouts(self) -> tuple[Layout, ...]:
        """Return ``where``, of this split; for sets whose splits or subsets differ by more."""
        folder = self.split_folders.get(self.split, self.split)
        return tuple(layout.fill(split=folder, subset=self.subset) for layout in self.where)

    def keeps(self, id: str) -> bool:
        """Whether an image that lies in the layout belongs to the split."""
        return True

    def read_values(self, pair: Pair) -> np.ndarray:
        """Return the stored label values, integers [H, W], before they are given a meaning."""
        return read_numbers(pair.label)

    def extra_files(self) -> tuple[Path, ...]:
        """Return what else the labels depend on, for the fingerprint."""
        return ()

    @cached_property
    def folder(self) -> Path:
        """The dataset's folder.

        Raises:
            DatasetMissing: if it is not there.
        """
        try:
            return find_root(self.root, self.folders, self.layouts())
        except DatasetMissing as error:
            source = f" ({self.access})" if self.access else ""
            raise DatasetMissing({self.folders[0]: f"{error}{source}"}) from None

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The split's files in a fixed order, listed once.

        Raises:
            DatasetError: as ``check`` does.
        """
        here = [layout for layout in self.layouts() if layout.is_in(self.folder)]
        complete = [layout for layout in here if layout.is_complete(self.folder)]
        return (complete or here)[0].find(self.folder, self.keeps)

    def check(self) -> None:
        """List the split's files; see the base class."""
        if not self.knows_split() or self.subset not in self.subsets:
            known = ", ".join(self.splits_of(self.options))
            raise DatasetError(
                f"{self.folders[0]} has no {self.subset}/{self.split}; it has {known}"
            )
        _ = self.pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def raw(self, index: int) -> Raw:
        """Return an image and the values of its label as stored."""
        pair = self.pairs[index]
        image, values = read_image(pair.image), self.read_values(pair)
        return Raw(pair.id, image, values, str(pair.image), str(pair.label))

    def extras(self, index: int) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Return the instances and the depth of an image, each None if there are none."""
        pair = self.pairs[index]
        return self.read_instance(pair), self.read_depth(pair)

    def read_instance(self, pair: Pair) -> np.ndarray | None:
        """Return instance numbers, uint16 [H, W], 0 where there is no instance; None if none."""
        if pair.instance is None:
            return None
        numbers = read_numbers(pair.instance)
        present = np.union1d(0, numbers)
        return np.asarray(np.searchsorted(present, numbers), np.uint16)

    def read_depth(self, pair: Pair) -> np.ndarray | None:
        """Return the depth in metres, float32 of any size [h, w]; None if there is none."""
        return None

    def ids(self) -> tuple[str, ...]:
        """Image ids in index order."""
        return tuple(pair.id for pair in self.pairs)

    def cluster(self, index: int) -> str:
        """Return the folder a frame is in (a city, a drive, a scene), or its own id."""
        id = self.pairs[index].id
        return id.rpartition("/")[0] or id

    def files(self) -> tuple[Path, ...]:
        """Return every file that the split depends on."""
        both = (path for pair in self.pairs for path in (pair.image, pair.label))
        return (*both, *self._further_files(), *self.extra_files())

    def _further_files(self) -> tuple[Path, ...]:
        """Return the files of instances and depth, where there are any."""
        paths = (path for pair in self.pairs for path in (pair.instance, pair.depth))
        return tuple(path for path in paths if path is not None)

    def fingerprint(self) -> str:
        """Hash the content of every file of the split, and what its label values mean."""
        digests = file_digests(self.files())
        contents = [(pair.id, digests[pair.image], digests[pair.label]) for pair in self.pairs]
        extra = [digests[path] for path in (*self._further_files(), *self.extra_files())]
        parts = (type(self).__name__, self.meaning(), contents, *([extra] if extra else []))
        return fingerprint(*parts)
