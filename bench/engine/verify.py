"""Re-execution: some finished cells are computed again, and held against what is stored.

That a number depends on nothing but what its record says is a promise; here it is put to the
test on a store as it lies there, by this machine and these packages. What differs is named at
the first place where it does, from the weights over the corrupted images to the counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from bench.core import seeding
from bench.core.errors import PlanError, StageError
from bench.core.method import Method
from bench.core.provenance import provenance
from bench.core.schema import Record
from bench.data.split import Split
from bench.engine.accelerator import make_accelerator
from bench.engine.evaluate import EvaluationJob, evaluate, micro_batches
from bench.engine.keys import condition_probe
from bench.engine.plan import Plan, Planned, Training
from bench.engine.progress import Progress
from bench.engine.run import make_method
from bench.engine.stages import load_stage
from bench.score.counts import Counts

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


def verify(
    plan: Plan, progress: Progress, cells: int, images: int, draw: int = 0
) -> Iterator[Verified]:
    """Compute drawn cells of a plan again, on drawn images.

    Args:
        plan: of the suite, by whose keys the finished cells are found: cells whose data or
            configuration changed since have other keys, and are not finished.
        progress: told the number of images done.
        cells: how many, or all if there are fewer.
        images: of each cell, rounded up to whole micro-batches, as an image's kernels depend
            on its neighbours.
        draw: which ones; another number, others.

    Raises:
        PlanError: if no cell is finished.
    """
    done = _finished(plan)
    if not done:
        raise PlanError(f"{plan.folder.path}: no finished cell of {plan.suite.name}; run it first")
    random = seeding.numpy_generator(seeding.key("verify", draw, len(done)))
    chosen = random.choice(len(done), size=min(cells, len(done)), replace=False)
    verifier = _Verifier(plan, progress, images, random)
    for training in plan.trainings:
        mine = [done[at] for at in sorted(chosen) if done[at][0].training is training]
        yield from verifier.verify(training, mine)


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
        self.accelerator = make_accelerator()

    def verify(self, training: Training, cells: list[tuple[Planned, Record]]) -> Iterator[Verified]:
        """Verify cells of one training."""
        if not cells:
            return
        method = make_method(training)
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
        batches = micro_batches(len(record.image_ids), cell.protocol)
        count = min(len(batches), -(-self.images // len(batches[0])))
        for at in sorted(self.random.choice(len(batches), size=count, replace=False)):
            batch = batches[at]
            dataset = self.plan.datasets[cell.test_on.key]
            split = Split(dataset, cell.test_on, cell.protocol, batch.stop, start=batch.start)
            job = EvaluationJob(
                *(split, cell.condition, cell.task, cell.seed, cell.sampling_seed),
                *(cell.mapping, planned.projection, (cell.protocol.eval_at,)),
            )
            (again,) = evaluate(method, job, self.accelerator, self.progress)
            found = _add(found, stored, again.counts, batch)
        return found

    def _changed(self, record: Record) -> str:
        """Say in what this machine and this code are not those of a record."""
        now = provenance(self.accelerator.device, self.accelerator.num_processes)
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
