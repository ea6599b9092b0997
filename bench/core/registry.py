"""Plug-ins by name: the file name is the registry.

Methods, datasets and scoring geometries are files of a folder, or entry points of installed
packages (groups ``bench.methods`` and ``bench.datasets``). Only what is named is imported. A
method is ``methods/<name>.py`` or a package ``methods/<name>/``, of which ``config.py`` is
imported alone where the class is not needed, so that configurations are checked before
anything slow is loaded.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from bench.core.config import MethodConfig
from bench.core.errors import UnknownMethod

if TYPE_CHECKING:
    from bench.core.config import Checkpoints, Conversion
    from bench.core.method import Method

GROUP = "bench.methods"
Base = TypeVar("Base")
TINY = "tiny"
MANY = 16
"""Names beyond which an error message that can guess what was meant lists no others."""


@cache
def plugins(package: str, group: str = "") -> Mapping[str, str]:
    """Return the module of every plug-in by name, without importing any of them.

    Args:
        package: the folder whose files are plug-ins, but for those that begin with ``_``.
        group: entry points of installed packages to add; a file here comes before them.
    """
    modules = {entry.name: entry.value for entry in entry_points(group=group)} if group else {}
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if not module.name.startswith("_"):
            modules[module.name] = f"{package}.{module.name}"
    return dict(sorted(modules.items()))


def the_subclass(module: ModuleType, base: type[Base], error: type[Exception]) -> type[Base]:
    """Return the one subclass of ``base`` that a module defines.

    Raises:
        error: if it defines none or several.
    """
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base)
        if value.__module__ == module.__name__
    ]
    if len(classes) != 1:
        names = [c.__name__ for c in classes]
        raise error(f"{module.__file__}: one {base.__name__} subclass expected, found {names}")
    return classes[0]


def method_modules() -> Mapping[str, str]:
    """Return the module of every method by name, without importing any."""
    return plugins("methods", GROUP)


def suggest(name: str, known: Iterable[str]) -> str:
    """Say what is known, nearest first: the second half of an error message."""
    known = list(known)
    if not known:
        return "there are none"
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else ""
    if close and len(known) > MANY:
        return hint
    return f"known are {', '.join(known)}" + (f" ({hint})" if hint else "")


def _part(name: str, part: str) -> ModuleType:
    """Import a method's file, or that part of it if it is a package."""
    modules = method_modules()
    if name not in modules:
        raise UnknownMethod(f"no method {name!r}; {suggest(name, modules)}")
    module = modules[name]
    return importlib.import_module(f"{module}.{part}" if _is_package(module) else module)


def _is_package(module: str) -> bool:
    spec = importlib.util.find_spec(module)
    return spec is not None and spec.submodule_search_locations is not None


def _converts(module: str) -> bool:
    return _is_package(module) and importlib.util.find_spec(f"{module}.convert") is not None


def config_is_light(name: str) -> bool:
    """Whether a method's configuration can be had without importing its class."""
    return _is_package(method_modules()[name])


def load_config(name: str) -> tuple[type[MethodConfig], Mapping[str, MethodConfig]]:
    """Return a method's ``Config`` class and its ``PRESETS``."""
    module = _part(name, "config")
    for attribute in ("Config", "PRESETS"):
        if not hasattr(module, attribute):
            raise UnknownMethod(f"{module.__file__}: defines no {attribute}")
    return module.Config, module.PRESETS


def default_preset(name: str) -> str:
    """Return the preset of a method that is named without one: ``tiny``, else its first.

    A method in a single file has ``tiny``: its presets are not looked up, as that is slow.
    """
    if name not in method_modules() or not config_is_light(name):
        return TINY
    presets = load_config(name)[1]
    return TINY if TINY in presets else next(iter(presets))


def load_method(name: str) -> type[Method[Any]]:
    """Return a method's class: the one subclass of ``Method`` that its module defines."""
    from bench.core.method import Method

    module = _part(name, "method")
    method: type[Method[Any]] = the_subclass(module, Method, UnknownMethod)
    if all(getattr(method, call) is getattr(Method, call) for call in ("predict", "logits")):
        raise UnknownMethod(f"{module.__file__}: {method.__name__} lacks predict, or logits")
    declared = load_config(name)[0].tasks
    for task in ("reconstruct", "oracle_codes"):
        defined = getattr(method, task) is not getattr(Method, task)
        if defined != (task in declared):
            has = "defines" if defined else "lacks"
            message = f"{method.__name__} {has} {task!r} but Config.tasks is {list(declared)}"
            raise UnknownMethod(f"{module.__file__}: {message}; name there what it can do")
    return method


def load_converter(name: str) -> Callable[[Checkpoints, MethodConfig], Conversion]:
    """Return a method's ``convert``, from the ``convert.py`` of its package.

    Raises:
        UnknownMethod: if there is no such method, or it has none.
    """
    modules = method_modules()
    if name in modules and not _converts(modules[name]):
        able = ", ".join(other for other, module in modules.items() if _converts(module))
        raise UnknownMethod(f"{name} has no convert.py: it knows no released weights; {able} do")
    converter: Callable[[Checkpoints, MethodConfig], Conversion] = _part(name, "convert").convert
    return converter


def resolve_config(name: str, preset: str, overrides: Mapping[str, Any]) -> MethodConfig:
    """Return a preset with some fields replaced, fully validated.

    Raises:
        UnknownMethod: if there is no such method or preset.
        pydantic.ValidationError: if an override is unknown or of the wrong type.
    """
    config, presets = load_config(name)
    if preset not in presets:
        raise UnknownMethod(f"{name} has no preset {preset!r}; {suggest(preset, presets)}")
    return config.model_validate(merge(presets[preset].model_dump(), overrides))


def merge(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Replace values of a nested mapping by those of another, key by key."""
    merged = dict(base)
    for key, value in overrides.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged
