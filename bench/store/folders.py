"""The results of a suite: its manifest, and the cells that the manifest names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.errors import StoreError
from bench.core.files import DamagedFile, read_sealed, write_sealed
from bench.core.manifest import CellEntry, Manifest
from bench.core.record import Record
from bench.store.cells import CellStore, Preview, StageFolder
from bench.store.packed import RECORDS, PackedCells, PackedStage, write_packed

if TYPE_CHECKING:
    from bench.score.counts import Counts

MANIFEST = "suite.json"


class SuiteFolder:
    """The results of one suite; cells are called what the suite calls them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def paths(self) -> tuple[Path, ...]:
        """The folders that results are read from."""
        return (self.path,)

    @cached_property
    def cells(self) -> CellStore | PackedCells:
        """Where the cells are: in the store around the folder, or packed within it."""
        packed = (self.path / RECORDS).exists()
        return PackedCells(self.path) if packed else CellStore(self.path.parent)

    def stage(self, key: str) -> StageFolder | PackedStage:
        """Return a training stage behind a cell."""
        return self.cells.stage(key)

    def manifest(self) -> Manifest:
        """Read what the suite consists of.

        Raises:
            StoreError: if there is no manifest, or it is damaged.
        """
        path = self.path / MANIFEST
        try:
            return Manifest.model_validate_json(read_sealed(path))
        except FileNotFoundError as error:
            raise StoreError(f"{path}: no such file; `python -m bench run` writes it") from error
        except DamagedFile as error:
            raise StoreError(f"{error}; `python -m bench plan` writes it again") from error

    def exists(self) -> bool:
        """Whether a run has left its manifest."""
        return (self.path / MANIFEST).exists()

    def write_manifest(self, manifest: Manifest) -> None:
        """Write what the suite consists of."""
        write_sealed(self.path / MANIFEST, manifest.model_dump_json())

    def record(self, key: str) -> Record | None:
        """Read a cell's record as the suite presents it, or None if there is none."""
        manifest = self.manifest()
        entry = next((entry for entry in manifest.cells if entry.key == key), None)
        record = self.cells.record(key)
        if record is None or entry is None:
            return record
        return presented(record, entry, manifest)

    def counts(self, key: str) -> Counts:
        """Read a finished cell's per-image counts.

        Raises:
            StoreError: if they are missing or damaged.
        """
        return self.cells.counts(self._stored(key))

    def preview(self, key: str) -> Preview | None:
        """Read a cell's stored images, or None where none were kept."""
        return self.cells.preview(self._stored(key))

    def records(self) -> Iterator[Record]:
        """Read the records in the suite's order, missing ones left out."""
        manifest = self.manifest()
        for entry in manifest.cells:
            record = self.cells.record(entry.key)
            if record is not None:
                yield presented(record, entry, manifest)

    def _stored(self, key: str) -> Record:
        record = self.cells.record(key)
        if record is None:
            raise StoreError(f"{self.path}: no record of the cell {key}; run the suite again")
        return record


def presented(record: Record, entry: CellEntry, manifest: Manifest) -> Record:
    """Return a record with the names that a suite has for it, and the scores it asks for."""
    protocol = record.cell.protocol.model_copy(update={"metrics": manifest.metrics})
    names = {"suite": manifest.suite, "label": entry.label, "preset": entry.preset}
    cell = record.cell.model_copy(update={**names, "protocol": protocol, "curve": entry.curve})
    return record.model_copy(update={"cell": cell})


def suite_folders(path: Path) -> list[SuiteFolder]:
    """Find the suites below a folder (or the folder itself), in order of their names.

    Raises:
        StoreError: if there is none.
    """
    folders = sorted(manifest.parent for manifest in path.rglob(MANIFEST))
    if not folders:
        raise StoreError(f"{path}: no results here (no {MANIFEST} at or below it)")
    return [SuiteFolder(folder) for folder in folders]


def pack(folder: SuiteFolder, destination: Path) -> None:
    """Write a suite's results into a folder of few files, without weights and pictures.

    Raises:
        StoreError: if the suite has no manifest, or a finished cell no counts.
    """
    manifest = folder.manifest()
    records = list(folder.records())
    keys = dict.fromkeys(key for record in records for key in record.stages)
    stages = (folder.stage(key) for key in keys)
    write_packed(
        destination,
        ((r, folder.counts(r.key) if r.status == "ok" else None) for r in records),
        (
            {"key": key, "summary": stage.summary(), "log": stage.log_lines()}
            for key, stage in zip(keys, stages, strict=True)
        ),
    )
    SuiteFolder(destination).write_manifest(manifest)
