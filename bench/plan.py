"""A suite and a store -> what is done, what to train, what to evaluate, what it costs.

Nothing here builds a method or opens an image, so a plan takes a moment and a second
run of a finished suite ends at once.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench import corruptions, datasets
from bench.dataset import Dataset, LabelSpace
from bench.discover import resolve_config
from bench.schema import (
    CLEAN,
    Cell,
    DataRef,
    DataSpec,
    MethodConfig,
    Record,
    Stage,
    fingerprint,
)
from bench.store import StageFolder, SuiteFolder
from bench.suite import LoadedSuite, MethodEntry, Suite, TestEntry


class PlanError(Exception):
    """A valid suite that cannot be run on these data."""


class Settings(NamedTuple):
    """What the command line says beside the suite."""

    output: Path
    data_root: Path | None = None
    limit: int | None = None
    command: str = ""


class Training(NamedTuple):
    """One method trained on one set with one seed."""

    entry: MethodEntry
    config: MethodConfig
    data: DataSpec
    train_on: DataRef
    train_data: str
    seed: int
    stages: tuple[tuple[Stage, StageFolder], ...]

    def weights(self) -> tuple[str, ...] | None:
        """Return the digest of every stage's weights, or None if a stage is missing."""
        summaries = [folder.summary() for _, folder in self.stages]
        if any(summary is None for summary in summaries):
            return None
        return tuple(str(summary["weights"]) for summary in summaries if summary)


class Planned(NamedTuple):
    """A cell, the training behind it, and its record if it is done."""

    cell: Cell
    training: Training
    test_data: str
    """Content fingerprint of the test split."""

    def key(self, weights: tuple[str, ...] | None = None) -> str:
        """Return the name of the cell's record; without its weights, of its failure."""
        version = 0 if self.cell.condition == CLEAN else corruptions.VERSION
        return fingerprint(
            "cell", self.cell, self.training.config.version, self.test_data, version, weights
        )


class Plan(NamedTuple):
    """The cells of a suite in order, and the folder of their records."""

    suite: Suite
    source: str
    settings: Settings
    folder: SuiteFolder
    trainings: tuple[Training, ...]
    cells: tuple[Planned, ...]
    datasets: Mapping[str, Dataset]
    """Every split in use, by the key of its reference."""

    def done(self, planned: Planned) -> Record | None:
        """Return a cell's finished record, or None if it is to be computed."""
        weights = planned.training.weights()
        record = self.folder.record(planned.key(weights)) if weights is not None else None
        return record if record is not None and record.status == "ok" else None

    def cells_of(self, training: Training) -> list[Planned]:
        """Return the cells that need a training."""
        return [planned for planned in self.cells if planned.training is training]


def make_plan(loaded: LoadedSuite, settings: Settings) -> Plan:
    """Resolve a suite into cells.

    Raises:
        DatasetError: if data are missing.
        PlanError: if a test set has other classes than the training set, or a corruption
            needs what is not installed.
    """
    suite = loaded.suite
    for entry in suite.conditions:
        if lacking := corruptions.missing(entry.corruption):
            raise PlanError(f"{entry.corruption}: {lacking}")
    references = (*suite.train_on, *(test.reference() for test in suite.test_on))
    opened = {reference.key: _open(reference, settings.data_root) for reference in references}
    content = {key: dataset.fingerprint() for key, dataset in opened.items()}
    trainings: list[Training] = []
    cells: list[Planned] = []
    for method, seed, train_on in itertools.product(suite.methods, suite.seeds, suite.train_on):
        space = opened[train_on.key].label_space
        training = _training(suite, method, train_on, space, content[train_on.key], seed, settings)
        trainings.append(training)
        for test in suite.test_on:
            key = test.reference().key
            _same_classes(train_on, space, test, opened[key].label_space)
            cells += [
                Planned(cell, training, content[key])
                for cell in _cells(suite, training, test, settings.limit)
            ]
    folder = SuiteFolder(settings.output / suite.name)
    return Plan(suite, loaded.source, settings, folder, tuple(trainings), tuple(cells), opened)


def _open(reference: DataRef, root: Path | None) -> Dataset:
    """Open a split and check that its files are there."""
    dataset_class = datasets.load_dataset_class(reference.dataset)
    options = dataset_class.Options.model_validate(reference.options)
    dataset = dataset_class(reference.split, reference.subset, root, options)
    dataset.check()
    return dataset


def _same_classes(
    train_on: DataRef, trained: LabelSpace, test_on: DataRef, tested: LabelSpace
) -> None:
    if trained.classes != tested.classes:
        spaces = f"{trained.name!r}; {test_on} is labelled in {tested.name!r}"
        raise PlanError(f"{train_on} is labelled in {spaces}: test on a set of the same space")


def _training(
    suite: Suite,
    entry: MethodEntry,
    train_on: DataRef,
    space: LabelSpace,
    train_data: str,
    seed: int,
    settings: Settings,
) -> Training:
    config = resolve_config(entry.adapter, entry.preset, entry.config)
    size = suite.protocol.input_size
    data = DataSpec(classes=space.classes, palette=space.palette, size=size)
    key = fingerprint(entry.adapter, config.version, data, train_data, suite.protocol.resize, seed)
    stages = []
    for stage in config.stages(data):
        key = fingerprint("stage", key, stage, config.settings_of(stage.name))
        stages.append((stage, StageFolder(settings.output, key)))
    return Training(entry, config, data, train_on, train_data, seed, tuple(stages))


def _cells(suite: Suite, training: Training, test: TestEntry, limit: int | None) -> Iterable[Cell]:
    for task in suite.tasks:
        if task == "reconstruct" and not training.config.reconstructs:
            continue  # no codec, no ceiling
        corrupt = test.corrupt and task == "predict"  # labels are not corrupted
        conditions = suite.all_conditions() if corrupt else (CLEAN,)
        for condition, sampling_seed in itertools.product(conditions, suite.sampling_seeds):
            yield Cell(
                suite=suite.name,
                method=training.entry.adapter,
                label=training.entry.title,
                preset=training.entry.preset,
                config=training.config.model_dump(mode="json"),
                train_on=training.train_on,
                test_on=test.reference(),
                condition=condition,
                task=task,
                seed=training.seed,
                protocol=suite.protocol,
                limit=limit,
                sampling_seed=sampling_seed,
            )


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

    Args:
        plan: the plan.
        references: a folder of committed results, asked where the store has no speed.
    """
    speeds = _Speeds([plan.settings.output, references])
    costs = []
    for training in plan.trainings:
        missing = [stage for stage, folder in training.stages if folder.summary() is None]
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
