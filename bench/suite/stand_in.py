"""Stand-ins: a suite that needs data and sizes not everyone has, with others in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError

from bench.core.errors import UnknownMethod
from bench.core.registry import default_preset, merge, resolve_config
from bench.core.schema import Frozen, Protocol
from bench.core.stage import Stage


class StandIn(Frozen):
    """What takes the place of what, under ``--stand-in``."""

    data: Mapping[str, str]
    """For a dataset of the suite, ``dataset`` or ``dataset/subset``, one that all have."""
    train: Mapping[str, Any] = {}
    """Options of what is trained on instead."""
    test: Mapping[str, Any] = {}
    """Options of what is tested on instead."""
    presets: Mapping[str, str]
    """For a method's label or its preset in the suite, a smaller one."""
    config: Mapping[str, Mapping[str, Any]] = {}
    """By adapter, settings in place of those of the suite's methods, whole or not at all."""
    steps: Annotated[float, Field(ge=0.01, le=1)] = 1.0
    """Share of their training steps that the smaller presets do: enough to fill a table."""
    protocol: Protocol

    @property
    def suffix(self) -> str:
        """What ends the name of such a suite, and so of its results, report and files."""
        share = f"-{100 * self.steps:.0f}pct" if self.steps < 1 else ""
        return f"-stand-in{share}"

    def __str__(self) -> str:
        data = ", ".join(f"{n} for {old}" for old, n in self.data.items() if n != old)
        sizes = ", ".join(dict.fromkeys(self.presets.values()))
        told = f"generated scenes ({data}), size {sizes or 'as it is'}"
        share = f", each trained for {100 * self.steps:.0f}% of its steps" if self.steps < 1 else ""
        return f"Stand-in: {told}{share}; says nothing of the published numbers"


def put_in_place(tree: Mapping[str, Any], stand_in: StandIn) -> dict[str, Any]:
    """Return a valid suite's content with the stand-in in place of what it stands for."""
    changed = {key: value for key, value in tree.items() if key != "stand_in"}
    changed["name"] += stand_in.suffix
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
    adapter = entry["adapter"]
    preset = entry.get("preset", default_preset(adapter))
    of_preset = stand_in.presets.get(preset, preset)
    preset = stand_in.presets.get(entry.get("label", ""), of_preset)
    config = {**entry.get("config", {}), **stand_in.config.get(adapter, {})}
    if stand_in.steps < 1:
        try:
            resolved = resolve_config(adapter, preset, config)
        except (UnknownMethod, ValidationError):
            pass  # said with the other faults, when the result is checked
        else:
            shortened = resolved.with_steps_times(stand_in.steps)
            stages = [name for name, value in shortened if isinstance(value, Stage)]
            lengths = dict.fromkeys(stages, {"steps", "warmup_steps"})
            config = merge(config, shortened.model_dump(include=lengths))
    return {**entry, "preset": preset, "config": config}


def _column(column: Mapping[str, Any], data: Mapping[str, str]) -> dict[str, Any]:
    names = column.get("test_on", [])
    names = [names] if isinstance(names, str) else names
    return {**column, "test_on": list(dict.fromkeys(data.get(name, name) for name in names))}
