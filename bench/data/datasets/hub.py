"""A data set of one's own on the Hugging Face Hub, declared in the suite: no Python.

::

    - dataset: hub
      options:
        name: someone/streets
        image: image
        label: annotation
        classes: [road, building, sky]

``name`` may also be a folder that ``save_to_disk`` of the library ``datasets`` wrote.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.core.errors import DatasetError
from bench.core.schema import Frozen, fingerprint
from bench.data.dataset import LabelSpace, Raw
from bench.data.files.classes import ClassTable, LabelOptions, read_classes
from bench.data.files.decode import read_image, read_numbers
from bench.data.files.hub import open_rows, row_bytes
from bench.data.files.raw import Encoding, RawDataset


class DeclaredHubOptions(LabelOptions):
    """Which rows, and what their columns mean."""

    name: str
    """A repository on the Hub, or a folder that ``save_to_disk`` wrote."""
    image: str = "image"
    """Column of the images."""
    label: str = "label"
    """Column of the label images."""
    config: str = ""
    revision: str = ""
    """A commit of the repository: without it, results change when the repository does."""
    splits: Mapping[str, str] = {}
    """By name, the rows' own name of each split; absent: train, and val as ``validation``."""
    id: str = ""
    """Column of image ids; absent: the rows' numbers."""
    sequence: str = ""
    """Column that says which images are of one sequence; absent: none are."""


class Hub(RawDataset):
    """Declared rows of images and labels."""

    title = "Own data on the Hub"
    licence = "as its owner says"
    citation = "% hub: the options of the suite give no citation{}"
    splits = ()
    needs_root = False
    Options = DeclaredHubOptions

    def __init__(self, split: str, subset: str, root: Path | None, options: Frozen) -> None:
        super().__init__(split, subset, root, options)
        assert isinstance(options, DeclaredHubOptions)
        self.declared = options
        self.title = options.title or options.name
        self.licence, self.citation = options.licence, options.citation or self.citation

    @classmethod
    def is_drawn(cls, options: Frozen) -> bool:
        """Whether the images come from code: not these."""
        return False

    @classmethod
    def splits_of(cls, options: Frozen) -> tuple[str, ...]:
        """Those that the options name, or train and val."""
        assert isinstance(options, DeclaredHubOptions)
        return tuple(options.splits) or ("train", "val")

    @classmethod
    def contents(cls, options: Frozen) -> str:
        """Say what it is called, or where it is."""
        assert isinstance(options, DeclaredHubOptions)
        return options.title or options.name

    @cached_property
    def classes(self) -> ClassTable:
        """The declared classes.

        Raises:
            DatasetError: if they are not as they must be.
        """
        return read_classes(self.declared, self.root)

    @property
    def label_space(self) -> LabelSpace:
        """The declared classes in their order."""
        return self.classes.space

    @cached_property
    def encodings(self) -> Mapping[str, Encoding]:  # type: ignore[override]
        """What the declared values mean."""
        return {"declared values": self.classes.encoding}

    def knows_split(self) -> bool:
        """Whether the options name the split, or no splits at all."""
        return not self.declared.splits or self.split in self.declared.splits

    @cached_property
    def rows(self) -> Any:
        """The split's rows, with undecoded images.

        Raises:
            DatasetMissing: if there are none.
            DatasetError: if they lack a column.
        """
        options = self.declared
        usual = {"val": "validation"}.get(self.split, self.split)
        rows = open_rows(
            options.name,
            options.config,
            options.revision,
            options.splits.get(self.split, self.split if options.splits else usual),
            (options.image, options.label),
        )
        for column in filter(None, (options.id, options.sequence)):
            if column not in rows.column_names:
                listed = ", ".join(rows.column_names)
                raise DatasetError(f"{options.name}: no column {column!r}; it has {listed}")
        return rows

    def check(self) -> None:
        """Open the rows and read the classes."""
        if not self.knows_split():
            known = ", ".join(self.splits_of(self.options))
            raise DatasetError(f"{self.title} has no split {self.split!r}; it has {known}")
        _ = self.table
        ids = self.ids()
        if len(set(ids)) < len(ids):
            raise DatasetError(f"{self.title}: ids of column {self.declared.id!r} occur twice")

    def __len__(self) -> int:
        return len(self.rows)

    def ids(self) -> tuple[str, ...]:
        """Ids of their column, or numbers of rows."""
        return self._ids

    @cached_property
    def _ids(self) -> tuple[str, ...]:
        if self.declared.id:
            return tuple(map(str, self.rows[self.declared.id]))
        return tuple(f"{self.split}/{index:08d}" for index in range(len(self)))

    def cluster(self, index: int) -> str:
        """Return the sequence of its column, or the row's own id."""
        if not self.declared.sequence:
            return self.ids()[index]
        return self._sequences[index]

    @cached_property
    def _sequences(self) -> tuple[str, ...]:
        return tuple(map(str, self.rows[self.declared.sequence]))

    def raw(self, index: int) -> Raw:
        """Decode one row."""
        if not 0 <= index < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        row, options = self.rows[index], self.declared
        names = [
            f"{options.name}, {self.ids()[index]}, {c}" for c in (options.image, options.label)
        ]
        image = read_image(row_bytes(row, options.image, names[0]), names[0])
        stored = row_bytes(row, options.label, names[1])
        if self.classes.colours is None:
            values = read_numbers(stored, names[1])
        else:
            values = self.classes.values(read_image(stored, names[1]), names[1])
        return Raw(self.ids()[index], image, values, *names)

    def fingerprint(self) -> str:
        """Hash the content of every image and label, and what label values mean."""
        columns = (self.declared.image, self.declared.label)
        digests = [
            hashlib.blake2b(row_bytes(row, column, column).getbuffer()).hexdigest()[:32]
            for row in self.rows.select_columns(list(columns))
            for column in columns
        ]
        return fingerprint("Hub", self.meaning(), self.ids(), digests)

    def meaning(self) -> list[object]:
        """Return what stored values, or colours, mean."""
        return self.classes.meaning
