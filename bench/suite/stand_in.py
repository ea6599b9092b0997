"""Stand-ins: a suite that needs data and sizes not everyone has, with others in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.core.registry import default_preset
from bench.core.schema import Frozen, Protocol

SUFFIX = "-stand-in"
"""Ends the name of such a suite, and so of its results, its report and the files in it."""


class StandIn(Frozen):
    """What takes the place of what, under ``--stand-in``."""

    data: Mapping[str, str]
    """For a dataset of the suite, ``dataset`` or ``dataset/subset``, one that all have."""
    train: Mapping[str, Any] = {}
    """Options of what is trained on instead."""
    test: Mapping[str, Any] = {}
    """Options of what is tested on instead."""
    presets: Mapping[str, str]
    """For a preset of the suite, a smaller one."""
    config: Mapping[str, Mapping[str, Any]] = {}
    """By adapter, settings in place of those of the suite's methods, whole or not at all."""
    protocol: Protocol

    def __str__(self) -> str:
        data = ", ".join(f"{n} for {old}" for old, n in self.data.items() if n != old)
        sizes = ", ".join(dict.fromkeys(self.presets.values()))
        told = f"generated scenes ({data}), size {sizes or 'as it is'}"
        return f"Stand-in: {told}; says nothing of the published numbers"


def put_in_place(tree: Mapping[str, Any], stand_in: StandIn) -> dict[str, Any]:
    """Return a valid suite's content with the stand-in in place of what it stands for."""
    changed = {key: value for key, value in tree.items() if key != "stand_in"}
    changed["name"] += SUFFIX
    changed["protocol"] = tree["stand_in"]["protocol"]
    for key, options in (("train_on", stand_in.train), ("test_on", stand_in.test)):
        replaced = [_data(entry, stand_in.data, options) for entry in tree[key]]
        changed[key] = [each for at, each in enumerate(replaced) if each not in replaced[:at]]
    changed["methods"] = [_method(entry, stand_in) for entry in tree["methods"]]
    if "paper" in tree:
        columns = [_column(column, stand_in.data) for column in tree["paper"]["columns"]]
        changed["paper"] = {**tree["paper"], "columns": columns}
    return changed


def _data(entry: Any, data: Mapping[str, str], options: Mapping[str, Any]) -> Any:
    if isinstance(entry, str):
        dataset, _, subset = entry.partition("/")
        entry = {"dataset": dataset, "subset": subset}
    name = "/".join(part for part in (entry["dataset"], entry.get("subset", "")) if part)
    if name not in data:
        return entry
    dataset, _, subset = data[name].partition("/")
    return {**entry, "dataset": dataset, "subset": subset, "options": dict(options)}


def _method(entry: Mapping[str, Any], stand_in: StandIn) -> dict[str, Any]:
    preset = entry.get("preset", default_preset(entry["adapter"]))
    config = {**entry.get("config", {}), **stand_in.config.get(entry["adapter"], {})}
    return {**entry, "preset": stand_in.presets.get(preset, preset), "config": config}


def _column(column: Mapping[str, Any], data: Mapping[str, str]) -> dict[str, Any]:
    names = column.get("test_on", [])
    names = [names] if isinstance(names, str) else names
    return {**column, "test_on": list(dict.fromkeys(data.get(name, name) for name in names))}
