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
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from bench import corruptions, datasets, perturbations
from bench.dataset import DatasetError
from bench.discover import (
    UnknownMethod,
    config_is_light,
    load_config,
    method_modules,
    resolve_config,
    suggest,
)
from bench.faults import Fault, Loc, as_lines, structure_faults
from bench.manifest import Contrast, PaperTable, Published
from bench.metrics import METRICS
from bench.paper import curve_faults, paper_faults
from bench.schema import CLEAN, Condition, DataRef, Frozen, Positive, Protocol, Score, Task
from bench.stand_in import StandIn, put_in_place

SEVERITIES: Mapping[str, range] = {**corruptions.SEVERITIES, **perturbations.SEVERITIES}
"""Of every condition: corruptions of images, and perturbations of latents."""


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
    """A corruption, or a perturbation of latents, at several severities."""

    corruption: str
    severities: tuple[int, ...] = ()
    """All that it has, when absent."""

    def expand(self) -> Iterator[Condition]:
        """Return one condition a severity."""
        for severity in self.severities or SEVERITIES[self.corruption]:
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
    optional: bool = False
    """Left out where its data are missing, and a run is complete without it."""

    def reference(self) -> DataRef:
        """Return the split alone."""
        return DataRef.model_validate(self.model_dump(exclude={"corrupt", "optional"}))


TestReference = Annotated[TestEntry, BeforeValidator(partial(_expand, split="val"))]


Seeds = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]


class Suite(Frozen):
    """A suite file's content."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    question: str
    methods: Annotated[tuple[MethodEntry, ...], Field(min_length=1)]
    train_on: Annotated[tuple[TrainReference, ...], Field(min_length=1)]
    test_on: Annotated[tuple[TestReference, ...], Field(min_length=1)]
    paired: bool = False
    """Test sets and training sets go together one by one, instead of each with each."""
    conditions: tuple[ConditionEntry, ...] = ()
    """Beside the clean images, which are always evaluated."""
    tasks: Annotated[tuple[Task, ...], Field(min_length=1)] = ("predict",)
    seeds: Seeds = (0,)
    sampling_seeds: Seeds = (0,)
    """Of the draws a trained method makes at prediction: how far sampling moves its score."""
    mappings: Annotated[tuple[Literal["soft", "hard"], ...], Field(min_length=1)] = ("soft", "hard")
    """How predictions become labels of a test set in another label space than the training's,
    which must then be a taxonomy's universal one."""
    protocol: Protocol
    also_score: tuple[Score, ...] = ()
    """Further ways of scoring the same predictions; each makes cells of its own."""
    resolutions: tuple[Positive, ...] = ()
    """Short sides, in pixels, that test images are evaluated at in place of the protocol's size:
    MSeg's three. The first one is fixed beforehand; the report sets the maximum beside it."""
    reference: str = ""
    """Label of the method against which corruption errors are normalised."""
    published: Published | None = None
    """Curves of a publication to show beside the measured ones."""
    paper: PaperTable | None = None
    """The published table that the suite repeats."""
    stand_in: StandIn | None = None
    """What takes the place of data and sizes that not everyone has, under ``--stand-in``."""
    contrasts: tuple[Contrast, ...] = ()
    """Differences that the question is about; the report's first paragraph has them."""

    def tests_of(self, train_on: DataRef) -> tuple[TestEntry, ...]:
        """Return the test sets of a training set."""
        return (self.test_on[self.train_on.index(train_on)],) if self.paired else self.test_on

    @model_validator(mode="after")
    def _pairs_match(self) -> Suite:
        if self.paired and len(self.train_on) != len(self.test_on):
            sets = f"{len(self.train_on)} training and {len(self.test_on)} test sets"
            raise ValueError(f"paired: {sets}; there must be as many of one as of the other")
        return self

    @model_validator(mode="after")
    def _further_scores_fit(self) -> Suite:
        if self.protocol.score in self.also_score:
            raise ValueError(f"also_score: {self.protocol.score!r} is the protocol's own score")
        self.protocols()
        return self

    def protocols(self) -> tuple[Protocol, ...]:
        """Return the protocol of each test resolution and way of scoring, its own first.

        Raises:
            ValueError: if a way of scoring does not go with the rest.
        """
        settings = self.protocol.model_dump()
        fixed = {"resize": None, "crop": self.protocol.input_size}
        sized = [{**fixed, "short_side": side} for side in self.resolutions]
        return tuple(
            Protocol.model_validate({**settings, **changes, "score": score})
            for changes in sized or [{}]
            for score in (self.protocol.score, *self.also_score)
        )

    def all_conditions(self) -> tuple[Condition, ...]:
        """Return the clean condition, then every corruption in order."""
        return (CLEAN, *(c for entry in self.conditions for c in entry.expand()))


class LoadedSuite(typing.NamedTuple):
    """A valid suite and the text that it came from, overrides applied."""

    suite: Suite
    source: str
    stand_in: str = ""
    """What stands in for what; empty when the suite is as it is in the file."""


def read_suite(path: Path, overrides: Sequence[str] = (), stand_in: bool = False) -> LoadedSuite:
    """Read and check a suite file.

    Args:
        path: the YAML file.
        overrides: ``key.path=value`` settings; values are YAML, list items go by index.
        stand_in: take the suite with its stand-in in place, which is checked in any case.

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
    replaced = None
    if suite is not None and suite.stand_in and not faults:
        found, replaced = _validate(put_in_place(tree, suite.stand_in))
        faults = [_of_stand_in(fault) for fault in found]
    if faults or suite is None:
        raise SuiteError(as_lines(path, tree, faults))
    text = StringIO()
    yaml.dump(tree, text)
    if not stand_in:
        return LoadedSuite(suite, text.getvalue())
    if replaced is None:
        raise SuiteError(f"{path}: --stand-in: the suite says under no 'stand_in' what would do")
    return LoadedSuite(replaced, text.getvalue(), str(suite.stand_in))


def _of_stand_in(fault: Fault) -> Fault:
    where = ".".join(map(str, fault.loc))
    return Fault(("stand_in",), f"with it in place, {where}: {fault.message}")


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


def _validate(tree: dict[str, Any]) -> tuple[list[Fault], Suite | None]:
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
    faults += _reference_faults(tree)
    faults += _published_faults(tree)
    faults += _paper_faults(tree)
    return faults, suite


def _entries(tree: Mapping[str, Any], key: str) -> Iterator[tuple[Loc, Mapping[str, Any]]]:
    """Walk the mappings of a list in the file, whatever else is wrong with it."""
    items = tree.get(key)
    for index, item in enumerate(items if isinstance(items, list) else []):
        if key in ("train_on", "test_on"):
            item = _expand(item, "")
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


def _reference_faults(tree: Mapping[str, Any]) -> Iterator[Fault]:
    entries = [entry for _, entry in _entries(tree, "methods")]
    labels = [str(entry.get("label") or entry.get("adapter")) for entry in entries]
    named: list[tuple[Loc, Any]] = [(("reference",), tree.get("reference"))]
    for loc, contrast in _entries(tree, "contrasts"):
        first = contrast.get("first")
        members = enumerate(first if isinstance(first, list) else [])
        named += [((*loc, "first", index), label) for index, label in members]
        named.append(((*loc, "second"), contrast.get("second")))
    for loc, label in named:
        if label and label not in labels:
            message = f"no method is labelled {label!r}; {suggest(str(label), labels)}"
            yield Fault(loc, message)


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


def _name(entry: Mapping[str, Any]) -> str:
    return "/".join(str(entry[key]) for key in ("dataset", "subset") if entry.get(key))


def _keys(model: type[BaseModel]) -> str:
    return ", ".join(model.model_fields)
