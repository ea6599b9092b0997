"""Re-execution: some finished cells are computed again, and held against what is stored.

That a number depends on nothing but what its record says is a promise; here it is put to the
test on a store as it lies there, by this machine and these packages. What differs is named at
the first place where it does, from the weights over the corrupted images to the counts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.core import seeding
from bench.core.errors import PlanError, StageError
from bench.core.method import Method
from bench.core.record import Record
from bench.data.split import Split
from bench.engine.accelerator import make_accelerator, provenance_of
from bench.engine.evaluation.evaluate import evaluate
from bench.engine.evaluation.loading import EvaluationJob, micro_batches
from bench.engine.keys import condition_probe
from bench.engine.plan import Plan, Planned
from bench.engine.progress import Progress
from bench.engine.training.making import make_method
from bench.engine.training.stages import load_stage
from bench.engine.training.train import TrainingJob, train_stage
from bench.engine.trainings import Training
from bench.score.counts import Counts
from bench.store.cells import StageFolder

FLOOR_WEIGHT = 1e-6
"""Chance of a cell of the floor, beside one of a method that looks at the image."""
FURTHER = ("bands", "sizes", "unmapped", "segments")
"""What is counted of each image beside its confusion matrix."""


class Verified(NamedTuple):
    """A cell that was computed again."""

    record: Record
    images: int = 0
    """How many of its images were."""
    pixels: int = 0
    """How many pixels these have."""
    moved: int = 0
    """How many of the pixels count elsewhere now, at least."""
    fault: str = ""
    """What differs first; empty if nothing does."""

    def within(self, tolerance: float) -> bool:
        """Whether nothing differs, but for a share of the pixels."""
        return not self.fault or 0 < self.moved <= tolerance * self.pixels


class VerifySelection(NamedTuple):
    """Which finished cells are computed again."""

    cells: int = 5
    """How many, or all if there are fewer."""
    images: int = 16
    """Of each cell, rounded up to whole micro-batches, as an image's kernels depend on its
    neighbours."""
    draw: int = 0
    """Which ones; another number, others."""
    keys: tuple[str, ...] = ()
    """These cells instead of drawn ones."""
    retrain: bool = False
    """Whether their stages are trained again too, beside the store."""


def verify(plan: Plan, progress: Progress, selection: VerifySelection) -> Iterator[Verified]:
    """Compute some cells of a plan again, on drawn images.

    Each method is as likely to be drawn as any other, however many cells it has, but for the
    floor, which is drawn last.

    Args:
        plan: of the suite, by whose keys the finished cells are found: cells whose data or
            configuration changed since have other keys, and are not finished.
        progress: told the number of images done.
        selection: which cells, and how much of them.

    Raises:
        PlanError: if no cell is finished, or a key is of none.
    """
    done = _finished(plan)
    if not done:
        raise PlanError(f"{plan.folder.path}: no finished cell of {plan.suite.name}; run it first")
    random = seeding.numpy_generator(seeding.key("verify", selection.draw, len(done)))
    chosen = _chosen(done, selection, random)
    verifier = _Verifier(plan, progress, selection.images, random)
    for training in plan.trainings:
        mine = [pair for pair in chosen if pair[0].training is training]
        if mine and selection.retrain:
            yield from _retrained(training, mine[0][1], verifier)
        yield from verifier.verify(training, mine)


def _chosen(
    done: list[tuple[Planned, Record]], selection: VerifySelection, random: np.random.Generator
) -> list[tuple[Planned, Record]]:
    if selection.keys:
        chosen = [pair for pair in done if pair[0].key in selection.keys]
        if missing := set(selection.keys) - {planned.key for planned, _ in chosen}:
            raise PlanError(f"no finished cell of the suite has the key {', '.join(missing)}")
        return chosen
    labels = [record.cell.label for _, record in done]
    weights = np.array(
        [
            (FLOOR_WEIGHT if record.floor else 1.0) / labels.count(record.cell.label)
            for _, record in done
        ]
    )
    size = min(selection.cells, len(done))
    drawn = random.choice(len(done), size=size, replace=False, p=weights / weights.sum())
    return [done[index] for index in sorted(drawn)]


def _retrained(training: Training, record: Record, verifier: _Verifier) -> Iterator[Verified]:
    """Train the stages of a cell again in a folder of their own; tell which weights differ."""
    with tempfile.TemporaryDirectory() as folder:
        method = make_method(training, verifier.plan.suite.protocol)
        for stage, stored in training.stages:
            again = StageFolder(Path(folder), stored.key)
            entry, files = training.entry, (training.config.weights, training.config.initialise)
            given, start = (Path(f[stage.name]) if stage.name in f else None for f in files)
            job = TrainingJob(
                *(entry.adapter, entry.preset, stage, verifier.split_of(training)),
                *(training.seed, again, given, start),
            )
            train_stage(method, job, verifier.accelerator, verifier.progress)
            load_stage(method, stage, again)
            if again.digest() != stored.digest():
                yield Verified(record, fault=f"weights of stage {stage.name} trained again")


def _finished(plan: Plan) -> list[tuple[Planned, Record]]:
    """Return the finished cells of a plan with their records, by the plan's names."""
    cells = [planned for planned in plan.cells if plan.store.is_done(planned.key)]
    records = [plan.store.record(planned.key) for planned in cells]
    return [
        (planned, record.model_copy(update={"cell": planned.cell}))
        for planned, record in zip(cells, records, strict=True)
        if record is not None
    ]


class _Verifier:
    def __init__(
        self, plan: Plan, progress: Progress, images: int, random: np.random.Generator
    ) -> None:
        self.plan, self.progress = plan, progress
        self.images, self.random = images, random
        self.accelerator = make_accelerator(plan.suite.protocol.precision)

    def split_of(self, training: Training) -> Split:
        """Return the images that a training sees."""
        reference = training.train_on
        return Split(self.plan.datasets[reference.key], reference, self.plan.suite.protocol)

    def verify(self, training: Training, cells: list[tuple[Planned, Record]]) -> Iterator[Verified]:
        """Verify cells of one training."""
        if not cells:
            return
        method = make_method(training, self.plan.suite.protocol)
        try:
            for stage, folder in training.stages:
                if not folder.weights.exists():
                    raise StageError(f"{folder.weights}: no such file; `run` trains them again")
                load_stage(method, stage, folder)
        except StageError as error:
            yield from (Verified(record, fault=f"weights: {error}") for _, record in cells)
            return
        for planned, record in cells:
            found = self._verify(planned, record, method)
            yield (
                found._replace(fault=found.fault + self._changed(record)) if found.fault else found
            )

    def _verify(self, planned: Planned, record: Record, method: Method[Any]) -> Verified:
        cell = planned.cell
        if (probe := condition_probe(cell)) != record.corruption_probe:
            return Verified(
                record, fault=f"corrupted images: probe {probe}, was {record.corruption_probe}"
            )
        stored, found = self.plan.store.counts(record), Verified(record)
        rows = record.micro_batch or 1
        batches = micro_batches(len(record.image_ids), rows)
        count = min(len(batches), -(-self.images // len(batches[0])))
        for at in sorted(self.random.choice(len(batches), size=count, replace=False)):
            batch = batches[at]
            dataset = self.plan.datasets[cell.test_on.key]
            split = Split(dataset, cell.test_on, cell.protocol, batch.stop, start=batch.start)
            job = EvaluationJob(
                *(split, cell.condition, cell.task, cell.seed, cell.sampling_seed),
                *(cell.mapping, planned.projection, (cell.protocol.eval_at,), rows),
            )
            (again,) = evaluate(method, job, self.accelerator, self.progress)
            found = _add(found, stored, again.counts, batch)
        return found

    def _changed(self, record: Record) -> str:
        """Say in what this machine and this code are not those of a record."""
        now = provenance_of(self.accelerator)
        before, after = (
            {**each.model_dump(exclude={"packages"}), **each.packages}
            for each in (record.provenance or now, now)
        )
        told = [
            f"{name} {before[name]} -> {value}"
            for name, value in after.items()
            if name in before and before[name] != value
        ]
        return f"; changed since: {', '.join(told)}" if told else ""


def _add(found: Verified, stored: Counts, again: Counts, batch: range) -> Verified:
    """Hold a micro-batch's counts against the stored ones, and add what that comes to."""
    fault, pixels, moved = found.fault, found.pixels, found.moved
    for place, image in enumerate(batch):
        before, after = stored.confusion(image), again.confusion(place)
        pixels += int(before.sum())
        if not np.array_equal(before, after):
            moved += int(np.abs(before - after).sum()) // 2
            fault = fault or f"predictions, first on {found.record.image_ids[image]}"
    for name in FURTHER:
        before, after = getattr(stored, name), getattr(again, name)
        if before is None or after is None or fault:
            continue
        if not np.array_equal(before[batch.start : batch.stop], after):
            fault = f"{name}, counted of the same predictions"
    return Verified(found.record, found.images + len(batch), pixels, moved, fault)
