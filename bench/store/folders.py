"""The results of a suite: its manifest, and the cells that the manifest names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.errors import StoreError
from bench.core.files import DamagedFile, read_sealed, write_sealed
from bench.core.manifest import CellEntry, Manifest
from bench.core.record import Record
from bench.core.schema import fingerprint
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


def pack(folder: SuiteFolder, destination: Path, *, add: bool = False) -> None:
    """Write a suite's results into a folder of few files, without weights and pictures.

    Args:
        folder: the results.
        destination: the folder to write; what it holds is replaced.
        add: keep what is packed there and add to it, as the results of further seeds, which
            may come from another machine that has neither weights nor cells of those before.

    Raises:
        StoreError: if the suite has no manifest, or a finished cell no counts; if another
            number of the same cell is to be added.
    """
    before = SuiteFolder(destination)
    sources = [before, folder] if add and before.exists() else [folder]
    found: dict[str, tuple[Record, SuiteFolder]] = {}
    for source in sources:
        for record in source.records():
            if record.status == "ok" or record.key not in found:
                found[record.key] = (record, source)
    _refuse_twice(destination, [record for record, _ in found.values()])
    keys = dict.fromkeys(key for record, _ in found.values() for key in record.stages)
    stages = {key: _best_known([source.stage(key) for source in sources]) for key in keys}
    manifest = _joined([source.manifest() for source in sources], found)
    write_packed(
        destination,
        ((r, s.counts(r.key) if r.status == "ok" else None) for r, s in found.values()),
        (
            {"key": key, "summary": stage.summary(), "log": stage.log_lines()}
            for key, stage in stages.items()
        ),
    )
    SuiteFolder(destination).write_manifest(manifest)


def _best_known(stages: Sequence[StageFolder | PackedStage]) -> StageFolder | PackedStage:
    """Return the last of a stage's copies that says anything of it."""
    return next((stage for stage in reversed(stages) if stage.summary() is not None), stages[-1])


def _refuse_twice(destination: Path, records: Sequence[Record]) -> None:
    """Refuse numbers that say the same of one cell: they are of different versions of something.

    Raises:
        StoreError: naming the cell.
    """
    seen: dict[str, str] = {}
    for record in records:
        if (key := seen.setdefault(cell_name(record), record.key)) != record.key:
            message = f"another number of the same cell is there already ({record.cell}: {key})"
            remedy = "the suite, its data or a version changed; pack into another folder"
            raise StoreError(f"{destination}: {message}; {remedy}")


def cell_name(record: Record) -> str:
    """Return what tells a cell from the others of its suite, whatever it was computed with."""
    cell = record.cell
    names = (cell.label, cell.condition, cell.task, cell.seed, cell.sampling_seed, cell.curve)
    side, place = cell.protocol.short_side, cell.protocol.eval_at
    return fingerprint(names, cell.train_on, cell.test_on, cell.mapping, side, place, cell.limit)


def _joined(
    manifests: Sequence[Manifest], found: Mapping[str, tuple[Record, SuiteFolder]]
) -> Manifest:
    """Return the last manifest with the cells of all, and what of all of them is still missing."""
    last = manifests[-1]
    entries: dict[str, CellEntry] = {}
    for entry in (entry for manifest in manifests for entry in manifest.cells):
        if entry.key not in entries or entry.key in found:
            entries[entry.key] = entry
    done = {key for key, (record, _) in found.items() if record.status == "ok"}
    cells = [e.model_copy(update={"state": "done"}) if k in done else e for k, e in entries.items()]
    commands = dict.fromkeys(part for m in manifests for part in m.command.split("; "))
    families = {label: family for m in manifests for label, family in m.families.items()}
    return last.model_copy(
        update={"cells": tuple(cells), "command": "; ".join(commands), "families": families}
    )
