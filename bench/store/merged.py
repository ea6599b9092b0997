"""Several suites' results read as one, for a report over all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from bench.core.manifest import CellEntry, Manifest
from bench.core.record import Record
from bench.core.schema import fingerprint
from bench.score.counts import Counts
from bench.store.cells import Preview, StageFolder
from bench.store.folders import SuiteFolder, suite_folders
from bench.store.packed import PackedStage


class MergedFolder(SuiteFolder):
    """The records of several suites, in the order of the suites.

    A label that occurs in several of them gets its suite's name, so that rows are told
    apart, unless the folders hold one suite's method with other training seeds each: those are
    further seeds of one row. Whether numbers may stand side by side is for the report to say.
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
        first = manifests[0]
        is_one = all(m.suite == first.suite and m.contrasts == first.contrasts for m in manifests)
        labels = {record.cell.label for record in self._records.values()}
        reference = manifests[0].reference
        return Manifest(
            suite=" + ".join(dict.fromkeys(manifest.suite for manifest in manifests)),
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
            contrasts=first.contrasts if is_one and not self._shared else (),
            families=first.families if is_one and not self._shared else {},
            budget=first.budget if is_one else None,
            stand_in="; ".join(dict.fromkeys(m.stand_in for m in manifests if m.stand_in)),
            unavailable=tuple(each for m in manifests for each in m.unavailable),
            source="---\n".join(dict.fromkeys(manifest.source for manifest in manifests)),
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
    def _shared(self) -> set[str]:
        """Labels that stand for other things in different folders."""
        owned: dict[str, dict[Path, list[Record]]] = {}
        for record, folder in self._found.values():
            owned.setdefault(record.cell.label, {}).setdefault(folder.path, []).append(record)
        return {
            label
            for label, by_folder in owned.items()
            if len(by_folder) > 1 and not _are_seeds_of_one(list(by_folder.values()))
        }

    @cached_property
    def _records(self) -> dict[str, Record]:
        shared = self._shared
        names = Counter(path.name for path in self.paths)
        records = {}
        for key, (record, folder) in self._found.items():
            if record.cell.label in shared:
                name = folder.path.name if names[folder.path.name] == 1 else str(folder.path)
                record = relabelled(record, f"{record.cell.label} ({name})")
            records[key] = record
        return records


def _are_seeds_of_one(parts: Sequence[Sequence[Record]]) -> bool:
    """Whether records of several folders are of one suite's method, each with other seeds."""
    alike = {
        fingerprint(
            *(cell.suite, cell.method, cell.preset, cell.config, cell.train_on, cell.protocol),
            cell.limit,
        )
        for cell in (record.cell for part in parts for record in part)
        if cell.curve in (None, 1.0)  # the other points of a curve are trained for less
    }
    seeds = [seed for part in parts for seed in {record.cell.seed for record in part}]
    return len(alike) == 1 and len(seeds) == len(set(seeds))


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
