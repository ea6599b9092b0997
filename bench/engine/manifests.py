"""The manifest of a plan: every cell with its state, and how the suite presents them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bench.core.config import Role
from bench.core.manifest import CellEntry, Manifest
from bench.core.schema import Family
from bench.corruptions.catalogue.citations import cite
from bench.engine.plan import Plan, Planned
from bench.store.cells import Glance


def write_manifest(plan: Plan, glances: Mapping[str, Glance] | None = None) -> None:
    """Write what a suite consists of and what of it is done.

    Args:
        plan: of the suite.
        glances: at its cells, if they were looked at already.
    """
    manifest = make_manifest(plan, glances)
    folder = plan.folder
    if not folder.exists() or folder.manifest() != manifest:
        folder.write_manifest(manifest)


def make_manifest(plan: Plan, glances: Mapping[str, Glance] | None = None) -> Manifest:
    """Return every cell of a plan in order, with its state."""
    suite = plan.suite
    if glances is None:
        glances = plan.store.glances(planned.key for planned in plan.cells)
    return Manifest(
        suite=suite.name,
        question=suite.question,
        cells=tuple(_entry(planned, glances) for planned in plan.cells),
        metrics=suite.protocol.metrics,
        primary=suite.primary_metric,
        reference=suite.reference,
        published=suite.published,
        contrasts=suite.contrasts,
        families={t.entry.title: _counted_family(t.config.role) for t in plan.trainings},
        paper=suite.paper,
        stand_in=plan.stand_in,
        unavailable=plan.unavailable,
        budget=suite.budget.flops if suite.budget else None,
        source=plan.source,
        command=plan.settings.command,
        references=_references(plan),
    )


def _counted_family(role: Role) -> Family | Literal[""]:
    """Return the family in whose mean a method counts; of a control, none."""
    return "" if role.control else role.family


def _entry(planned: Planned, glances: Mapping[str, Glance]) -> CellEntry:
    cell, state = planned.cell, glances[planned.key].state
    return CellEntry(
        key=planned.key, label=cell.label, preset=cell.preset, state=state, curve=cell.curve
    )


def _references(plan: Plan) -> str:
    """List in BibTeX the data sets, methods and corruptions of a plan, each once."""
    datasets = (dataset.citation for dataset in plan.datasets.values())
    methods = (training.config.citation for training in plan.trainings)
    corruptions = cite(planned.cell.condition.corruption for planned in plan.cells)
    return "\n".join(dict.fromkeys(filter(None, (*datasets, *methods, *corruptions))))
