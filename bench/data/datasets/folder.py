"""A data set of one's own in a folder, declared in the suite: no Python.

::

    - dataset: folder
      options:
        images: img/{split}/{id}.*
        labels: gt/{split}/{id}.png
        classes: [road, building, sky]

``{split}`` is the split's name, or what ``splits`` says it stands for; every other field of a
path, such as ``{city}``, is a part of the image's id. Paths are relative to the data root, or to
``folder`` in it. The same options go to ``data check folder --options FILE``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from bench.core.errors import DatasetError, DatasetMissing
from bench.core.schema import Frozen
from bench.data.dataset import LabelSpace
from bench.data.files.classes import ClassTable, LabelOptions, read_classes
from bench.data.files.decode import read_depth, read_image
from bench.data.files.folder import FolderDataset
from bench.data.files.layout import Layout, Pair
from bench.data.files.raw import Encoding

_SPLIT = "{split}"


class SplitOptions(Frozen):
    """One split: a folder's name, a list of images, or both."""

    folder: str = ""
    """What ``{split}`` stands for; the split's own name, if absent."""
    list: str = ""
    """A text file, one image per line: its id, or its path below the folder."""


class FolderOptions(LabelOptions):
    """Where the files are and what they mean."""

    images: str
    """Path of an image with fields in braces; ``.*`` at its end: PNG, JPEG or any other."""
    labels: str
    """Path of its label, with the same fields."""
    folder: str = ""
    """Below the data root, or absolute."""
    splits: Mapping[str, str | SplitOptions] = {}
    """By name, what ``{split}`` stands for, or ``{list: FILE}``; absent: train and val."""
    sequence: str = ""
    """Which images are of one sequence, as fields: ``{city}``. Absent: those of one folder."""
    instances: str = ""
    """Path of an image of instance numbers, 0 where there is no instance."""
    depth: str = ""
    """Path of an image of depth, 0 where it is unknown."""
    depth_unit: Annotated[float, Field(gt=0)] = 1.0
    """Metres per unit of the stored depth: 0.001 for millimetres."""

    @model_validator(mode="after")
    def _fields_fit(self) -> FolderOptions:
        fields = set(_fields(self.images))
        if not fields - {"split"}:
            raise ValueError("images names no field such as {id}: every image needs a name")
        for name in ("labels", "sequence", "instances", "depth"):
            if strange := [field for field in _fields(getattr(self, name)) if field not in fields]:
                known = ", ".join(sorted(f"{{{field}}}" for field in fields))
                raise ValueError(f"{name} has {{{strange[0]}}}, which images has not: {known}")
        lists = [isinstance(s, SplitOptions) and bool(s.list) for s in self.splits.values()]
        if "split" not in fields and not (lists and all(lists)):
            raise ValueError(
                "images has no {split}, so every split would hold the same images; add it, or give "
                "splits: {train: {list: FILE}, val: {list: FILE}}"
            )
        return self


def _fields(pattern: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", pattern)


class Folder(FolderDataset):
    """A declared folder of images and labels."""

    title = "Own data in a folder"
    licence = "as its owner says"
    citation = "% folder: the options of the suite give no citation{}"
    splits = ()
    Options = FolderOptions
    folders = ("folder",)

    def __init__(self, split: str, subset: str, root: Path | None, options: Frozen) -> None:
        super().__init__(split, subset, root, options)
        assert isinstance(options, FolderOptions)
        self.declared = options
        self.title = options.title or self.title
        self.licence, self.citation = options.licence, options.citation or self.citation

    @classmethod
    def splits_of(cls, options: Frozen) -> tuple[str, ...]:
        """Those that the options name, or train and val."""
        assert isinstance(options, FolderOptions)
        return tuple(options.splits) or ("train", "val")

    @classmethod
    def contents(cls, options: Frozen) -> str:
        """Say what it is called, or where it is."""
        assert isinstance(options, FolderOptions)
        return options.title or options.folder or options.images

    @cached_property
    def classes(self) -> ClassTable:
        """The declared classes.

        Raises:
            DatasetError: if they are not as they must be.
        """
        return read_classes(self.declared, self._place)

    @property
    def label_space(self) -> LabelSpace:
        """The declared classes in their order."""
        return self.classes.space

    @cached_property
    def encodings(self) -> Mapping[str, Encoding]:  # type: ignore[override]
        """What the declared values mean."""
        return {"declared values": self.classes.encoding}

    @property
    def _place(self) -> Path | None:
        """The folder, whether or not it is there."""
        return None if self.root is None else self.root / self.declared.folder

    @cached_property
    def folder(self) -> Path:
        """The data root, or the folder that the options name in it."""
        place = self._place
        if place is None and self.declared.folder and Path(self.declared.folder).is_absolute():
            place = Path(self.declared.folder)
        name = self.declared.title or self.declared.folder or "folder"
        if place is None:
            message = f"{name} needs its files: give --data-root DIR or set BENCH_DATA"
            raise DatasetMissing({name: message})
        if not place.is_dir():
            raise DatasetMissing({name: f"{place}: no such folder; copy {name} there"})
        return place

    def layouts(self) -> tuple[Layout, ...]:
        """The one that the options describe."""
        options, entry = self.declared, self.declared.splits.get(self.split, self.split)
        if isinstance(entry, str):
            entry = SplitOptions(folder=entry)
        patterns = (options.images, options.labels, options.instances, options.depth)
        images, labels, instances, depth = (
            pattern.replace(_SPLIT, entry.folder or self.split) for pattern in patterns
        )
        listed = (entry.list,) if entry.list else ()
        return (Layout(images, labels, listed, instances=instances, depth=depth),)

    def check(self) -> None:
        """Read the classes and list the split's files."""
        _ = self.folder, self.table
        (layout,) = self.layouts()
        for pattern in (layout.instances, layout.depth):
            place = self.folder / pattern.split("{")[0].rpartition("/")[0]
            if pattern and not place.is_dir():
                raise DatasetError(f"{place}: no such folder; copy it there, or leave it out")
        super().check()

    def knows_split(self) -> bool:
        """Whether the options name the split, or no splits at all."""
        return not self.declared.splits or self.split in self.declared.splits

    def meaning(self) -> list[object]:
        """Return what stored values, or colours, and depths mean."""
        return [*self.classes.meaning, self.declared.depth_unit]

    def read_values(self, pair: Pair) -> np.ndarray:
        """Return stored values, or the classes of stored colours."""
        if self.classes.colours is None:
            return super().read_values(pair)
        return self.classes.values(read_image(pair.label), str(pair.label))

    def read_depth(self, pair: Pair) -> np.ndarray | None:
        """Return the stored depth in metres."""
        if pair.depth is None:
            return None
        return read_depth(pair.depth, lambda stored: stored * self.declared.depth_unit)

    def cluster(self, index: int) -> str:
        """Return the sequence that the options name, or the folder an image is in."""
        if not self.declared.sequence:
            return super().cluster(index)
        return self.declared.sequence.format(**dict(self.pairs[index].fields), split=self.split)
