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


def open_rows(place: str, config: str, revision: str, split: str, images: tuple[str, ...]) -> Any:
    """Open rows with undecoded images.

    Args:
        place: a folder that ``save_to_disk`` wrote, or else a repository on the Hub.
        config: of the repository, if it has several.
        revision: of the repository; its newest, if empty.
        split: the rows' own name of it.
        images: columns that must be there, and hold images.

    Raises:
        DatasetMissing: if there are no such rows.
        DatasetError: if they lack a column.
    """
    import datasets

    saved = Path(place).is_dir() or place.startswith(("/", ".", "~"))
    where = place if saved else f"{place} on the Hub"
    columns = " and ".join(map(repr, images))
    try:
        if saved:
            loaded = datasets.load_from_disk(str(Path(place).expanduser()))
            rows = loaded[split] if isinstance(loaded, datasets.DatasetDict) else loaded
        else:
            rows = datasets.load_dataset(
                place, config or None, split=split, revision=revision or None
            )
        for column in images:
            if column not in rows.column_names:
                raise KeyError(f"it has {', '.join(rows.column_names)}")
            rows = rows.cast_column(column, datasets.Image(decode=False))
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        message = (
            f"{where}: no split {split!r} with the columns {columns} could be read "
            f"({' '.join(str(error).split())}); save it with datasets' save_to_disk"
        )
        if isinstance(error, OSError):
            raise DatasetMissing({place: message}) from error
        raise DatasetError(message) from error
    return rows


def row_bytes(row: dict[str, Any], column: str, name: str) -> BytesIO:
    """Return the encoded image in a column of a row.

    Raises:
        DatasetError: if the column is empty there, or the file it names cannot be read.
    """
    stored = row[column] or {}
    try:
        content = stored.get("bytes") or Path(str(stored.get("path"))).read_bytes()
    except OSError as error:
        raise DatasetError(f"{name}: no image in this row; save the rows again") from error
    return BytesIO(content)


class HubDataset(FolderDataset):
    """A split in files as its authors ship it, or in rows of the Hub."""

    Options = HubOptions
    hub: ClassVar[HubSource]

    @cached_property
    def rows(self) -> Any:
        """The split's rows with undecoded images, or None where the split is in files.

        Raises:
            DatasetError: if the rows cannot be read.
        """
        assert isinstance(self.options, HubOptions)
        place = self.options.hub
        if not place:
            return None
        source, split = self.hub, self.hub.splits[self.split]
        columns = (source.image, source.label)
        try:
            if isinstance(place, str):
                return open_rows(place, "", "", split, columns)
            return open_rows(source.repository, source.config, source.revision, split, columns)
        except DatasetMissing as error:
            remedy = "or set options.hub to false and give the files"
            raise DatasetMissing({self.folders[0]: f"{error}, {remedy}"}) from error

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
        row_name = f"{self.hub.repository}, {self._row_id(index)}"
        image_name, label_name = (f"{row_name}, {name}" for name in names)
        image = row_bytes(row, names[0], image_name)
        label = row_bytes(row, names[1], label_name)
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
            hashlib.blake2b(row_bytes(row, name, name).getbuffer()).hexdigest()[:32]
            for row in self.rows.select_columns([self.hub.image, self.hub.label])
            for name in (self.hub.image, self.hub.label)
        ]
        return fingerprint(type(self).__name__, self.meaning(), digests)
