"""Ensure the stages, evaluate the cells, record them; a failure stops nothing else."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from bench.core import seeding
from bench.core.errors import PlanError
from bench.core.manifest import Manifest
from bench.core.method import Method
from bench.core.provenance import provenance
from bench.core.registry import load_method
from bench.core.schema import CLEAN, DataRef, Protocol, Provenance, Record, fingerprint
from bench.data import preflight
from bench.data.split import Split
from bench.engine.conditions import condition_probe, condition_version
from bench.engine.evaluate import Evaluation, EvaluationJob, evaluate, measure
from bench.engine.inputs import inputs_of
from bench.engine.plan import Plan, Planned, Training, all_needs
from bench.engine.progress import Progress
from bench.engine.train import TrainingJob, agree, load_stage, make_accelerator, train_stage
from bench.score.metrics import METRICS

CODEC_IMAGES = 2
"""Images on which a codec is tried as soon as it is trained."""


class Outcome(NamedTuple):
    """What a run did."""

    records: list[Record]
    """Of every cell of the suite, those of earlier runs included."""
    computed: int
    """Cells evaluated in this run."""

    @property
    def failed(self) -> list[Record]:
        """The cells that failed."""
        return [record for record in self.records if record.status == "failed"]


def run(plan: Plan, progress: Progress) -> Outcome:
    """Compute every cell of a plan that has no finished record.

    Raises:
        PlanError: if nothing can be tried and there is no published table to show either.
    """
    if not plan.cells and plan.suite.paper is None:
        raise PlanError("\n".join(need.remedy for need in all_needs(plan.unavailable)))
    todo = [planned for planned in plan.cells if plan.done(planned) is None]
    if todo:
        return _Runner(plan, progress).run()
    records = [record for planned in plan.cells if (record := plan.done(planned))]
    manifest = _manifest(plan, records)
    if not plan.folder.exists() or plan.folder.manifest() != manifest:
        plan.folder.write_manifest(manifest)
    return Outcome(records, 0)


def make_method(training: Training) -> Method[Any]:
    """Make the method of a training as it is before any stage, on the CPU."""
    method_class = load_method(training.entry.adapter)
    with seeding.seeded(seeding.key("init", training.seed, training.entry.adapter)):
        return method_class(training.config, training.data)


class _Runner:
    """The state of a run: the device, the opened splits and the records so far."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self.plan, self.progress = plan, progress
        self.accelerator = make_accelerator()
        self.splits: dict[tuple[str, int | None, str], Split] = {}
        self.records: list[Record] = []
        self.computed = 0

    def run(self) -> Outcome:
        plan = self.plan
        self._preflight()
        self._preload()
        for training in plan.trainings:
            cells = plan.cells_of(training)
            if any(self._missing(planned) for planned in cells):
                self._run_training(training)
            else:
                self.records += [record for p in cells if (record := plan.done(p))]
            self._write_manifest()
        return Outcome(self.records, self.computed)

    def _preflight(self) -> None:
        """Check the splits that will be used; data that mean nothing stop the run here."""
        used: dict[str, DataRef] = {}
        for planned in self.plan.cells:
            if self.plan.done(planned) is None:
                used[planned.cell.test_on.key] = planned.cell.test_on
                if planned.training.stages:
                    used[planned.training.train_on.key] = planned.training.train_on
        for dataset in (part for key in used for part in self.plan.datasets[key].parts):
            if not dataset.is_drawn(dataset.options):
                preflight.require(dataset, self.progress.say)

    def _preload(self) -> None:
        """Open and read the splits that will be used; damaged data stop the run here.

        So do predictions that are not of their images.
        """
        for planned in self.plan.cells:
            if self.plan.done(planned) is None:
                cell = planned.cell
                split = self._split(cell.test_on, cell.limit, cell.protocol)
                split.preload()
                if planned.training.config.reads_predictions:
                    inputs = inputs_of(cell, split)
                    planned.training.config.check_inputs(inputs, planned.training.data)
                if planned.training.weights() is None:
                    self._split(planned.training.train_on).preload()

    def _missing(self, planned: Planned) -> bool:
        """Whether a cell is to be computed; the main process decides for all."""
        return agree(self.accelerator, self.plan.done(planned) is None)

    def _run_training(self, training: Training) -> None:
        try:
            method, seconds = self._trained(training)
        except Exception as error:  # whatever a method raises is that method's failure
            for planned in self.plan.cells_of(training):
                self._keep(planned, self._failure(planned, error), None)
            return
        for group in self.plan.groups_of(training):
            missing = [planned for planned in group if self._missing(planned)]
            self.records += [record for p in group if (record := self.plan.done(p))]
            if missing:
                self._run_cells(missing, method, seconds)

    def _trained(self, training: Training) -> tuple[Method[Any], float]:
        """Return a method with all its weights, and the seconds its training took."""
        method = make_method(training)
        seconds = 0.0
        codec = [s.name for s, _ in training.stages if "reconstruct" in s.tasks][-1:]
        for stage, folder in training.stages:
            untrained = folder.summary() is None or not folder.weights.exists()
            if untrained:
                split = self._split(training.train_on)
                self.progress.stage(training.entry.title, stage)
                given = training.config.weights.get(stage.name)
                job = TrainingJob(
                    training.entry.adapter,
                    stage,
                    split,
                    training.seed,
                    folder,
                    Path(given) if given else None,
                )
                train_stage(method, job, self.accelerator, self.progress)
            load_stage(method, stage, folder)
            summary: Any = folder.summary()
            seconds += summary["seconds"]
            if untrained and "reconstruct" in training.config.tasks and stage.name in codec:
                self._try_codec(method, training)
        return method, seconds

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
        (found,) = evaluate(method, job, self.accelerator, self.progress)
        kept = METRICS["aAcc"](found.counts)
        text = f"truth, codec, truth on {len(split)} images: {kept:.1%} of the pixels kept"
        self.progress.say(f"{training.entry.title}: {text}")

    def _split(
        self, reference: DataRef, limit: int | None = None, protocol: Protocol | None = None
    ) -> Split:
        """Return a split; its samples stay in memory for the cells to come."""
        protocol = protocol or self.plan.suite.protocol
        place = (reference.key, limit, fingerprint(protocol))
        if place not in self.splits:
            dataset = self.plan.datasets[reference.key]
            self.splits[place] = Split(dataset, reference, protocol, limit)
        return self.splits[place]

    def _run_cells(self, group: list[Planned], method: Method[Any], train_seconds: float) -> None:
        """Compute cells that differ only in how their predictions are scored."""
        cell = group[0].cell
        started = time.monotonic()
        try:
            split = self._split(cell.test_on, cell.limit, cell.protocol)
            job = EvaluationJob(
                *(split, cell.condition, cell.task, cell.seed, cell.sampling_seed),
                *(cell.mapping, group[0].projection),
                tuple(planned.cell.protocol.eval_at for planned in group),
            )
            results = evaluate(method, job, self.accelerator, self.progress)
            clean_codec = (cell.task, cell.condition) == ("reconstruct", CLEAN)
            measured = measure(method, job, self.accelerator) if clean_codec else {}
        except Exception as error:
            for planned in group:
                self._keep(planned, self._failure(planned, error), None)
            return
        costs = {
            "measured": measured,
            "train_seconds": train_seconds,
            "evaluate_seconds": (time.monotonic() - started) / len(group),
        }
        for planned, result in zip(group, results, strict=True):
            record = self._record(planned, method, split)
            self._keep(planned, record.model_copy(update=costs), result)

    def _record(self, planned: Planned, method: Method[Any], split: Split) -> Record:
        """Return the record of a finished cell, but for what it cost and measured."""
        cell, training = planned.cell, planned.training
        weights = training.weights()
        return Record(
            key=planned.key(weights),
            status="ok",
            cell=cell,
            image_ids=split.ids,
            clusters=split.clusters,
            classes=planned.space.classes,
            palette=planned.space.palette,
            unreachable=planned.projection.unreachable if planned.projection else (),
            unmapped=planned.projection.unmapped if planned.projection else 0,
            parameters=sum(p.numel() for p in method.parameters()),
            train_data=training.train_data,
            test_data=planned.test_data,
            stages=tuple(folder.key for _, folder in training.stages),
            weights=weights or (),
            corruption_version=condition_version(cell),
            corruption_probe=condition_probe(cell),
            finished=_now(),
            provenance=self._provenance(),
        )

    def _keep(self, planned: Planned, record: Record, result: Evaluation | None) -> None:
        """Write a cell's record and show its number."""
        self.records.append(record)
        self.computed += 1
        if self.accelerator.is_main_process:
            counts, preview = result if result is not None else (None, None)
            self.plan.folder.write(record, counts, preview)
            self.progress.cell(record, counts)

    def _failure(self, planned: Planned, error: Exception) -> Record:
        """Return the record of a failed cell: the error in one line, and where it arose."""
        frame = traceback.extract_tb(error.__traceback__)[-1]
        text = " ".join(str(error).split()) or "no message"
        return Record(
            key=planned.key(),
            status="failed",
            cell=planned.cell,
            error=f"{type(error).__name__}: {text} ({frame.name}, line {frame.lineno})",
            finished=_now(),
            provenance=self._provenance(),
        )

    def _provenance(self) -> Provenance:
        return provenance(self.accelerator.device, self.accelerator.num_processes)

    def _write_manifest(self) -> None:
        if self.accelerator.is_main_process:
            self.plan.folder.write_manifest(_manifest(self.plan, self.records))


def _manifest(plan: Plan, records: Sequence[Record]) -> Manifest:
    suite = plan.suite
    return Manifest(
        suite=suite.name,
        question=suite.question,
        keys=tuple(record.key for record in records),
        reference=suite.reference,
        published=suite.published,
        contrasts=suite.contrasts,
        paper=suite.paper,
        stand_in=plan.stand_in,
        unavailable=plan.unavailable,
        source=plan.source,
        command=plan.settings.command,
        references=_references(plan),
    )


def _references(plan: Plan) -> str:
    """List in BibTeX the data sets and methods of a plan, each once."""
    datasets = (dataset.citation for dataset in plan.datasets.values())
    methods = (training.config.citation for training in plan.trainings)
    return "\n".join(dict.fromkeys(filter(None, (*datasets, *methods))))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
