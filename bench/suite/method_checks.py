"""Checks of a suite's methods: that they exist, their settings, and what their latents allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from bench.core.config import MethodConfig
from bench.core.errors import UnknownMethod
from bench.core.registry import (
    config_is_light,
    default_preset,
    load_config,
    method_modules,
    resolve_config,
    suggest,
)
from bench.corruptions import latents as perturbations
from bench.suite.entries import entries_of, items_of, labels_of
from bench.suite.structure import boolean_faults, structure_faults
from bench.suite.yaml_errors import Fault, Loc


def method_faults(tree: Mapping[str, Any]) -> Iterator[Fault]:
    """Check adapters, labels, presets and settings."""
    modules = method_modules()
    indices: dict[str, int] = {}
    for (loc, entry), label in zip(entries_of(tree, "methods"), labels_of(tree), strict=True):
        adapter = entry.get("adapter")
        if label in indices:
            key = "label" if "label" in entry else "adapter"
            message = f"label {label!r} is already that of methods.{indices[label]}"
            yield Fault((*loc, key), f"{message}; labels tell methods apart")
        indices.setdefault(label, int(loc[1]))
        if not isinstance(adapter, str):
            continue  # a fault of structure
        if adapter not in modules:
            message = f"no method {adapter!r}; {suggest(adapter, modules)}"
            yield Fault((*loc, "adapter"), message)
        else:
            yield from _config_faults(loc, entry, adapter)


def _config_faults(loc: Loc, entry: Mapping[str, Any], adapter: str) -> Iterator[Fault]:
    config = entry.get("config") or {}
    if not (config or "preset" in entry or config_is_light(adapter)):
        return  # nothing to check, and importing the method's file would be slow
    model, within = load_config(adapter)[0], (*loc, "config")
    yield from boolean_faults(config, model, within)
    try:
        _resolve(entry)
    except UnknownMethod as error:
        yield Fault((*loc, "preset") if "preset" in entry else loc, str(error))
    except ValidationError as error:
        yield from structure_faults(error, model, within)


def _resolve(entry: Mapping[str, Any]) -> MethodConfig | None:
    """Return a method's configuration; None where that is a fault of the suite's structure."""
    adapter, config = entry.get("adapter"), entry.get("config", {})
    preset = entry.get("preset", default_preset(str(adapter)))
    if not (isinstance(adapter, str) and isinstance(preset, str) and isinstance(config, Mapping)):
        return None
    return resolve_config(adapter, preset, config)


def families_of(tree: Mapping[str, Any]) -> set[str]:
    """Return the families that have a method in the suite, controls left out."""
    families: set[str] = set()
    for _, entry in entries_of(tree, "methods"):
        with suppress(UnknownMethod, ValidationError):  # faults of their own
            config = _resolve(entry)
            if config is not None and not config.role.control:
                families.add(config.role.family)
    return families


def latent_faults(tree: Mapping[str, Any]) -> Iterator[Fault]:
    """Find perturbations of latents that nothing in the suite has."""
    named = [
        ((*loc, "corruption"), entry["corruption"])
        for loc, entry in entries_of(tree, "conditions")
        if entry.get("corruption") in tuple(perturbations.SEVERITIES)
    ]
    if not named:
        return
    possible = _perturbations(tree)
    for loc, name in named:
        if possible is not None and name not in possible:
            yield Fault(loc, f"no method of the suite has latents that {name!r} can disturb")
        elif "reconstruct" not in [task for _, task in items_of(tree.get("tasks", ["predict"]))]:
            yield Fault(loc, "latents are disturbed in task 'reconstruct'; add it to tasks")


def _perturbations(tree: Mapping[str, Any]) -> set[str] | None:
    """Return the perturbations that the suite's methods have; None if a method is at fault."""
    names: set[str] = set()
    for _, entry in entries_of(tree, "methods"):
        try:
            config = _resolve(entry)
        except (UnknownMethod, ValidationError):
            config = None
        if config is None:
            return None
        names.update(config.perturbations())
    return names
