"""Checks of a suite's data, conditions and scoring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from bench import corruptions
from bench.core.errors import DatasetError
from bench.core.registry import suggest
from bench.core.schema import Protocol
from bench.data import datasets
from bench.data.dataset import Dataset
from bench.score import geometry
from bench.score.metrics import METRICS
from bench.suite.entries import entries_of, items_of, mapping_at
from bench.suite.model import SEVERITIES, members
from bench.suite.structure import boolean_faults, structure_faults
from bench.suite.yaml_errors import Fault, Loc


def data_faults(tree: Mapping[str, Any]) -> Iterator[Fault]:
    """Check datasets, their splits and subsets, and their options."""
    for key in ("train_on", "test_on"):
        for loc, entry in entries_of(tree, key):
            name = entry.get("dataset")
            if not isinstance(name, str):
                continue  # a fault of structure
            try:
                dataset = datasets.load_dataset_class(name)
            except DatasetError as error:
                yield Fault((*loc, "dataset"), str(error))
                continue
            for field, names in (("subset", dataset.subsets), ("split", dataset.splits)):
                value = entry.get(field)
                if isinstance(value, str) and value and names and value not in names:
                    message = f"{name} has no {field} {value!r}; {suggest(value, names)}"
                    yield Fault((*loc, field), message)
            options = entry.get("options", {})
            if isinstance(options, Mapping):
                yield from _option_faults(dataset, options, (*loc, "options"))


def _option_faults(dataset: type[Dataset], options: Mapping[str, Any], loc: Loc) -> Iterator[Fault]:
    yield from boolean_faults(options, dataset.Options, loc)
    try:
        dataset.Options.model_validate(options)
    except ValidationError as error:
        yield from structure_faults(error, dataset.Options, loc)


def condition_faults(tree: Mapping[str, Any]) -> Iterator[Fault]:
    """Check corruptions and their severities."""
    listed: set[str] = set()
    for loc, entry in entries_of(tree, "conditions"):
        name = entry.get("corruption")
        if not isinstance(name, str):
            continue  # a fault of structure
        names = members(name)
        if unknown := [member for member in names if member not in SEVERITIES]:
            choices = (*SEVERITIES, *corruptions.GROUPS)
            message = f"no corruption {unknown[0]!r}; {suggest(unknown[0], choices)}"
            yield Fault((*loc, "corruption"), message)
            continue
        if twice := [member for member in names if member in listed]:
            yield Fault((*loc, "corruption"), f"{twice[0]!r} is already listed above")
        listed.update(names)
        yield from _severity_faults(loc, entry.get("severities"), names)


def _severity_faults(loc: Loc, severities: Any, names: tuple[str, ...]) -> Iterator[Fault]:
    for index, severity in items_of(severities):
        number = as_number(severity)
        lacking = [name for name in names if number not in SEVERITIES[name]]
        if number is not None and lacking:
            allowed = SEVERITIES[lacking[0]]
            message = f"severity {severity} of {lacking[0]} is out of range"
            message += f"; it has {allowed[0]} to {allowed[-1]}"
            yield Fault((*loc, "severities", index), message)


def metric_faults(tree: Mapping[str, Any]) -> Iterator[Fault]:
    """Check the names of metrics."""
    for index, name in items_of(mapping_at(tree, "protocol").get("metrics")):
        if isinstance(name, str) and name not in METRICS:
            message = f"no metric {name!r}; {suggest(name, METRICS)}"
            yield Fault(("protocol", "metrics", index), message)
    chosen = mapping_at(tree, "protocol").get("metrics")
    printed = chosen if isinstance(chosen, list) else Protocol.model_fields["metrics"].default
    primary = tree.get("primary")
    if isinstance(primary, str) and primary and primary not in printed:
        message = f"{primary!r} is not one of protocol.metrics"
        yield Fault(("primary",), f"{message}; {suggest(primary, list(map(str, printed)))}")


def geometry_faults(tree: Mapping[str, Any]) -> Iterator[Fault]:
    """Check the scoring geometries, the protocol's and the further ones."""
    protocol = mapping_at(tree, "protocol")
    own, resize = protocol.get("eval_at", "native"), protocol.get("resize")
    named: list[tuple[Loc, Any]] = [(("protocol", "eval_at"), own)]
    for index, name in items_of(tree.get("also_eval_at")):
        named.append((("also_eval_at", index), name))
        if name == own:
            yield Fault(("also_eval_at", index), f"{name!r} is already the protocol's own")
    names = geometry.names()
    for loc, name in named:
        if not isinstance(name, str):
            continue  # a fault of structure
        if name not in names:
            yield Fault(loc, f"no geometry {name!r}; {suggest(name, names)}")
        elif refusal := geometry.load_geometry(name).refusal(_size(resize)):
            yield Fault(loc, refusal)


def _size(value: Any) -> tuple[int, int] | None:
    whole = isinstance(value, list) and len(value) == 2 and all(type(v) is int for v in value)
    return (value[0], value[1]) if whole else None


def repeated_faults(tree: Mapping[str, Any]) -> Iterator[Fault]:
    """Find what is listed twice and would be computed, or counted, twice."""
    lists: list[tuple[Loc, Any]] = [((key,), tree.get(key)) for key in LISTS]
    lists.append((("protocol", "metrics"), mapping_at(tree, "protocol").get("metrics")))
    if tree.get("paired") is not True:  # pairs may share a test set
        lists.append((("test_on",), tree.get("test_on")))
    for key, field in (("conditions", "severities"), ("methods", "seeds")):
        for loc, entry in entries_of(tree, key):
            lists.append(((*loc, field), entry.get(field)))
    for loc, value in lists:
        earlier: list[Any] = []
        for index, item in items_of(value):
            number = as_number(item)
            same = item if number is None else number
            if same in earlier:
                yield Fault((*loc, index), f"{item!r} is already item {earlier.index(same)}")
            earlier.append(same)


LISTS = ("seeds", "sampling_seeds", "tasks", "mappings", "also_eval_at", "resolutions", "train_on")
"""Of a suite, lists that have each item once."""


def as_number(value: Any) -> float | None:
    """Return the number that a value stands for, ``"3"`` and ``3.0`` included, or None."""
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
