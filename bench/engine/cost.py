"""What is left to do of a plan costs: time and disk, by speeds measured before."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from bench.core.record import Record
from bench.core.schema import Protocol
from bench.core.stage import Stage
from bench.engine.plan import Plan, Planned
from bench.engine.trainings import Training
from bench.store.cells import CellStore, Glance
from bench.store.folders import SuiteFolder, suite_folders
from bench.store.packed import PackedCells


class Cost(NamedTuple):
    """What is left to do for one training and its cells, in seconds where measured."""

    label: str
    seed: int
    stages: int
    stages_missing: int
    cells: int
    cells_missing: int
    train_seconds: float | None
    evaluate_seconds: float | None
    disk_bytes: float | None


class PlanCost(NamedTuple):
    """What a plan still costs."""

    device: str
    """On which the speeds were measured; empty if none was."""
    costs: list[Cost]
    """Of each training."""


def estimate(
    plan: Plan, references: Path, here: str, glances: Mapping[str, Glance] | None = None
) -> PlanCost:
    """Estimate what a plan still costs, from what earlier runs took.

    Only what was measured of the same method, preset and image size on one device counts. That
    is this machine's, if anything was measured on it; else the one that most was measured on,
    in the store or, if that is empty, among the references. A stage that several trainings
    share is counted at the first.

    Args:
        plan: the plan.
        references: a folder of committed results, asked where the store knows nothing.
        here: name of this machine's device.
        glances: at its cells, if they were looked at already.
    """
    if glances is None:
        glances = plan.store.glances(planned.key for planned in plan.cells)
    measured = _Measured(plan.store, references, here)
    costs = []
    sizes: dict[str, int] = {}
    counted: set[str] = set()
    for training in plan.trainings:
        untrained = {f.key: s for s, f in training.stages if not f.is_finished()}
        missing = [stage for key, stage in untrained.items() if key not in counted]
        counted |= set(untrained)
        cells = plan.cells_of(training)
        todo = [planned for planned in cells if glances[planned.key].state != "done"]
        images = sum(_num_images(plan, planned, sizes) for planned in todo)
        per_image = measured.image(training, plan.suite.protocol) if todo else _NOTHING
        stages = [measured.stage(training, stage) for stage in missing]
        steps = [max(1, stage.steps) for stage in missing]
        costs.append(
            Cost(
                label=training.title,
                seed=training.seed,
                stages=len(training.stages),
                stages_missing=len(missing),
                cells=len(cells),
                cells_missing=len(todo),
                train_seconds=_total((s.seconds for s in stages), steps),
                evaluate_seconds=_total([per_image.seconds], [images]),
                disk_bytes=_total(
                    [*(s.bytes for s in stages), per_image.bytes], [1] * len(stages) + [len(todo)]
                ),
            )
        )
    return PlanCost(measured.device, costs)


def longest_first(plan: Plan, costs: Sequence[Cost]) -> list[int]:
    """Order a plan's unfinished trainings so that jobs that take one after another end together.

    The longest begin. Those whose time was never measured come before all others, the ones
    with most images to learn from first, as each might be the longest.
    """

    def length(unit: int) -> tuple[float, float]:
        cost, training = costs[unit], plan.trainings[unit]
        times = (cost.train_seconds, cost.evaluate_seconds)
        seconds = sum(inf if time is None else time for time in times)
        return seconds, sum(stage.steps * stage.batch_size for stage, _ in training.stages)

    todo = [unit for unit, cost in enumerate(costs) if cost.cells_missing]
    return sorted(todo, key=length, reverse=True)


class _Speed(NamedTuple):
    """What one step or image took, and what it left on disk; None where never measured."""

    seconds: float | None
    bytes: float | None
    device: str = ""


_NOTHING = _Speed(0.0, 0.0)


def _total(each: Iterable[float | None], times: Iterable[float]) -> float | None:
    """Sum products; None if a factor is unknown."""
    total = 0.0
    for value, count in zip(each, times, strict=True):
        if value is None:
            return None
        total += value * count
    return total


def _num_images(plan: Plan, planned: Planned, sizes: dict[str, int]) -> int:
    """Return how many images a cell has; ``sizes`` keeps what was counted."""
    if planned.test_data not in sizes:
        sizes[planned.test_data] = len(plan.datasets[planned.cell.test_on.key])
    images = sizes[planned.test_data]
    return min(images, planned.cell.limit or images)


class _Measured:
    """Speeds of earlier runs on one device: of the store, then of the references."""

    def __init__(self, store: CellStore, references: Path, here: str) -> None:
        self._speeds: dict[tuple[Any, ...], list[_Speed]] = {}
        for key in store.stage_keys():
            self._add_stage(store.stage(key).summary())
        for record in store.sample_records():
            self._add_record(record, store.size_of(record.key))
        for cells in _packed(references):
            for key in cells.stage_keys():
                self._add_stage(cells.stage(key).summary(), elsewhere=True)
            for key in cells.cell_keys():
                self._add_record(cells.record(key), None, elsewhere=True)
        self.device = self._choose(here)

    def _choose(self, here: str) -> str:
        """Return the device whose speeds count."""
        for elsewhere in (False, True):
            devices = Counter(
                speed.device
                for name, speeds in self._speeds.items()
                for speed in speeds
                if name[0] == elsewhere
            )
            if here in devices:
                return here
            if devices:
                return devices.most_common(1)[0][0]
        return ""

    def _add_stage(self, summary: dict[str, Any] | None, *, elsewhere: bool = False) -> None:
        if summary is None:
            return
        steps = max(1, summary["stage"]["steps"])
        device = summary["provenance"]["device"]
        speed = _Speed(summary["seconds"] / steps, summary["weights_bytes"], device)
        where = (
            summary["method"],
            summary["preset"],
            summary["stage"]["name"],
            tuple(summary["size"]),
        )
        self._speeds.setdefault((elsewhere, "stage", *map(str, where)), []).append(speed)

    def _add_record(
        self, record: Record | None, size: int | None, *, elsewhere: bool = False
    ) -> None:
        if record is None or record.status != "ok" or record.provenance is None:
            return
        cell = record.cell
        seconds = record.evaluate_seconds / max(1, len(record.image_ids))
        speed = _Speed(seconds, size, record.provenance.device)
        where = (cell.method, cell.preset, _size(cell.protocol))
        self._speeds.setdefault((elsewhere, "image", *map(str, where)), []).append(speed)

    def stage(self, training: Training, stage: Stage) -> _Speed:
        """Return what a step of a stage takes, and the bytes of its weights."""
        entry = training.entry
        return self._median("stage", entry.adapter, entry.preset, stage.name, training.data.size)

    def image(self, training: Training, protocol: Protocol) -> _Speed:
        """Return what an image takes at evaluation, and the bytes of a cell."""
        return self._median("image", training.entry.adapter, training.entry.preset, _size(protocol))

    def _median(self, kind: str, *where: Any) -> _Speed:
        name = (kind, *map(str, where))
        speeds = self._here(False, name) or self._here(True, name)
        if not speeds:
            return _Speed(None, None)
        sizes = [speed.bytes for speed in speeds if speed.bytes is not None]
        return _Speed(
            statistics.median(speed.seconds for speed in speeds if speed.seconds is not None),
            statistics.fmean(sizes) if sizes else None,
        )

    def _here(self, elsewhere: bool, name: tuple[str, ...]) -> list[_Speed]:
        speeds = self._speeds.get((elsewhere, *name), [])
        return [speed for speed in speeds if speed.device == self.device]


def _size(protocol: Protocol) -> tuple[Any, ...]:
    return protocol.resize, protocol.short_side, protocol.crop


def _packed(references: Path) -> Iterator[PackedCells]:
    """Yield the packed results below a folder; none if there are none."""
    folders: list[SuiteFolder] = (
        suite_folders(references) if any(references.rglob("suite.json")) else []
    )
    for folder in folders:
        if isinstance(folder.cells, PackedCells):
            yield folder.cells
