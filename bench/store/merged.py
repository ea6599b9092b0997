"""Several suites' results read as one, for a report over all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from bench.core.manifest import CellEntry, Manifest
from bench.core.record import Record
from bench.score.counts import Counts
from bench.store.cells import Preview, StageFolder
from bench.store.folders import SuiteFolder, suite_folders
from bench.store.packed import PackedStage


class MergedFolder(SuiteFolder):
    """The records of several suites, in the order of the suites.

    A label that occurs in several of them gets its suite's name, so that rows are told
    apart. Whether numbers may stand side by side is for the report to say.
    """

    def __init__(self, folders: Sequence[SuiteFolder]) -> None:
        super().__init__(folders[0].path)
        self.folders = tuple(folders)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The suites' folders."""
        return tuple(folder.path for folder in self.folders)

    def manifest(self) -> Manifest:
        """Merge what the suites asked for."""
        manifests = [folder.manifest() for folder in self.folders]
        labels = {record.cell.label for record in self._records.values()}
        reference = manifests[0].reference
        return Manifest(
            suite=" + ".join(manifest.suite for manifest in manifests),
            question=" ".join(dict.fromkeys(" ".join(m.question.split()) for m in manifests)),
            cells=tuple(
                CellEntry(
                    key=key,
                    label=r.cell.label,
                    preset=r.cell.preset,
                    state="done",
                    curve=r.cell.curve,
                )
                for key, r in self._records.items()
            ),
            metrics=tuple(dict.fromkeys(name for m in manifests for name in m.metrics)),
            primary=manifests[0].primary,
            reference=reference if reference in labels else "",
            published=manifests[0].published,
            stand_in="; ".join(dict.fromkeys(m.stand_in for m in manifests if m.stand_in)),
            unavailable=tuple(each for m in manifests for each in m.unavailable),
            source="---\n".join(manifest.source for manifest in manifests),
            command="; ".join(manifest.command for manifest in manifests),
            references="\n".join(manifest.references for manifest in manifests),
        )

    def record(self, key: str) -> Record | None:
        """Read a cell's record, its label made unique."""
        return self._records.get(key)

    def counts(self, key: str) -> Counts:
        """Read a finished cell's per-image counts."""
        return self._found[key][1].counts(key)

    def preview(self, key: str) -> Preview | None:
        """Read a cell's stored images, or None where none were kept."""
        return self._found[key][1].preview(key)

    def stage(self, key: str) -> StageFolder | PackedStage:
        """Return the folder of a training stage, in whichever output holds it."""
        stages = [folder.stage(key) for folder in self.folders]
        return next((stage for stage in stages if stage.summary() is not None), stages[0])

    def records(self) -> Iterator[Record]:
        """Return the records of all suites in order, each cell once."""
        yield from self._records.values()

    @cached_property
    def _found(self) -> dict[str, tuple[Record, SuiteFolder]]:
        found: dict[str, tuple[Record, SuiteFolder]] = {}
        for folder in self.folders:
            for record in folder.records():
                found.setdefault(record.key, (record, folder))
        return found

    @cached_property
    def _records(self) -> dict[str, Record]:
        owners = {(record.cell.label, folder.path) for record, folder in self._found.values()}
        shared = {label for label, n in Counter(label for label, _ in owners).items() if n > 1}
        names = Counter(path.name for path in self.paths)
        records = {}
        for key, (record, folder) in self._found.items():
            if record.cell.label in shared:
                name = folder.path.name if names[folder.path.name] == 1 else str(folder.path)
                record = relabelled(record, f"{record.cell.label} ({name})")
            records[key] = record
        return records


def merge(paths: Sequence[Path]) -> SuiteFolder:
    """Open the suites at or below some folders, as one if they are several.

    Raises:
        StoreError: if a folder holds no results.
    """
    folders = [folder for path in paths for folder in suite_folders(path)]
    return folders[0] if len(folders) == 1 else MergedFolder(folders)


def relabelled(record: Record, label: str) -> Record:
    """Return a record whose method is called otherwise."""
    return record.model_copy(update={"cell": record.cell.model_copy(update={"label": label})})
