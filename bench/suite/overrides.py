"""Values of a suite that the command line replaces: ``--set KEY=VALUE`` and ``--seeds``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.suite.parsing import as_plain, character_faults, parse
from bench.suite.yaml_errors import Fault, Loc


def override(tree: dict[str, Any], settings: Sequence[str]) -> list[Fault]:
    """Set values of a tree in place.

    Args:
        tree: of a suite file.
        settings: ``key.path=value`` each; values are YAML, items of lists go by index.

    Returns:
        What could not be set, and why.
    """
    return [fault for setting in settings for fault in _set(tree, setting)]


def replace_seeds(tree: dict[str, Any], seeds: Sequence[int]) -> None:
    """Set the training seeds of every method of a tree, in place."""
    tree["seeds"] = list(seeds)
    methods = tree.get("methods")
    for entry in methods if isinstance(methods, list) else ():
        if isinstance(entry, dict):
            entry.pop("seeds", None)


def _set(tree: dict[str, Any], setting: str) -> list[Fault]:
    path, separator, text = setting.partition("=")
    keys = path.split(".")
    told = f"--set {setting!r}"
    if not separator or not all(keys):
        return [Fault((), f"{told}: key=value is expected, such as seeds=[0,1]")]
    faults = list(character_faults(setting))
    if not faults:
        parsed, faults = parse(text)
        value = as_plain(parsed, faults)  # its lines are not those of the file
    if not faults and not _assign(tree, keys, value):
        faults = [Fault((), f"the suite has nothing at {path!r} that can be set")]
    return [Fault(_existing(tree, keys), f"{told}: {fault.message}") for fault in faults]


def _assign(node: Any, keys: Sequence[str], value: Any) -> bool:
    """Set a value below a node; mappings on the way are made where there are none."""
    key = _step(node, keys[0])
    if key is None:
        return False
    if len(keys) == 1:
        node[key] = value
        return True
    if isinstance(node, dict) and node.get(key) is None:
        node[key] = {}
    return _assign(node[key], keys[1:], value)


def _step(node: Any, key: str) -> str | int | None:
    """Return what a key of the command line is in a node; None if the node cannot have it."""
    if isinstance(node, dict):
        return key
    is_item = isinstance(node, list) and key.isascii() and key.isdigit() and len(key) < 10
    return int(key) if is_item and int(key) < len(node) else None


def _existing(tree: Any, keys: Sequence[str]) -> Loc:
    """Return as much of a path as the tree has."""
    loc: list[str | int] = []
    for key in keys:
        part = _step(tree, key)
        if part is None or (isinstance(tree, dict) and part not in tree):
            break
        loc.append(part)
        tree = tree[part]
    return tuple(loc)
