"""Ensure the stages, evaluate the cells, record them; a failure stops nothing else.

Any number of runs may work on one store: a stage, and a group of cells that share their
predictions, is computed by whoever holds its lock. What another holds is left alone and
looked at again when all else is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from filelock import BaseFileLock

from bench.core.errors import PlanError, StoreError
from bench.core.method import Method
from bench.core.record import Provenance, Record
from bench.core.schema import CLEAN, DataRef, Protocol, fingerprint
from bench.core.stage import Stage
from bench.data import preflight
from bench.data.files.array_cache import ArrayCache
from bench.data.files.cache import cache_folder
from bench.data.split import Split
from bench.data.workers import Workers
from bench.engine.accelerator import agree, make_accelerator, provenance_of
from bench.engine.evaluation.evaluate import Evaluation, evaluate, measure
from bench.engine.evaluation.inputs import inputs_of
from bench.engine.evaluation.loading import EvaluationJob
from bench.engine.evaluation.model_cost import MeasuredCosts
from bench.engine.failure import describe
from bench.engine.manifests import write_manifest
from bench.engine.plan import Plan, Planned, all_needs
from bench.engine.progress import Progress
from bench.engine.records import failed_record, finished_record
from bench.engine.training.making import make_method
from bench.engine.training.stages import load_stage
from bench.engine.training.train import TrainingJob, train_stage
from bench.engine.trainings import Training
from bench.score.metrics import METRICS
from bench.store.cells import StageFolder
from bench.store.locks import try_to_hold

CODEC_IMAGES = 2
"""Images on which a codec is tried as soon as it is trained."""
WAIT_SECONDS = 1.0
"""Between two looks at what another run holds."""


class Outcome(NamedTuple):
    """What a run left behind."""

    records: list[Record]
    """Of every cell of the plan, those of earlier and other runs included."""
    computed: int
    """Cells evaluated by this run."""

    @property
    def failed(self) -> list[Record]:
        """The cells that failed."""
        return [record for record in self.records if record.status == "failed"]


def run(
    plan: Plan,
    progress: Progress,
    units: Sequence[int] | None = None,
    *,
    checked: bool = False,
) -> Outcome:
    """Compute every cell of a plan that has no finished record.

    Args:
        plan: of a suite.
        progress: told what is done.
        units: indices of trainings to do with their cells; all by default.
        checked: whether :func:`prepare` has checked the data already.

    Raises:
        PlanError: if nothing can be tried and there is no published table to show either.
        StoreError: if the output folder cannot be written to.
    """
    _refuse_nothing(plan)
    trainings = [plan.trainings[i] for i in units] if units is not None else list(plan.trainings)
    with _writing(plan.settings.output):
        cells = [planned for training in trainings for planned in plan.cells_of(training)]
        if all(plan.store.is_done(planned.key) for planned in cells):
            write_manifest(plan)
            return Outcome(_records(plan, cells), 0)
        runner = _Runner(plan, progress)
        if not checked:
            runner.check_data(trainings)
            write_manifest(plan)
        try:
            runner.run(trainings)
        finally:
            runner.workers.close()
            write_manifest(plan)
    return Outcome([*_records(plan, cells), *runner.unwritten.values()], runner.computed)


def _records(plan: Plan, cells: Sequence[Planned]) -> list[Record]:
    """Return the records of cells, with the names that the plan has for them."""
    records = (plan.store.record(planned.key) for planned in cells)
    return [
        record.model_copy(update={"cell": planned.cell})
        for planned, record in zip(cells, records, strict=True)
        if record is not None
    ]


def prepare(plan: Plan, progress: Progress) -> None:
    """Check the data that a plan's missing cells need, and write its manifest.

    Raises:
        DatasetError: for the first sample that cannot be used.
        PlanError: if nothing can be tried.
        StoreError: if the output folder cannot be written to.
    """
    _refuse_nothing(plan)
    with _writing(plan.settings.output):
        _Runner(plan, progress).check_data(plan.trainings)
        write_manifest(plan)


def _refuse_nothing(plan: Plan) -> None:
    if not plan.cells and plan.suite.paper is None:
        raise PlanError("\n".join(need.remedy for need in all_needs(plan.unavailable)))


@contextmanager
def _writing(output: Path) -> Iterator[None]:
    """Say in one line that a folder cannot be written to.

    Raises:
        StoreError: if it cannot.
    """
    try:
        yield
    except OSError as error:
        raise StoreError(f"{output}: cannot be written to ({error.strerror or error})") from error


class _TrainedMethod(NamedTuple):
    """A method with all its weights."""

    method: Method[Any]
    weights: tuple[str, ...]
    """SHA-256 of each stage's, taken when they were loaded."""
    seconds: float
    """That the stages took to train."""


class _Runner:
    """The state of a run: the device, and the opened splits."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self.plan, self.progress = plan, progress
        settings = plan.settings
        self.accelerator = make_accelerator(
            plan.suite.protocol.precision,
            settings.tracker,
            settings.output / "trackers" if settings.tracker else None,
            plan.suite.name,
        )
        self.workers = Workers(plan.settings.workers)
        self.cache = ArrayCache(cache_folder() / "arrays")
        self.splits: dict[tuple[str, int | None, str], Split] = {}
        self.costs = MeasuredCosts(self.accelerator.device, self.accelerator.autocast, progress.say)
        self.computed = 0
        self.unwritten: dict[str, Record] = {}
        """Records that the store had no room for."""

    def run(self, trainings: list[Training]) -> None:
        """Do trainings with their cells, until nothing of them is left to do."""
        while trainings := [training for training in trainings if not self._advance(training)]:
            time.sleep(WAIT_SECONDS)

    def _advance(self, training: Training) -> bool:
        """Do what no other run holds; return whether nothing is left."""
        if not self._missing(self.plan.cells_of(training)):
            return True
        try:
            if not self._ensure_stages(training):
                return False
            return self._evaluate_cells(training)
        except Exception as error:  # whatever a method raises is that method's failure
            for planned in self._missing(self.plan.cells_of(training)):
                self._keep(planned, self._failure(planned, error), None)
            return True
        finally:
            self.accelerator.free_memory()

    def _ensure_stages(self, training: Training) -> bool:
        """Train the stages that have no weights; False if another run is at one of them."""
        method: Method[Any] | None = None
        for at, (stage, folder) in enumerate(training.stages):
            if self._agreed(folder.is_intact):
                continue
            with self._held(self.plan.store.lock(f"stage-{folder.key}")) as held:
                if not held:
                    return False
                if self._agreed(folder.is_intact):
                    continue
                if self.accelerator.is_main_process:
                    folder.set_aside_damaged()
                if method is None:
                    method = make_method(training, self.plan.suite.protocol)
                for earlier, its_folder in training.stages[:at]:
                    load_stage(method, earlier, its_folder)
                self._train(method, training, stage, folder)
        return True

    def _train(
        self, method: Method[Any], training: Training, stage: Stage, folder: StageFolder
    ) -> None:
        self.progress.stage(training.title, stage)
        files = (training.config.weights, training.config.initialise)
        given, start = (Path(f[stage.name]) if stage.name in f else None for f in files)
        split = self._split(training.train_on)
        entry = training.entry
        job = TrainingJob(
            *(entry.adapter, entry.preset, stage, split, training.seed, folder, given, start),
            training.step_flops.get(stage.name),
        )
        train_stage(method, job, self.accelerator, self.progress, self.workers)
        codec = [s.name for s, _ in training.stages if "reconstruct" in s.tasks][-1:]
        if "reconstruct" in training.config.role.tasks and stage.name in codec:
            load_stage(method, stage, folder)
            self._try_codec(method, training)

    def _try_codec(self, method: Method[Any], training: Training) -> None:
        """Send a few truths through a codec before anything is trained on top of it.

        What a codec loses is measured by the task ``reconstruct``; this only shows, in a
        second and before the prior's hours, a codec that loses nearly everything.
        """
        split = Split(
            self.plan.datasets[training.train_on.key],
            training.train_on,
            self.plan.suite.protocol,
            CODEC_IMAGES,
        )
        job = EvaluationJob(split, CLEAN, "reconstruct", training.seed)
        (evaluation,) = evaluate(method, job, self.accelerator, self.progress)
        kept = METRICS["aAcc"](evaluation.counts)
        text = f"truth, codec, truth on {len(split)} images: {kept:.1%} of the pixels kept"
        self.progress.say(f"{training.entry.title}: {text}")

    def _evaluate_cells(self, training: Training) -> bool:
        """Compute the cells that no other run is at; return whether none is left."""
        loaded: _TrainedMethod | None = None
        complete = True
        for name, group in self.plan.groups_of(training).items():
            if not self._missing(group):
                continue
            with self._held(self.plan.store.lock(name)) as held:
                if not held:
                    complete = False
                elif missing := self._missing(group):
                    loaded = loaded or self._load(training)
                    self._run_cells(missing, loaded)
        return complete

    def _load(self, training: Training) -> _TrainedMethod:
        method, seconds = make_method(training, self.plan.suite.protocol), 0.0
        weights = tuple(load_stage(method, stage, folder) for stage, folder in training.stages)
        for _, folder in training.stages:
            seconds += (folder.summary() or {})["seconds"]
        return _TrainedMethod(method, weights, seconds)

    def _run_cells(self, group: list[Planned], loaded: _TrainedMethod) -> None:
        """Compute cells that differ only in where their predictions are scored."""
        cell = group[0].cell
        started = time.monotonic()
        try:
            split = self._split(cell.test_on, cell.limit, cell.protocol)
            job = EvaluationJob(
                *(split, cell.condition, cell.task, cell.seed, cell.sampling_seed),
                *(cell.mapping, group[0].projection),
                tuple(planned.cell.protocol.eval_at for planned in group),
                sampled=len(self.plan.suite.sampling_seeds) > 1,
            )
            results = evaluate(loaded.method, job, self.accelerator, self.progress, self.workers)
            clean_codec = (cell.task, cell.condition) == ("reconstruct", CLEAN)
            measured = measure(loaded.method, job, self.accelerator) if clean_codec else {}
        except Exception as error:
            for planned in group:
                self._keep(planned, self._failure(planned, error), None)
            return
        costs: dict[str, Any] = {
            "measured": measured,
            "train_seconds": loaded.seconds,
            "evaluate_seconds": (time.monotonic() - started) / len(group),
        }
        if (cell.task, cell.condition) == ("predict", CLEAN):
            costs["cost"] = self.costs.of(*loaded[:2], split, results[0].micro_batch)
        for planned, result in zip(group, results, strict=True):
            record = finished_record(
                planned, loaded.method, loaded.weights, split, self._provenance()
            )
            used = {**costs, "micro_batch": result.micro_batch}
            self._keep(planned, record.model_copy(update=used), result)

    def _keep(self, planned: Planned, record: Record, result: Evaluation | None) -> None:
        """Write a cell's record and show its number."""
        self.computed += 1
        if not self.accelerator.is_main_process:
            return
        counts, preview = result[:2] if result is not None else (None, None)
        try:
            self.plan.store.write(record, counts, preview)
        except OSError as error:
            record, counts = self._failure(planned, error), None
            self.unwritten[planned.key] = record
        self.progress.cell(record, counts)

    def _failure(self, planned: Planned, error: Exception) -> Record:
        return failed_record(planned, describe(error), self._provenance())

    def check_data(self, trainings: Sequence[Training]) -> None:
        """Check and read the splits that will be used, before anything is trained on them.

        Data that mean nothing, files that are damaged, and predictions that are not of their
        images stop the run here.
        """
        used: dict[str, DataRef] = {}
        for training in trainings:
            for planned in self._missing(self.plan.cells_of(training)):
                cell = planned.cell
                used[cell.test_on.key] = cell.test_on
                if training.stages:
                    used[training.train_on.key] = training.train_on
                self._split(cell.test_on, cell.limit, cell.protocol)
            if not training.is_finished():
                self._split(training.train_on)
        parts = {id(part): part for key in used for part in self.plan.datasets[key].parts}
        in_files = [part for part in parts.values() if not part.is_drawn(part.options)]
        for dataset in in_files:
            preflight.require(dataset, self.progress.say)
        preflight.require_apart(in_files, self.progress.say)
        for split in self.splits.values():
            split.preload()
        for training in trainings:
            if training.config.reads_predictions:
                self._check_predictions(training)

    def _check_predictions(self, training: Training) -> None:
        """Hold predictions that were made elsewhere against the images they are scored on."""
        for planned in self._missing(self.plan.cells_of(training)):
            cell = planned.cell
            split = self._split(cell.test_on, cell.limit, cell.protocol)
            training.config.check_inputs(inputs_of(cell, split), training.data)

    def _split(
        self, reference: DataRef, limit: int | None = None, protocol: Protocol | None = None
    ) -> Split:
        """Return a split; its samples stay in memory for the cells to come."""
        protocol = protocol or self.plan.suite.protocol
        name = (reference.key, limit, fingerprint(protocol))
        if name not in self.splits:
            dataset = self.plan.datasets[reference.key]
            self.splits[name] = Split(dataset, reference, protocol, limit, cache=self.cache)
        return self.splits[name]

    def _missing(self, cells: Sequence[Planned]) -> list[Planned]:
        """Return the cells that are to be computed; the main process decides for all."""
        return [p for p in cells if not self._agreed(partial(self._is_settled, p.key))]

    def _is_settled(self, key: str) -> bool:
        """Whether a cell has its number, or failed since the run began, here or elsewhere."""
        started = self.plan.settings.started
        return key in self.unwritten or self.plan.store.state(key, since=started) != "missing"

    def _agreed(self, decide: Callable[[], bool]) -> bool:
        """Return the main process's decision, which alone looks at the store."""
        decision = decide() if self.accelerator.is_main_process else False
        return agree(self.accelerator, decision)

    @contextmanager
    def _held(self, lock: BaseFileLock) -> Iterator[bool]:
        """Hold a lock in the main process for all of them; False if another run has it."""
        held = self._agreed(lambda: try_to_hold(lock))
        try:
            yield held
        finally:
            if held:
                lock.release()

    def _provenance(self) -> Provenance:
        return provenance_of(self.accelerator)
