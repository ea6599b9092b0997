"""The record of a cell: what it was computed from, by what, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from bench.core.record import Provenance, Record
from bench.core.source import harness_digest, method_digest
from bench.engine.facts import condition_facts, data_facts
from bench.engine.keys import condition_probe, condition_version
from bench.engine.plan import Plan, Planned
from bench.engine.trainings import Training
from bench.store.cells import Glance

if TYPE_CHECKING:  # these load torch, and plans do without
    from bench.core.method import Method
    from bench.data.split import Split
    from bench.engine.failure import Failure


def finished_record(
    planned: Planned,
    method: Method[Any],
    weights: tuple[str, ...],
    split: Split,
    provenance: Provenance,
) -> Record:
    """Return the record of a finished cell, but for what it cost and measured."""
    cell, training = planned.cell, planned.training
    return Record(
        key=planned.key,
        status="ok",
        cell=cell,
        image_ids=split.ids,
        clusters=split.clusters,
        classes=planned.space.classes,
        palette=planned.space.palette,
        unreachable=planned.projection.unreachable if planned.projection else (),
        unmapped=planned.projection.unmapped if planned.projection else 0,
        parameters=sum(p.numel() for p in method.parameters()),
        initialisation=initialisation(training),
        train_data=training.train_data,
        test_data=planned.test_data,
        stages=tuple(folder.key for _, folder in training.stages),
        weights=weights,
        source=source_of(cell.method),
        corruption_version=condition_version(cell),
        corruption_probe=condition_probe(cell),
        finished=now(),
        provenance=provenance,
        **_facts(planned),
    )


def initialisation(training: Training) -> str:
    """Return what the weights of a training started from; see ``Record.initialisation``."""
    config = training.config
    if config.reads_predictions:
        return "unknown"
    # A stage without steps measures what the others left, such as the spread of latents.
    trained = [s.name for s, _ in training.stages if s.steps and s.name not in training.given]
    if config.is_released or (training.given and not trained):
        return "released"
    if any(name in training.started for name in trained):
        return "a file"
    starts = [config.pretraining(name) for name in trained]
    return next((start for start in starts if start != "random"), "random")


def failed_record(planned: Planned, failure: Failure, provenance: Provenance) -> Record:
    """Return the record of a cell that failed."""
    return Record(
        key=planned.key,
        status="failed",
        cell=planned.cell,
        error=failure.line,
        traceback=failure.traceback,
        source=source_of(planned.cell.method),
        finished=now(),
        provenance=provenance,
        **_facts(planned),
    )


def _facts(planned: Planned) -> dict[str, Any]:
    """Return what a record says of its method, data and condition, whether or not it failed."""
    cell = planned.cell
    return {
        "floor": planned.training.config.floor,
        "train_set": data_facts(cell.train_on),
        "test_set": data_facts(cell.test_on),
        "condition": condition_facts(cell.condition),
    }


@cache
def source_of(adapter: str) -> dict[str, str]:
    """Return the digests of the code that computes a method's cells."""
    return {"method": method_digest(adapter), "harness": harness_digest()}


def by_other_code(plan: Plan, glances: Mapping[str, Glance]) -> list[Planned]:
    """Return the finished cells of a plan that other code computed than is here now.

    Their numbers stand: a version in their key, which golden outputs guard, says so.

    Args:
        plan: the plan.
        glances: at its cells.
    """
    sources = ((planned, glances[planned.key].source) for planned in plan.cells)
    return [
        planned
        for planned, source in sources
        if source and source != source_of(planned.cell.method)
    ]


def now() -> str:
    """Return the time, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
