"""A suite and a store -> what is done, what to train, what to evaluate, what it costs.

Nothing here builds a method or opens an image, so a plan takes a moment and a second
run of a finished suite ends at once. Only a suite with a budget has a step of each stage
counted, once.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from bench import corruptions
from bench.core.config import MethodConfig
from bench.core.errors import PlanError, TaxonomyError
from bench.core.manifest import Need, Unavailable
from bench.core.schema import CLEAN, Cell, Condition, DataRef, LabelMapping, Task
from bench.data import taxonomy
from bench.data.dataset import Dataset, LabelSpace
from bench.data.opening import OpenedSplit, open_splits
from bench.data.taxonomy import Projection
from bench.engine.evaluation.inputs import folder_of
from bench.engine.keys import cell_key, method_identity, model_part
from bench.engine.trainings import Training, Where, all_trainings
from bench.store.cells import CellStore
from bench.store.folders import SuiteFolder
from bench.suite.model import Suite, TestEntry
from bench.suite.reading import LoadedSuite


class Settings(NamedTuple):
    """What the command line says beside the suite."""

    output: Path
    data_root: Path | None = None
    limit: int | None = None
    command: str = ""
    processes: int = 1
    """Processes that train together, as ``torchrun`` starts them."""
    workers: int = 0
    """Processes that load images beside each process that computes."""
    tracker: str = ""
    """Of Accelerate, that losses go to beside the log of each stage."""
    started: str = ""
    """When the run began, ISO 8601 in UTC: cells that failed before are tried again."""


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
        same = (t is training for t in self.trainings)  # comparing them would take long
        return self.by_training[list(same).index(True)]


def make_plan(loaded: LoadedSuite, settings: Settings) -> Plan:
    """Resolve a suite into cells, and those that cannot be tried because something is missing.

    Raises:
        DatasetError: if data are there but not as they must be.
        BenchError: what a method's ``Config.check`` finds wrong with its files.
        PlanError: if a test set has other classes than the training set, or a method can do none
            of the tasks.
        WeightsError: if weights are given for what is no stage.
    """
    suite = loaded.suite
    splits = open_splits(*_references(suite), settings.data_root)
    trainings: list[Training] = []
    by_training: list[list[Planned]] = []
    unavailable: list[Unavailable] = []
    for training in all_trainings(suite, splits, Where(settings.output, settings.processes)):
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


def _references(suite: Suite) -> tuple[list[DataRef], list[DataRef]]:
    """Return the splits that a suite needs, and those that it can do without."""
    held_out = map(suite.held_out_of, suite.training_sets if suite.curve else ())
    tested = {
        optional: [t.reference() for t in suite.test_on if t.optional == optional]
        for optional in (False, True)
    }
    return [*suite.training_sets, *held_out, *tested[False]], tested[True]


def _resolved(
    suite: Suite, training: Training, splits: Mapping[str, OpenedSplit], limit: int | None
) -> Iterable[Planned | Unavailable]:
    """Yield the cells that need a training: ready, or with what they lack."""
    trained = splits[training.train_on.key]
    # A method without stages learns nothing here, and needs no images to learn from.
    to_learn = trained.needs if training.stages else ()
    lacking = (*to_learn, *_missing_files(training.config), *_needs(training.config))
    identity = method_identity(training.entry.adapter, training.config)
    stages = tuple(folder.key for _, folder in training.stages)
    model = ""
    for test in _tests(suite, training):
        tested = splits[test.reference().key]
        space = tested.space
        projection = None
        if space is not None and trained.space is not None:
            projection = _projection(training.train_on, trained.space, test, space)
        for cell in _cells(suite, training, test, limit, projection is not None):
            model = model or model_part(cell.method, identity, cell.config, stages)
            own = (*lacking, *_needs(training.config, cell), *_not_installed(cell))
            needs = tuple(dict.fromkeys((*own, *tested.needs)))
            if needs or space is None:
                optional = test.optional and not own
                yield Unavailable(cell=cell, needs=needs, optional=optional)
            else:
                key = cell_key(cell, model, tested.content)
                yield Planned(cell, training, tested.content, space, key, projection)


def _nothing_to_do(suite: Suite, training: Training) -> str:
    message = f"{training.entry.title} has nothing to do in tasks {list(suite.tasks)}"
    return f"{message}: the method {training.entry.adapter} has {list(training.config.role.tasks)}"


def all_needs(unavailable: Iterable[Unavailable]) -> tuple[Need, ...]:
    """List what is missing, each thing once."""
    return tuple(dict.fromkeys(need for each in unavailable for need in each.needs))


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
    if type(config).needs is MethodConfig.needs or (cell and cell.task != "predict"):
        return ()
    found = config.needs() if cell is None else config.needs(folder_of(cell))
    return tuple(Need(what=what, remedy=remedy) for what, remedy in found)


def _not_installed(cell: Cell) -> Iterable[Need]:
    """Return what a cell's corruption needs that is not installed."""
    name = cell.condition.corruption
    if remedy := corruptions.missing(name):
        yield Need(what=f"corruption {name}", remedy=remedy)


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


def _tests(suite: Suite, training: Training) -> Iterator[TestEntry]:
    """Yield what a training is tested on, the held-out images of a curve last."""
    if training.curve is None:
        yield from suite.tests_of(training.train_on)
    first = training.seed == suite.seeds_of(training.entry)[0]
    if suite.curve and training.step_flops and first:
        yield _HeldOut.model_validate(suite.held_out_of(training.train_on).model_dump())


class _HeldOut(TestEntry):
    """Images on which a point of a learning curve is scored."""


def _cells(
    suite: Suite, training: Training, test: TestEntry, limit: int | None, mapped: bool
) -> Iterable[Cell]:
    config = training.config.model_dump(mode="json", exclude={"weights", "initialise"})
    config.update(training.content)
    files = {"weights": training.given, "initialise": training.started}
    config |= {name: dict(digests) for name, digests in files.items() if digests}
    cell = Cell(
        suite=suite.name,
        method=training.entry.adapter,
        label=training.entry.title,
        preset=training.entry.preset,
        config=config,
        train_on=training.train_on,
        test_on=test.reference(),
        condition=CLEAN,
        task=suite.tasks[0],
        seed=training.seed,
        protocol=suite.protocol,
        limit=limit,
        sampling_seed=suite.sampling_seeds[0],
    )
    able = set(suite.tasks) & set(training.config.role.tasks)
    if isinstance(test, _HeldOut):
        scored = "predict" if "predict" in able else "reconstruct"
        yield cell.model_copy(update={"curve": training.curve or 1.0, "task": scored})
        return
    for task in suite.tasks:
        if task != "predict" and mapped:
            continue  # labels of another space than the codec's
        ways = itertools.product(
            _conditions(suite, training.config, test, task),
            suite.protocols(),
            mappings(suite, training) if mapped else ("",),
            suite.sampling_seeds[:1] if task == "label" else suite.sampling_seeds,
        )
        for condition, protocol, mapping, sampling_seed in ways:
            yield cell.model_copy(
                update={
                    "condition": condition,
                    "task": task,
                    "protocol": protocol,
                    "mapping": mapping,
                    "sampling_seed": sampling_seed,
                }
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
