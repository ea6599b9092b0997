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

from bench import corruptions, datasets, taxonomy
from bench.dataset import Dataset, DatasetMissing, LabelSpace
from bench.discover import resolve_config
from bench.manifest import Need, Unavailable
from bench.schema import (
    CLEAN,
    Cell,
    DataRef,
    DataSpec,
    LabelMapping,
    MethodConfig,
    Record,
    Stage,
    fingerprint,
)
from bench.store import StageFolder, SuiteFolder
from bench.suite import LoadedSuite, MethodEntry, Suite, TestEntry
from bench.taxonomy import Projection, TaxonomyError
from bench.weights import digests


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
    given: Mapping[str, str]
    """By stage, the SHA-256 of the file that takes the place of its training."""

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
    space: LabelSpace
    """Of the test split."""
    projection: Projection | None = None
    """From the classes that were trained to those of the test split, where they differ."""

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
    unavailable: tuple[Unavailable, ...] = ()
    """Cells of the suite that cannot be tried, for want of data or weights."""
    stand_in: str = ""
    """What stands in for the suite's data and sizes, if something does."""

    def done(self, planned: Planned) -> Record | None:
        """Return a cell's finished record, or None if it is to be computed."""
        weights = planned.training.weights()
        record = self.folder.record(planned.key(weights)) if weights is not None else None
        return record if record is not None and record.status == "ok" else None

    def cells_of(self, training: Training) -> list[Planned]:
        """Return the cells that need a training."""
        return [planned for planned in self.cells if planned.training is training]


def make_plan(loaded: LoadedSuite, settings: Settings) -> Plan:
    """Resolve a suite into cells, and those that cannot be tried because something is missing.

    Raises:
        DatasetError: if data are there but not as they must be.
        PlanError: if nothing can be tried and no published table is to be shown, or if a
            test set has other classes than the training set, or a corruption
            needs what is not installed.
        WeightsError: if weights are given for what is no stage.
    """
    suite = loaded.suite
    for condition in suite.conditions:
        if why := corruptions.missing(condition.corruption):
            raise PlanError(f"{condition.corruption}: {why}")
    references = (*suite.train_on, *(test.reference() for test in suite.test_on))
    splits = {reference.key: _open(reference, settings.data_root) for reference in references}
    trainings: list[Training] = []
    cells: list[Planned] = []
    unavailable: list[Unavailable] = []
    for entry, seed, train_on in itertools.product(suite.methods, suite.seeds, suite.train_on):
        trained = splits[train_on.key]
        training = _training(suite, entry, train_on, trained, seed, settings)
        before = len(cells)
        lacking = (*trained.needs, *_missing_files(training.config))
        for test in suite.test_on:
            tested = splits[test.reference().key]
            space = tested.dataset.label_space
            projection = _projection(train_on, trained.dataset.label_space, test, space)
            needs = tuple(dict.fromkeys((*lacking, *tested.needs)))
            for cell in _cells(suite, training, test, settings.limit, projection is not None):
                if needs:
                    unavailable.append(Unavailable(cell=cell, needs=needs))
                else:
                    cells.append(Planned(cell, training, tested.content, space, projection))
        if len(cells) > before:
            trainings.append(training)
    if not cells and suite.paper is None:
        raise PlanError("\n".join(need.remedy for need in all_needs(unavailable)))
    folder = SuiteFolder(settings.output / suite.name)
    opened = {key: split.dataset for key, split in splits.items() if not split.needs}
    return Plan(
        *(suite, loaded.source, settings, folder, tuple(trainings), tuple(cells), opened),
        *(tuple(unavailable), loaded.stand_in),
    )


def all_needs(unavailable: Iterable[Unavailable]) -> tuple[Need, ...]:
    """List what is missing, each thing once."""
    return tuple(dict.fromkeys(need for each in unavailable for need in each.needs))


class _Split(NamedTuple):
    """A split as it was found: whole, or missing altogether."""

    dataset: Dataset
    content: str
    """Content fingerprint; empty if it is missing."""
    needs: tuple[Need, ...] = ()


def _open(reference: DataRef, root: Path | None) -> _Split:
    """Open a split and check that its files are there, if any of the dataset's are."""
    dataset_class = datasets.load_dataset_class(reference.dataset)
    options = dataset_class.Options.model_validate(reference.options)
    dataset = dataset_class(reference.split, reference.subset, root, options)
    try:
        dataset.check()
    except DatasetMissing as error:
        return _Split(dataset, "", (Need(what=str(reference), remedy=str(error)),))
    return _Split(dataset, dataset.fingerprint())


def _missing_files(config: MethodConfig) -> Iterable[Need]:
    for stage, path in config.weights.items():
        if not Path(path).is_file():
            remedy = f"{path}: no such file; `python -m bench weights convert` makes one"
            yield Need(what=f"weights of stage {stage!r}", remedy=remedy)


def _projection(
    train_on: DataRef, trained: LabelSpace, test_on: DataRef, tested: LabelSpace
) -> Projection | None:
    """Return how predictions become labels of a test set; None if they are that already.

    Raises:
        PlanError: if they cannot become such.
    """
    if trained.classes == tested.classes:
        return None
    universal = taxonomy.of_space(trained.name)
    if universal is None:
        spaces = f"{trained.name!r}; {test_on} is labelled in {tested.name!r}"
        remedy = "test on a set of the same space, or train on a mixture in a universal one"
        raise PlanError(f"{train_on} is labelled in {spaces}: {remedy}")
    try:
        return universal.to_space(tested)
    except TaxonomyError as error:
        raise PlanError(f"{test_on}: {error}") from error


def _training(
    suite: Suite,
    entry: MethodEntry,
    train_on: DataRef,
    trained: _Split,
    seed: int,
    settings: Settings,
) -> Training:
    space, train_data = trained.dataset.label_space, trained.content
    config = resolve_config(entry.adapter, entry.preset, entry.config)
    size = suite.protocol.input_size
    data = DataSpec(classes=space.classes, palette=space.palette, size=size)
    resize = suite.protocol.resize or suite.protocol.short_side
    key = fingerprint(entry.adapter, config.version, data, train_data, resize, seed)
    given = digests(entry.title, config, data)
    stages = []
    for stage in config.stages(data):
        if not set(stage.tasks) & set(suite.tasks):
            continue
        # Where a file lies changes nothing, what is in it does.
        relevant = config.settings_of(stage.name).model_dump(mode="json", exclude={"weights"})
        if digest := given.get(stage.name):
            stage = stage.model_copy(update={"steps": 0})
            key = fingerprint("stage", key, stage, relevant, digest)
        else:
            key = fingerprint("stage", key, stage, relevant)
        stages.append((stage, StageFolder(settings.output, key)))
    return Training(entry, config, data, train_on, train_data, seed, tuple(stages), given)


def _cells(
    suite: Suite, training: Training, test: TestEntry, limit: int | None, mapped: bool
) -> Iterable[Cell]:
    for task in suite.tasks:
        if task == "reconstruct" and (mapped or not training.config.reconstructs):
            continue  # no codec, or none for labels of this space
        config = training.config.model_dump(mode="json", exclude={"weights"})
        if training.given:
            config["weights"] = dict(training.given)
        corrupt = test.corrupt and task == "predict"  # labels are not corrupted
        ways = itertools.product(
            suite.all_conditions() if corrupt else (CLEAN,),
            suite.protocols(),
            mappings(suite, training.config) if mapped else ("",),
        )
        for condition, protocol, mapping in ways:
            yield Cell(
                suite=suite.name,
                method=training.entry.adapter,
                label=training.entry.title,
                preset=training.entry.preset,
                config=config,
                train_on=training.train_on,
                test_on=test.reference(),
                condition=condition,
                task=task,
                seed=training.seed,
                protocol=protocol,
                limit=limit,
                mapping=mapping,
            )


def mappings(suite: Suite, config: MethodConfig) -> tuple[LabelMapping, ...]:
    """Return those of a suite's mappings that a method has: without probabilities hard alone."""
    return tuple(m for m in suite.mappings if m == "hard" or config.gives_probabilities)


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
