"""What ``controls: true`` stands for: a method's twin and parts, and its contrasts with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.core.manifest import Contrast
from bench.core.registry import load_config, method_modules
from bench.suite.entries import entries_of
from bench.suite.model import MethodEntry, Suite
from bench.suite.yaml_errors import Fault

CONTROL = "control"
"""The field of a method's configuration that makes a control of it."""


def with_controls(suite: Suite) -> Suite:
    """Return a suite with the controls that its methods ask for, and their contrasts."""
    methods, controls, contrasts = [], [], list(suite.contrasts)
    for entry in suite.methods:
        methods.append(entry.model_copy(update={"controls": False}))
        for value, label in _labels(entry.adapter, entry.title) if entry.controls else ():
            config = {**entry.config, CONTROL: value}
            changes = {"label": label, "config": config, "controls": False}
            controls.append(entry.model_copy(update=changes))
            contrasts += _contrasts(suite, entry, label)
    return suite.model_copy(
        update={"methods": (*methods, *controls), "contrasts": tuple(contrasts)}
    )


def _labels(adapter: str, title: str) -> Iterator[tuple[str, str]]:
    """Yield the controls of a method: the value of its field, and what it is called."""
    for value, name in load_config(adapter)[0].controls.items():
        yield value, f"{title} {name}"


def _contrasts(suite: Suite, entry: MethodEntry, label: str) -> Iterator[Contrast]:
    """Yield the differences between a method and a control of it."""
    floor = any(load_config(each.adapter)[0].floor for each in suite.methods)
    yield _contrast(entry, label, "clean")
    if suite.conditions:
        yield _contrast(entry, label, "mPC")
    if suite.conditions and floor:
        yield _contrast(entry, label, "above floor")


def _contrast(entry: MethodEntry, label: str, measure: Any) -> Contrast:
    name = f"{entry.title} minus its {label.removeprefix(entry.title).strip()}, {measure}"
    return Contrast(name=name, first=(entry.title,), second=label, measure=measure)


def control_labels(tree: Mapping[str, Any]) -> dict[str, int]:
    """Return the labels of all controls that a suite's tree asks for, with their method's index."""
    labels: dict[str, int] = {}
    for loc, entry in entries_of(tree, "methods"):
        adapter = entry.get("adapter")
        if entry.get("controls") is True and adapter in method_modules():
            title = str(entry.get("label") or adapter)
            labels |= {label: int(loc[1]) for _, label in _labels(str(adapter), title)}
    return labels


def control_faults(tree: Mapping[str, Any]) -> Iterator[Fault]:
    """Find methods that have no controls, are one, or whose controls' labels are taken."""
    for loc, entry in entries_of(tree, "methods"):
        adapter = entry.get("adapter")
        if entry.get("controls") is not True or adapter not in method_modules():
            continue
        config = entry.get("config")
        if not load_config(str(adapter))[0].controls:
            yield Fault((*loc, "controls"), f"{adapter} has no controls; leave the key out")
        elif isinstance(config, Mapping) and config.get(CONTROL):
            message = f"the method is a control itself: {config[CONTROL]}; ask its whole for them"
            yield Fault((*loc, "controls"), message)
    titles = [str(e.get("label") or e.get("adapter")) for _, e in entries_of(tree, "methods")]
    for label, index in control_labels(tree).items():
        if label in titles:
            message = f"label {label!r} is that of a control of methods.{index}"
            yield Fault(("methods", titles.index(label), "label"), message)
