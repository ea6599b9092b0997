"""The checks of a suite beyond its structure: all faults at once, each at its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import ValidationError

from bench.core.errors import DatasetError, UnknownMethod
from bench.core.manifest import PaperTable
from bench.core.registry import (
    config_is_light,
    load_config,
    method_modules,
    resolve_config,
    suggest,
)
from bench.core.schema import Family
from bench.data import datasets
from bench.score import geometry
from bench.score.metrics import METRICS
from bench.suite.model import SEVERITIES, Suite, expand
from bench.suite.published_table import curve_faults, paper_faults
from bench.suite.yaml_errors import Fault, Loc, structure_faults


def validate(tree: dict[str, Any]) -> tuple[list[Fault], Suite | None]:
    """Collect the faults of structure and of meaning."""
    faults: list[Fault] = []
    suite = None
    try:
        suite = Suite.model_validate(tree)
    except ValidationError as error:
        faults += structure_faults(error, Suite)
    faults += _method_faults(tree)
    faults += _data_faults(tree)
    faults += _condition_faults(tree)
    faults += _metric_faults(tree)
    faults += _geometry_faults(tree)
    faults += _reference_faults(tree)
    faults += _published_faults(tree)
    faults += _paper_faults(tree)
    return faults, suite


def _entries(tree: Mapping[str, Any], key: str) -> Iterator[tuple[Loc, Mapping[str, Any]]]:
    """Walk the mappings of a list in the file, whatever else is wrong with it."""
    items = tree.get(key)
    for index, item in enumerate(items if isinstance(items, list) else []):
        if key in ("train_on", "test_on"):
            item = expand(item, "")
        if isinstance(item, Mapping):
            yield (key, index), item


def _method_faults(tree: Mapping[str, Any]) -> Iterator[Fault]:
    modules = method_modules()
    labels: dict[str, int] = {}
    for loc, entry in _entries(tree, "methods"):
        adapter = entry.get("adapter")
        label = str(entry.get("label") or adapter)
        if label in labels:
            where = "label" if "label" in entry else "adapter"
            message = f"label {label!r} is already that of methods.{labels[label]}"
            yield Fault((*loc, where), f"{message}; labels tell methods apart")
        labels.setdefault(label, int(loc[1]))
        if not isinstance(adapter, str):
            continue
        if adapter not in modules:
            message = f"no method {adapter!r}; {suggest(adapter, modules)}"
            yield Fault((*loc, "adapter"), message)
        else:
            yield from _config_faults(loc, entry, adapter)


def _config_faults(loc: Loc, entry: Mapping[str, Any], adapter: str) -> Iterator[Fault]:
    preset, config = entry.get("preset", "tiny"), entry.get("config") or {}
    if not isinstance(config, Mapping):
        return  # a fault of structure
    if not (config or "preset" in entry or config_is_light(adapter)):
        return  # nothing to check, and importing the method's file would be slow
    try:
        resolve_config(adapter, str(preset), config)
    except UnknownMethod as error:
        yield Fault((*loc, "preset") if "preset" in entry else loc, str(error))
    except ValidationError as error:
        yield from structure_faults(error, load_config(adapter)[0], (*loc, "config"))


def _data_faults(tree: Mapping[str, Any]) -> Iterator[Fault]:
    for key in ("train_on", "test_on"):
        for loc, entry in _entries(tree, key):
            name = entry.get("dataset")
            if not isinstance(name, str):
                continue
            try:
                dataset = datasets.load_dataset_class(name)
            except DatasetError as error:
                yield Fault((*loc, "dataset"), str(error))
                continue
            for field, known in (("subset", dataset.subsets), ("split", dataset.splits)):
                value = entry.get(field)
                if value and value not in known:
                    message = f"{name} has no {field} {value!r}; {suggest(str(value), known)}"
                    yield Fault((*loc, field), message)
            try:
                dataset.Options.model_validate(entry.get("options") or {})
            except ValidationError as error:
                yield from structure_faults(error, dataset.Options, (*loc, "options"))


def _condition_faults(tree: Mapping[str, Any]) -> Iterator[Fault]:
    seen: set[str] = set()
    for loc, entry in _entries(tree, "conditions"):
        name = entry.get("corruption")
        if not isinstance(name, str):
            continue
        if name not in SEVERITIES:
            message = f"no corruption {name!r}; {suggest(name, SEVERITIES)}"
            yield Fault((*loc, "corruption"), message)
            continue
        if name in seen:
            yield Fault((*loc, "corruption"), f"{name!r} is already listed above")
        seen.add(name)
        severities = entry.get("severities")
        allowed = SEVERITIES[name]
        for index, severity in enumerate(severities if isinstance(severities, list) else []):
            if isinstance(severity, int) and severity not in allowed:
                message = f"severity {severity} of {name} is out of range"
                message += f"; it has {allowed[0]} to {allowed[-1]}"
                yield Fault((*loc, "severities", index), message)


def _metric_faults(tree: Mapping[str, Any]) -> Iterator[Fault]:
    protocol = tree.get("protocol")
    metrics = protocol.get("metrics") if isinstance(protocol, Mapping) else None
    for index, name in enumerate(metrics if isinstance(metrics, list) else []):
        if name not in METRICS:
            message = f"no metric {name!r}; {suggest(str(name), METRICS)}"
            yield Fault(("protocol", "metrics", index), message)


def _geometry_faults(tree: Mapping[str, Any]) -> Iterator[Fault]:
    protocol = tree.get("protocol")
    protocol = protocol if isinstance(protocol, Mapping) else {}
    further = tree.get("also_eval_at")
    named: list[tuple[Loc, Any]] = [(("protocol", "eval_at"), protocol.get("eval_at", "native"))]
    named += [(("also_eval_at", index), name) for index, name in _items(further)]
    known = geometry.names()
    for loc, name in named:
        if not isinstance(name, str):
            continue  # a fault of structure
        if name not in known:
            yield Fault(loc, f"no geometry {name!r}; {suggest(name, known)}")
        elif refusal := geometry.load_geometry(name).refusal(_pair(protocol.get("resize"))):
            yield Fault(loc, refusal)


def _items(value: Any) -> Iterator[tuple[int, Any]]:
    """Return the items of a list in the file with their indices; none if it is no list."""
    return enumerate(value if isinstance(value, list) else ())


def _pair(value: Any) -> tuple[int, int] | None:
    return (value[0], value[1]) if isinstance(value, list) and len(value) == 2 else None


def _reference_faults(tree: Mapping[str, Any]) -> Iterator[Fault]:
    entries = [entry for _, entry in _entries(tree, "methods")]
    labels = [str(entry.get("label") or entry.get("adapter")) for entry in entries]
    named: list[tuple[Loc, Any]] = [(("reference",), tree.get("reference"))]
    for loc, contrast in _entries(tree, "contrasts"):
        first = contrast.get("first")
        members = enumerate(first if isinstance(first, list) else [])
        named += [((*loc, "first", index), label) for index, label in members]
        named.append(((*loc, "second"), contrast.get("second")))
        yield from _family_faults(tree, loc, contrast)
    for loc, label in named:
        if isinstance(label, str) and label and label not in labels:
            message = f"no method is labelled {label!r}; {suggest(str(label), labels)}"
            yield Fault(loc, message)


def _family_faults(
    tree: Mapping[str, Any], loc: Loc, contrast: Mapping[str, Any]
) -> Iterator[Fault]:
    """Find families that no method of the suite is of."""
    for side in ("first", "second"):
        value = contrast.get(side)
        family = value.get("family") if isinstance(value, Mapping) else None
        if family in get_args(Family):
            adapters = {str(entry.get("adapter")) for _, entry in _entries(tree, "methods")}
            known = adapters.intersection(method_modules())
            if family not in {load_config(adapter)[0].family for adapter in known}:
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
    methods = [entry for _, entry in _entries(tree, "methods")]
    labels = [str(entry.get("label") or entry.get("adapter")) for entry in methods]
    tests = [_name(entry) for _, entry in _entries(tree, "test_on")]
    yield from paper_faults(paper, labels, tests)
    yield from _training_faults(
        paper, {k: str(e.get("adapter")) for k, e in zip(labels, methods, strict=True)}
    )


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
