"""Splits that come from the Hugging Face Hub, or from a copy that ``datasets`` saved.

A dataset file whose data are on the Hub derives from :class:`HubDataset`; in a suite,
``options: {hub: true}`` then reads the Hub's rows in place of files under the data root, and
``options: {hub: FOLDER}`` those that ``save_to_disk`` wrote there. Label values mean the same.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from bench.core.errors import DatasetError, DatasetMissing
from bench.core.schema import Frozen, fingerprint
from bench.data.dataset import Raw
from bench.data.files.decode import read_image, read_numbers
from bench.data.files.folder import FolderDataset


class HubOptions(Frozen):
    """Where the rows are: files under the data root, the Hub, or a saved copy."""

    hub: bool | str = False
    """True: the dataset's repository on the Hub; a text: a folder that ``save_to_disk`` wrote."""


class HubSource(NamedTuple):
    """A repository on the Hub, and what is where in it."""

    repository: str
    config: str
    revision: str
    splits: dict[str, str]
    """The Hub's name of each split."""
    image: str
    """Column of the images."""
    label: str
    """Column of the label images."""


class HubDataset(FolderDataset):
    """A split in files as its authors ship it, or in rows of the Hub."""

    Options = HubOptions
    hub: ClassVar[HubSource]

    @cached_property
    def rows(self) -> Any:
        """The split's rows with undecoded images, or None where the split is in files.

        Raises:
            DatasetError: if the rows cannot be had.
        """
        assert isinstance(self.options, HubOptions)
        place = self.options.hub
        if not place:
            return None
        import datasets

        source, split = self.hub, self.hub.splits[self.split]
        try:
            if isinstance(place, str):
                loaded = datasets.load_from_disk(place)
                rows = loaded[split] if isinstance(loaded, datasets.DatasetDict) else loaded
            else:
                rows = datasets.load_dataset(
                    source.repository, source.config, split=split, revision=source.revision
                )
            for column in (source.image, source.label):
                if column not in rows.column_names:
                    raise KeyError(f"it has {', '.join(rows.column_names)}")
                rows = rows.cast_column(column, datasets.Image(decode=False))
        except (OSError, KeyError, RuntimeError, ValueError) as error:
            where = place if isinstance(place, str) else f"{source.repository} on the Hub"
            message = (
                f"{where}: no split {split!r} with the columns {source.image!r} and "
                f"{source.label!r} could be read ({' '.join(str(error).split())}); save it with "
                "datasets' save_to_disk, or set options.hub to false and give the files"
            )
            if isinstance(error, OSError):
                raise DatasetMissing({self.folders[0]: message}) from error
            raise DatasetError(message) from error
        return rows

    def check(self) -> None:
        """Open the rows, or list the files."""
        if self.rows is None:
            super().check()

    def __len__(self) -> int:
        return super().__len__() if self.rows is None else len(self.rows)

    def ids(self) -> tuple[str, ...]:
        """Ids of files, or numbers of rows."""
        if self.rows is None:
            return super().ids()
        return tuple(self._row_id(index) for index in range(len(self.rows)))

    def cluster(self, index: int) -> str:
        """Return a row's own id; rows know of no sequences."""
        return super().cluster(index) if self.rows is None else self._row_id(index)

    def _row_id(self, index: int) -> str:
        return f"{self.split}/{index:08d}"

    def files(self) -> tuple[Path, ...]:
        """Return the files of the split; rows have none."""
        return super().files() if self.rows is None else ()

    def raw(self, index: int) -> Raw:
        """Decode one row, or one pair of files."""
        if self.rows is None:
            return super().raw(index)
        if not 0 <= index < len(self.rows):
            raise IndexError(f"row {index} of {len(self.rows)}")
        row, names = self.rows[index], (self.hub.image, self.hub.label)
        image, label = (BytesIO(row[name]["bytes"]) for name in names)
        at = f"{self.hub.repository}, {self._row_id(index)}"
        image_name, label_name = (f"{at}, {name}" for name in names)
        return Raw(
            self._row_id(index),
            read_image(image, image_name),
            read_numbers(label, label_name),
            image_name,
            label_name,
        )

    def extras(self, index: int) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Return instances and depth of files; rows have none."""
        return super().extras(index) if self.rows is None else (None, None)

    def fingerprint(self) -> str:
        """Hash the content of every image and label, whatever holds it."""
        if self.rows is None:
            return super().fingerprint()
        digests = [
            hashlib.blake2b(row[name]["bytes"]).hexdigest()[:32]
            for row in self.rows.select_columns([self.hub.image, self.hub.label])
            for name in (self.hub.image, self.hub.label)
        ]
        meanings = sorted(self.encodings[self.encoding].items())
        return fingerprint(type(self).__name__, meanings, digests)
