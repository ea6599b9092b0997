"""The manifest of a plan: every cell with its state, and how the suite presents them."""

from __future__ import annotations

from bench.core.manifest import Entry, Manifest
from bench.engine.plan import Plan, Planned


def write_manifest(plan: Plan) -> None:
    """Write what a suite consists of and what of it is done."""
    manifest = make_manifest(plan)
    folder = plan.folder
    if not folder.exists() or folder.manifest() != manifest:
        folder.write_manifest(manifest)


def make_manifest(plan: Plan) -> Manifest:
    """Return every cell of a plan in order, with its state."""
    suite = plan.suite
    return Manifest(
        suite=suite.name,
        question=suite.question,
        cells=tuple(_entry(plan, planned) for planned in plan.cells),
        metrics=suite.protocol.metrics,
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


def _entry(plan: Plan, planned: Planned) -> Entry:
    cell, state = planned.cell, plan.store.state(planned.key)
    return Entry(key=planned.key, label=cell.label, preset=cell.preset, state=state)


def _references(plan: Plan) -> str:
    """List in BibTeX the data sets and methods of a plan, each once."""
    datasets = (dataset.citation for dataset in plan.datasets.values())
    methods = (training.config.citation for training in plan.trainings)
    return "\n".join(dict.fromkeys(filter(None, (*datasets, *methods))))
