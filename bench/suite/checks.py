"""The checks of a suite: all faults at once, each at its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import ValidationError

from bench.core.errors import UnknownMethod
from bench.core.manifest import PaperTable
from bench.core.registry import load_config, method_modules, resolve_config, suggest
from bench.core.schema import Family
from bench.suite.controls import control_faults, control_labels, with_controls
from bench.suite.data_checks import (
    condition_faults,
    data_faults,
    geometry_faults,
    metric_faults,
    repeated_faults,
)
from bench.suite.entries import entries_of, items_of, labels_of
from bench.suite.method_checks import families_of, latent_faults, method_faults
from bench.suite.model import Suite
from bench.suite.published_table import curve_faults, paper_faults
from bench.suite.structure import boolean_faults, structure_faults
from bench.suite.yaml_errors import Fault, Loc


def validate(tree: Mapping[str, Any]) -> tuple[list[Fault], Suite | None]:
    """Collect the faults of structure and of meaning.

    Args:
        tree: a suite file's content in plain values.

    Returns:
        The faults, and the suite if its structure is right.
    """
    faults = list(boolean_faults(tree, Suite))
    suite = None
    try:
        suite = Suite.model_validate(tree)
    except ValidationError as error:
        faults += structure_faults(error, Suite)
    for check in CHECKS:
        faults += check(tree)
    return faults, with_controls(suite) if suite and not faults else suite


def _reference_faults(tree: Mapping[str, Any]) -> Iterator[Fault]:
    labels = [*labels_of(tree), *control_labels(tree)]
    named: list[tuple[Loc, Any]] = [(("reference",), tree.get("reference"))]
    for loc, contrast in entries_of(tree, "contrasts"):
        members = items_of(contrast.get("first"))
        named += [((*loc, "first", index), label) for index, label in members]
        named.append(((*loc, "second"), contrast.get("second")))
        yield from _family_faults(tree, loc, contrast)
    for loc, label in named:
        if isinstance(label, str) and label and label not in labels:
            yield Fault(loc, f"no method is labelled {label!r}; {suggest(label, labels)}")


def _family_faults(
    tree: Mapping[str, Any], loc: Loc, contrast: Mapping[str, Any]
) -> Iterator[Fault]:
    """Find families that no method of the suite is of."""
    for side in ("first", "second"):
        value = contrast.get(side)
        family = value.get("family") if isinstance(value, Mapping) else None
        if family in get_args(Family) and family not in families_of(tree):
            yield Fault((*loc, side, "family"), f"the suite has no {family} method")


def _published_faults(tree: Mapping[str, Any]) -> Iterator[Fault]:
    entry = tree.get("published")
    if isinstance(entry, Mapping):
        yield from curve_faults(entry)


def _paper_faults(tree: Mapping[str, Any]) -> Iterator[Fault]:
    try:
        paper = PaperTable.model_validate(tree.get("paper"))
    except ValidationError:
        return  # none, or a fault of structure
    tests = [_name(entry) for _, entry in entries_of(tree, "test_on")]
    yield from paper_faults(paper, labels_of(tree), tests)
    adapters = (str(entry.get("adapter")) for _, entry in entries_of(tree, "methods"))
    yield from _training_faults(paper, dict(zip(labels_of(tree), adapters, strict=True)))


def _training_faults(paper: PaperTable, adapters: Mapping[str, str]) -> Iterator[Fault]:
    """Find what a row says of its training that its method does not know."""
    for at, row in enumerate(paper.rows):
        if row.training is None or adapters.get(row.method) not in method_modules():
            continue
        loc: Loc = ("paper", "rows", at, "training")
        config = {k: v for k, v in row.training.config.items() if k != "weights"}  # no paths
        try:
            resolve_config(adapters[row.method], row.training.preset, config)
        except UnknownMethod as error:
            yield Fault((*loc, "preset"), str(error))
        except ValidationError as error:
            known = load_config(adapters[row.method])[0]
            yield from structure_faults(error, known, (*loc, "config"))


def _name(entry: Mapping[str, Any]) -> str:
    return "/".join(str(entry[key]) for key in ("dataset", "subset") if entry.get(key))


CHECKS = (
    method_faults,
    control_faults,
    latent_faults,
    data_faults,
    condition_faults,
    metric_faults,
    geometry_faults,
    repeated_faults,
    _reference_faults,
    _published_faults,
    _paper_faults,
)
