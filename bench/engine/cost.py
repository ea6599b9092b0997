"""What is left to do of a plan costs: time and disk, by speeds measured before."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any, NamedTuple

from bench.core.schema import Record, Stage
from bench.engine.plan import Plan, Planned
from bench.store.folders import StageFolder, SuiteFolder
from bench.suite.model import MethodEntry


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


def estimate(plan: Plan, references: Path) -> list[Cost]:
    """Estimate what a plan still costs, from speeds measured in earlier runs.

    A stage that several trainings share is counted at the first.

    Args:
        plan: the plan.
        references: a folder of committed results, asked where the store has no speed.
    """
    speeds = _Speeds([plan.settings.output, references])
    costs = []
    counted: set[str] = set()
    for training in plan.trainings:
        untrained = {f.key: stage for stage, f in training.stages if f.summary() is None}
        missing = [stage for key, stage in untrained.items() if key not in counted]
        counted |= set(untrained)
        cells = plan.cells_of(training)
        todo = [p for p in cells if plan.done(p) is None]
        images = sum(_num_images(plan, p) for p in todo)
        per_image = speeds.per_image(training.entry) if todo else 0.0
        costs.append(
            Cost(
                label=training.entry.title,
                seed=training.seed,
                stages=len(training.stages),
                stages_missing=len(missing),
                cells=len(cells),
                cells_missing=len(todo),
                train_seconds=speeds.training(training.entry.adapter, missing),
                evaluate_seconds=None if per_image is None else per_image * images,
            )
        )
    return costs


def _num_images(plan: Plan, planned: Planned) -> int:
    images = len(plan.datasets[planned.cell.test_on.key])
    return min(images, planned.cell.limit or images)


class _Speeds:
    """Measured seconds a step and seconds an image, by method."""

    def __init__(self, outputs: list[Path]) -> None:
        self._steps: dict[tuple[str, str], list[float]] = {}
        self._images: dict[tuple[str, str], list[float]] = {}
        for output in outputs:
            for path in sorted(output.glob("**/stages/*/stage.json")):
                self._read_stage(StageFolder(path.parents[2], path.parent.name))
            for path in sorted(output.glob("**/records/*.json")):
                self._read_record(SuiteFolder(path.parents[1]).record(path.stem))

    def _read_stage(self, folder: StageFolder) -> None:
        summary: Any = folder.summary()
        stage = Stage.model_validate(summary["stage"])
        speed = summary["seconds"] / max(1, stage.steps)
        self._steps.setdefault((summary["method"], stage.name), []).append(speed)

    def _read_record(self, record: Record | None) -> None:
        if record is not None and record.status == "ok":
            key = (record.cell.method, record.cell.preset)
            speed = record.evaluate_seconds / max(1, len(record.image_ids))
            self._images.setdefault(key, []).append(speed)

    def training(self, method: str, stages: list[Stage]) -> float | None:
        """Return the seconds of some stages, or None if one was never measured."""
        total = 0.0
        for stage in stages:
            measured = self._steps.get((method, stage.name))
            if measured is None:
                return None
            total += statistics.median(measured) * max(1, stage.steps)
        return total

    def per_image(self, entry: MethodEntry) -> float | None:
        """Return the seconds an image, or None if never measured."""
        measured = self._images.get((entry.adapter, entry.preset))
        return None if measured is None else statistics.median(measured)


def disk_bytes(plan: Plan, references: Path) -> int | None:
    """Estimate the bytes that the missing cells and stages will take, or None if unknown."""
    outputs = [plan.settings.output, references]
    records = [path for output in outputs for path in output.glob("**/records/*.json")]
    arrays = [path for output in outputs for path in output.glob("**/counts/*.npz")]
    missing = sum(plan.done(planned) is None for planned in plan.cells)
    if missing and not (records and arrays):
        return None
    cell = sum(
        statistics.fmean(p.stat().st_size for p in kind) for kind in (records, arrays) if kind
    )
    return round(missing * cell)
