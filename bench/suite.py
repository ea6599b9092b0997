"""The suite language: a YAML file, one question, checked whole before anything runs.

:func:`read_suite` is pure and imports nothing slow. It reports every fault of a file at
once, each as ``file:line:column: where: what is wrong; what would be right``.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError

from bench import corruptions, datasets
from bench.claims.reported import PAPERS, ClaimsError, load_reported
from bench.dataset import DatasetError
from bench.discover import (
    UnknownMethod,
    config_is_light,
    load_config,
    method_modules,
    resolve_config,
    suggest,
)
from bench.metrics import METRICS
from bench.schema import CLEAN, Condition, DataRef, Frozen, Protocol, Published, Task

Loc = tuple[str | int, ...]


class SuiteError(Exception):
    """All faults of a suite file, one a line."""


class MethodEntry(Frozen):
    """A method as a suite names it."""

    adapter: str
    label: str = ""
    """What tables and plots call it; the adapter's name when absent."""
    preset: str = "tiny"
    config: Mapping[str, Any] = {}
    """Values that replace the preset's."""

    @property
    def title(self) -> str:
        """The label, or the adapter's name where none is given."""
        return self.label or self.adapter


class ConditionEntry(Frozen):
    """A corruption at several severities."""

    corruption: str
    severities: tuple[int, ...] = ()
    """All that the corruption has, when absent."""

    def expand(self) -> Iterator[Condition]:
        """Return one condition a severity."""
        for severity in self.severities or corruptions.SEVERITIES[self.corruption]:
            yield Condition(corruption=self.corruption, severity=severity)


def _expand(value: Any, split: str) -> Any:
    """Let ``scenes/city`` stand for ``{dataset: scenes, subset: city}``; default the split."""
    if isinstance(value, str):
        dataset, _, subset = value.partition("/")
        value = {"dataset": dataset, "subset": subset}
    return {"split": split, **value} if isinstance(value, Mapping) else value


TrainReference = Annotated[DataRef, BeforeValidator(partial(_expand, split="train"))]


class TestEntry(DataRef):
    """A test split, and whether it is corrupted."""

    __test__ = False  # not a pytest class
    corrupt: bool = True
    """False: evaluated clean only, as for a domain that is a condition by itself."""

    def reference(self) -> DataRef:
        """Return the split alone."""
        return DataRef.model_validate(self.model_dump(exclude={"corrupt"}))


TestReference = Annotated[TestEntry, BeforeValidator(partial(_expand, split="val"))]


Seeds = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]


class Suite(Frozen):
    """A suite file's content."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    question: str
    methods: Annotated[tuple[MethodEntry, ...], Field(min_length=1)]
    train_on: Annotated[tuple[TrainReference, ...], Field(min_length=1)]
    test_on: Annotated[tuple[TestReference, ...], Field(min_length=1)]
    conditions: tuple[ConditionEntry, ...] = ()
    """Beside the clean images, which are always evaluated."""
    tasks: Annotated[tuple[Task, ...], Field(min_length=1)] = ("predict",)
    seeds: Seeds = (0,)
    sampling_seeds: Seeds = (0,)
    """Of the draws a trained method makes at prediction: how far sampling moves its score."""
    protocol: Protocol
    reference: str = ""
    """Label of the method against which corruption errors are normalised."""
    published: Published | None = None
    """Curves of a publication to show beside the measured ones."""

    def all_conditions(self) -> tuple[Condition, ...]:
        """Return the clean condition, then every corruption in order."""
        return (CLEAN, *(c for entry in self.conditions for c in entry.expand()))


class LoadedSuite(typing.NamedTuple):
    """A valid suite and the text that it came from, overrides applied."""

    suite: Suite
    source: str


class _Fault(typing.NamedTuple):
    loc: Loc
    message: str
    on_key: bool = False


def read_suite(path: Path, overrides: Sequence[str] = ()) -> LoadedSuite:
    """Read and check a suite file.

    Args:
        path: the YAML file.
        overrides: ``key.path=value`` settings; values are YAML, list items go by index.

    Raises:
        SuiteError: with every fault found.
    """
    yaml = YAML()
    try:
        tree = yaml.load(path.read_text())
    except OSError as error:
        raise SuiteError(f"{path}: cannot be read ({error.strerror})") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise SuiteError(f"{path}:{line}:{column}: not YAML: {error.problem}") from error
    if not isinstance(tree, dict):
        raise SuiteError(f"{path}:1:1: a mapping is expected, with the keys {_keys(Suite)}")
    for override in overrides:
        _override(tree, override, yaml)
    faults, suite = _validate(tree)
    if faults or suite is None:
        placed = sorted((_position(tree, fault), fault) for fault in faults)
        raise SuiteError("\n".join(_format(path, *item) for item in placed))
    text = StringIO()
    yaml.dump(tree, text)
    return LoadedSuite(suite, text.getvalue())


def _override(tree: Any, override: str, yaml: YAML) -> None:
    """Set one value of the tree from ``key.path=value``."""
    path, separator, text = override.partition("=")
    if not separator:
        raise SuiteError(f"--set {override}: key=value is expected, such as seeds=[0,1]")
    parts = [int(part) if part.isdigit() else part for part in path.split(".")]
    node = tree
    try:
        for part in parts[:-1]:
            node = node.setdefault(part, {}) if isinstance(node, dict) else node[part]
        node[parts[-1]] = yaml.load(text)
    except (IndexError, TypeError) as error:
        raise SuiteError(f"--set {override}: the suite has nothing at {path!r}") from error


def _validate(tree: dict[str, Any]) -> tuple[list[_Fault], Suite | None]:
    """Collect the faults of structure and of meaning."""
    faults: list[_Fault] = []
    suite = None
    try:
        suite = Suite.model_validate(tree)
    except ValidationError as error:
        faults += _structure_faults(error, Suite)
    faults += _method_faults(tree)
    faults += _data_faults(tree)
    faults += _condition_faults(tree)
    faults += _metric_faults(tree)
    faults += _reference_faults(tree)
    faults += _published_faults(tree)
    return faults, suite


def _structure_faults(
    error: ValidationError, model: type[BaseModel], prefix: Loc = ()
) -> Iterator[_Fault]:
    """Put pydantic's findings on a part of the file into this module's words."""
    details = error.errors(include_url=False)
    for detail in details:
        inner = detail["loc"]
        if detail["type"] == "too_short" and any(d["loc"][:-1] == inner for d in details):
            continue  # only because the items it had are wrong, which is said
        loc = (*prefix, *inner)
        if detail["type"] == "extra_forbidden":
            hint = suggest(str(inner[-1]), _fields_at(model, inner[:-1]))
            yield _Fault(loc, f"unknown key {inner[-1]!r}; {hint}", on_key=True)
        elif detail["type"] == "missing":
            yield _Fault(loc, f"the key {inner[-1]!r} is missing")
        else:
            message = detail["msg"].removeprefix("Value error, ")
            yield _Fault(loc, f"{message}; got {detail['input']!r}")


def _entries(tree: Mapping[str, Any], key: str) -> Iterator[tuple[Loc, Mapping[str, Any]]]:
    """Walk the mappings of a list in the file, whatever else is wrong with it."""
    items = tree.get(key)
    for index, item in enumerate(items if isinstance(items, list) else []):
        if key in ("train_on", "test_on"):
            item = _expand(item, "")
        if isinstance(item, Mapping):
            yield (key, index), item


def _method_faults(tree: Mapping[str, Any]) -> Iterator[_Fault]:
    modules = method_modules()
    labels: dict[str, int] = {}
    for loc, entry in _entries(tree, "methods"):
        adapter = entry.get("adapter")
        label = str(entry.get("label") or adapter)
        if label in labels:
            where = "label" if "label" in entry else "adapter"
            message = f"label {label!r} is already that of methods.{labels[label]}"
            yield _Fault((*loc, where), f"{message}; labels tell methods apart")
        labels.setdefault(label, int(loc[1]))
        if not isinstance(adapter, str):
            continue
        if adapter not in modules:
            message = f"no method {adapter!r}; {suggest(adapter, modules)}"
            yield _Fault((*loc, "adapter"), message)
        else:
            yield from _config_faults(loc, entry, adapter)


def _config_faults(loc: Loc, entry: Mapping[str, Any], adapter: str) -> Iterator[_Fault]:
    preset, config = entry.get("preset", "tiny"), entry.get("config") or {}
    if not isinstance(config, Mapping):
        return  # a fault of structure
    if not (config or "preset" in entry or config_is_light(adapter)):
        return  # nothing to check, and importing the method's file would be slow
    try:
        resolve_config(adapter, str(preset), config)
    except UnknownMethod as error:
        yield _Fault((*loc, "preset") if "preset" in entry else loc, str(error))
    except ValidationError as error:
        yield from _structure_faults(error, load_config(adapter)[0], (*loc, "config"))


def _data_faults(tree: Mapping[str, Any]) -> Iterator[_Fault]:
    for key in ("train_on", "test_on"):
        for loc, entry in _entries(tree, key):
            name = entry.get("dataset")
            if not isinstance(name, str):
                continue
            try:
                dataset = datasets.load_dataset_class(name)
            except DatasetError as error:
                yield _Fault((*loc, "dataset"), str(error))
                continue
            for field, known in (("subset", dataset.subsets), ("split", dataset.splits)):
                value = entry.get(field)
                if value and value not in known:
                    message = f"{name} has no {field} {value!r}; {suggest(str(value), known)}"
                    yield _Fault((*loc, field), message)
            try:
                dataset.Options.model_validate(entry.get("options") or {})
            except ValidationError as error:
                yield from _structure_faults(error, dataset.Options, (*loc, "options"))


def _condition_faults(tree: Mapping[str, Any]) -> Iterator[_Fault]:
    seen: set[str] = set()
    for loc, entry in _entries(tree, "conditions"):
        name = entry.get("corruption")
        if not isinstance(name, str):
            continue
        if name not in corruptions.NAMES:
            message = f"no corruption {name!r}; {suggest(name, corruptions.NAMES)}"
            yield _Fault((*loc, "corruption"), message)
            continue
        if name in seen:
            yield _Fault((*loc, "corruption"), f"{name!r} is already listed above")
        seen.add(name)
        severities = entry.get("severities")
        allowed = corruptions.SEVERITIES[name]
        for index, severity in enumerate(severities if isinstance(severities, list) else []):
            if isinstance(severity, int) and severity not in allowed:
                message = f"severity {severity} of {name} is out of range"
                message += f"; it has {allowed[0]} to {allowed[-1]}"
                yield _Fault((*loc, "severities", index), message)


def _metric_faults(tree: Mapping[str, Any]) -> Iterator[_Fault]:
    protocol = tree.get("protocol")
    metrics = protocol.get("metrics") if isinstance(protocol, Mapping) else None
    for index, name in enumerate(metrics if isinstance(metrics, list) else []):
        if name not in METRICS:
            message = f"no metric {name!r}; {suggest(str(name), METRICS)}"
            yield _Fault(("protocol", "metrics", index), message)


def _reference_faults(tree: Mapping[str, Any]) -> Iterator[_Fault]:
    reference = tree.get("reference")
    entries = [entry for _, entry in _entries(tree, "methods")]
    labels = [str(entry.get("label") or entry.get("adapter")) for entry in entries]
    if reference and reference not in labels:
        message = f"no method is labelled {reference!r}; {suggest(str(reference), labels)}"
        yield _Fault(("reference",), message)


def _published_faults(tree: Mapping[str, Any]) -> Iterator[_Fault]:
    """Look the publication up, key by key: paper, its method, that method's metric."""
    entry = tree.get("published")
    if not isinstance(entry, Mapping):
        return
    try:
        rows = [{"paper": number.paper, **number.row} for number in load_reported(PAPERS)]
    except ClaimsError as error:
        yield _Fault(("published",), str(error))
        return
    place = ""
    for key in Published.model_fields:
        known = sorted({row[key] for row in rows})
        if entry.get(key) not in known:
            if key in entry:
                message = f"no reported number{place} has {key} {entry[key]!r}"
                message += f"; {suggest(str(entry[key]), known)}"
                yield _Fault(("published", key), message)
            return
        place += f" of {entry[key]}"
        rows = [row for row in rows if row[key] == entry[key]]


def _keys(model: type[BaseModel]) -> str:
    return ", ".join(model.model_fields)


def _fields_at(model: type[BaseModel], loc: Loc) -> tuple[str, ...]:
    """Return the keys that are allowed at a place of a model."""
    current: Any = model
    for part in loc:
        if isinstance(part, int):
            continue
        field = current.model_fields.get(part) if _is_model(current) else None
        current = next(_models_in(field.annotation), None) if field else None
    return tuple(current.model_fields) if _is_model(current) else ()


def _is_model(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Find the models within an annotation such as ``tuple[Annotated[Entry, ...], ...]``."""
    if _is_model(annotation):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _models_in(argument)


def _format(path: Path, position: tuple[int, int], fault: _Fault) -> str:
    line, column = position
    where = ".".join(map(str, fault.loc))
    return f"{path}:{line}:{column}: {where}: {fault.message}"


def _position(tree: Any, fault: _Fault) -> tuple[int, int]:
    """Return the line and column, from 1, of the deepest place of a fault in the file."""
    position: tuple[int, int] = (0, 0)
    node = tree
    for depth, part in enumerate(fault.loc):
        on_key = fault.on_key and depth == len(fault.loc) - 1
        try:
            if isinstance(node, CommentedMap):
                position = node.lc.key(part) if on_key else node.lc.value(part)
            else:
                position = node.lc.item(part)
            node = node[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break  # a missing key, a value set by --set, or a short form
    return position[0] + 1, position[1] + 1
