"""A suite and a store -> what is done, what to train, what to evaluate, what it costs.

Nothing here builds a method or opens an image, so a plan takes a moment and a second
run of a finished suite ends at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from bench import corruptions
from bench.core.config import MethodConfig
from bench.core.errors import DatasetError, DatasetMissing, PlanError, TaxonomyError
from bench.core.manifest import Need, Unavailable
from bench.core.registry import resolve_config
from bench.core.schema import CLEAN, Cell, Condition, DataRef, DataSpec, LabelMapping, Task
from bench.core.stage import Stage
from bench.data import datasets, taxonomy
from bench.data.dataset import Dataset, LabelSpace
from bench.data.taxonomy import Projection
from bench.engine.evaluation.inputs import folder_of
from bench.engine.keys import cell_key, first_key, method_identity, stage_key
from bench.engine.training.weights import content_digests, digests
from bench.store.cells import CellStore, StageFolder
from bench.store.folders import SuiteFolder
from bench.suite.model import MethodEntry, Suite, TestEntry
from bench.suite.reading import LoadedSuite


class Settings(NamedTuple):
    """What the command line says beside the suite."""

    output: Path
    data_root: Path | None = None
    limit: int | None = None
    command: str = ""
    processes: int = 1
    """Processes that train together, as ``torchrun`` starts them."""
    started: str = ""
    """When the run began, ISO 8601 in UTC: cells that failed before are tried again."""


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
    """Per stage, the SHA-256 of the file that takes the place of its training."""
    started: Mapping[str, str]
    """Per stage, the SHA-256 of the file that its training starts from."""
    content: Mapping[str, str] = {}
    """By the field that names files, the digest of what is in them (``MethodConfig.files``)."""

    def is_finished(self) -> bool:
        """Whether every stage has its weights."""
        return all(folder.is_finished() for _, folder in self.stages)


class Planned(NamedTuple):
    """A cell, the training behind it, and its record if it is done."""

    cell: Cell
    training: Training
    test_data: str
    """Content fingerprint of the test split."""
    space: LabelSpace
    """Of the test split."""
    key: str
    projection: Projection | None = None
    """From the classes that were trained to those of the test split, where they differ."""


class Plan(NamedTuple):
    """The cells of a suite in order, and the folder of their records."""

    suite: Suite
    source: str
    settings: Settings
    folder: SuiteFolder
    trainings: tuple[Training, ...]
    by_training: tuple[list[Planned], ...]
    """The cells of each training, in order."""
    datasets: Mapping[str, Dataset]
    """Every split in use, by the key of its reference."""
    unavailable: tuple[Unavailable, ...] = ()
    """Cells of the suite that cannot be tried, because data or weights are missing."""
    stand_in: str = ""
    """What stands in for the suite's data and sizes, if something does."""

    @property
    def cells(self) -> tuple[Planned, ...]:
        """All cells, in the suite's order."""
        return tuple(itertools.chain.from_iterable(self.by_training))

    @property
    def store(self) -> CellStore:
        """Where cells and stages are kept."""
        return CellStore(self.settings.output)

    def groups_of(self, training: Training) -> dict[str, list[Planned]]:
        """Return the cells that need a training, those of one prediction together, by name."""
        groups: dict[tuple[str, ...], list[Planned]] = {}
        for planned in self.cells_of(training):
            cell = planned.cell
            protocol = cell.protocol.model_copy(update={"eval_at": ""})
            parts = (cell.test_on, cell.condition, cell.mapping, cell.sampling_seed, protocol)
            groups.setdefault((cell.task, *map(repr, parts)), []).append(planned)
        return {f"cells-{group[0].key}": group for group in groups.values()}

    def cells_of(self, training: Training) -> list[Planned]:
        """Return the cells that need a training."""
        return self.by_training[self.trainings.index(training)]


def make_plan(loaded: LoadedSuite, settings: Settings) -> Plan:
    """Resolve a suite into cells, and those that cannot be tried because something is missing.

    Raises:
        DatasetError: if data are there but not as they must be.
        BenchError: what a method's ``Config.check`` finds wrong with its files.
        PlanError: if a test set has other classes than the training set, a corruption needs
            what is not installed, or a method can do none of the tasks.
        WeightsError: if weights are given for what is no stage.
    """
    suite = loaded.suite
    for name in dict.fromkeys(condition.corruption for condition in suite.all_conditions()):
        if why := corruptions.missing(name):
            raise PlanError(f"{name}: {why}")
    splits = _open_all(suite, settings.data_root)
    trainings: list[Training] = []
    by_training: list[list[Planned]] = []
    unavailable: list[Unavailable] = []
    for entry, seed, train_on in itertools.product(suite.methods, suite.seeds, suite.train_on):
        training = _training(suite, entry, train_on, splits[train_on.key], seed, settings)
        found = list(_resolved(suite, training, splits, settings.limit))
        ready = [each for each in found if isinstance(each, Planned)]
        if not found:
            raise PlanError(_nothing_to_do(suite, training))
        if by_training:  # of the truth itself, which needs no method, the first one's are enough
            ready = [planned for planned in ready if planned.cell.task != "label"]
        if ready:
            trainings.append(training)
            by_training.append(ready)
        unavailable += [each for each in found if isinstance(each, Unavailable)]
    folder = SuiteFolder(settings.output / suite.name)
    opened = {key: split.dataset for key, split in splits.items() if not split.needs}
    return Plan(
        *(suite, loaded.source, settings, folder, tuple(trainings), tuple(by_training), opened),
        *(tuple(unavailable), loaded.stand_in),
    )


def _resolved(
    suite: Suite, training: Training, splits: Mapping[str, _OpenedSplit], limit: int | None
) -> Iterable[Planned | Unavailable]:
    """Yield the cells that need a training: ready, or with what they lack."""
    trained = splits[training.train_on.key]
    # A method without stages learns nothing here, and needs no images to learn from.
    to_learn = trained.needs if training.stages else ()
    lacking = (*to_learn, *_missing_files(training.config), *_needs(training.config))
    identity = method_identity(training.entry.adapter, training.config)
    stages = tuple(folder.key for _, folder in training.stages)
    for test in suite.tests_of(training.train_on):
        tested = splits[test.reference().key]
        space = tested.space
        projection = None
        if space is not None and trained.space is not None:
            projection = _projection(training.train_on, trained.space, test, space)
        for cell in _cells(suite, training, test, limit, projection is not None):
            own = (*lacking, *_needs(training.config, cell))
            needs = tuple(dict.fromkeys((*own, *tested.needs)))
            if needs or space is None:
                optional = test.optional and not own
                yield Unavailable(cell=cell, needs=needs, optional=optional)
            else:
                key = cell_key(cell, identity, stages, tested.content)
                yield Planned(cell, training, tested.content, space, key, projection)


def _nothing_to_do(suite: Suite, training: Training) -> str:
    message = f"{training.entry.title} has nothing to do in tasks {list(suite.tasks)}"
    return f"{message}: the method {training.entry.adapter} has {list(training.config.role.tasks)}"


def all_needs(unavailable: Iterable[Unavailable]) -> tuple[Need, ...]:
    """List what is missing, each thing once."""
    return tuple(dict.fromkeys(need for each in unavailable for need in each.needs))


class _OpenedSplit(NamedTuple):
    """A split as it was found: whole, or missing altogether."""

    dataset: Dataset
    space: LabelSpace | None
    """None if it is missing together with the list of its classes."""
    content: str
    """Content fingerprint; empty if it is missing."""
    needs: tuple[Need, ...] = ()


def _open_all(suite: Suite, root: Path | None) -> dict[str, _OpenedSplit]:
    """Open every split that a suite names, by the key of its reference."""
    needed = (*suite.train_on, *(t.reference() for t in suite.test_on if not t.optional))
    splits = {reference.key: _open(reference, root) for reference in needed}
    for test in suite.test_on:
        reference = test.reference()
        if reference.key not in splits:
            splits[reference.key] = _open(reference, root, optional=True)
    return splits


def _open(reference: DataRef, root: Path | None, optional: bool = False) -> _OpenedSplit:
    """Open a split and check that its files are there, if any of the dataset's are.

    An optional one whose files are wrong is left out, as if they were missing.
    """
    dataset_class = datasets.load_dataset_class(reference.dataset)
    options = dataset_class.Options.model_validate(reference.options)
    dataset = dataset_class(reference.split, reference.subset, root, options)
    try:
        dataset.check()
        return _OpenedSplit(dataset, dataset.label_space, dataset.fingerprint())
    except DatasetMissing as error:
        remedies: Mapping[str, str] = error.remedies
    except DatasetError as error:
        if not optional:
            raise
        remedies = {str(reference): str(error)}
    needs = tuple(Need(what=name, remedy=remedy) for name, remedy in remedies.items())
    try:
        return _OpenedSplit(dataset, dataset.label_space, "", needs)
    except DatasetError:  # its classes are in a file that is missing too
        return _OpenedSplit(dataset, None, "", needs)


def _missing_files(config: MethodConfig) -> Iterable[Need]:
    for stage, path in config.weights.items():
        if not Path(path).is_file():
            remedy = f"{path}: no such file; `python -m bench weights convert` makes one"
            yield Need(what=f"weights of stage {stage!r}", remedy=remedy)
    for stage, path in config.initialise.items():
        if not Path(path).is_file():
            remedy = f"{path}: no such file; give one, or leave initialise out"
            yield Need(what=f"weights that stage {stage!r} starts from", remedy=remedy)


def _needs(config: MethodConfig, cell: Cell | None = None) -> tuple[Need, ...]:
    """Return what a method says is not here: for any images, or for those of a cell."""
    if cell is not None and cell.task != "predict":
        return ()
    found = config.needs() if cell is None else config.needs(folder_of(cell))
    return tuple(Need(what=what, remedy=remedy) for what, remedy in found)


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
    trained: _OpenedSplit,
    seed: int,
    settings: Settings,
) -> Training:
    if trained.space is None:
        raise DatasetMissing({need.what: need.remedy for need in trained.needs})
    space, train_data = trained.space, trained.content
    config = resolve_config(entry.adapter, entry.preset, entry.config)
    size = suite.protocol.input_size
    data = DataSpec(classes=space.classes, palette=space.palette, size=size)
    key = first_key(entry.adapter, config, data, train_data, suite.protocol, seed)
    given = digests(entry.title, "weights", config.weights, config, data)
    started = digests(entry.title, "initialise", config.initialise, config, data)
    content: Mapping[str, str] = {}
    if not config.needs():
        config.check(data)
        content = content_digests(config)
    stages = []
    for stage in config.stages(data):
        if not set(stage.tasks) & set(suite.tasks):
            continue
        if stage.name in given:
            stage = stage.model_copy(update={"steps": 0})
        files = given.get(stage.name, ""), started.get(stage.name, "")
        key = stage_key(key, stage, config, content, *files, settings.processes)
        stages.append((stage, StageFolder(settings.output, key)))
    return Training(
        *(entry, config, data, train_on, train_data, seed),
        *(tuple(stages), given, started, content),
    )


def _cells(
    suite: Suite, training: Training, test: TestEntry, limit: int | None, mapped: bool
) -> Iterable[Cell]:
    for task in suite.tasks:
        if task != "predict" and mapped:
            continue  # labels of another space than the codec's
        config = training.config.model_dump(mode="json", exclude={"weights", "initialise"})
        config.update(training.content)
        files = {"weights": training.given, "initialise": training.started}
        config |= {name: dict(digests) for name, digests in files.items() if digests}
        ways = itertools.product(
            _conditions(suite, training.config, test, task),
            suite.protocols(),
            mappings(suite, training) if mapped else ("",),
            suite.sampling_seeds[:1] if task == "label" else suite.sampling_seeds,
        )
        for condition, protocol, mapping, sampling_seed in ways:
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
                sampling_seed=sampling_seed,
            )


def _conditions(suite: Suite, config: MethodConfig, test: TestEntry, task: Task) -> list[Condition]:
    """Return the conditions of a method's task: images are corrupted, latents perturbed."""
    if task != "label" and task not in config.role.tasks:
        return []
    if task in ("oracle_codes", "label"):
        return [CLEAN]
    suffered = corruptions.NAMES if task == "predict" else config.perturbations()
    found = [c for c in suite.all_conditions() if c == CLEAN or c.corruption in suffered]
    return found if test.corrupt else [CLEAN]


def mappings(suite: Suite, training: Training) -> tuple[LabelMapping, ...]:
    """Return those of a suite's mappings that a method has: without probabilities hard alone.

    Raises:
        PlanError: if there is none.
    """
    soft = training.config.gives_probabilities
    found = tuple(mapping for mapping in suite.mappings if mapping == "hard" or soft)
    if not found:
        message = f"{training.entry.title} gives no class probabilities to be mapped softly"
        raise PlanError(f"{message}; add hard to mappings")
    return found
