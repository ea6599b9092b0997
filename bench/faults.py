"""Faults of a YAML file: where they are, as people and editors count."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml.comments import CommentedMap

Loc = tuple[str | int, ...]


class Fault(NamedTuple):
    """One thing that is wrong with a suite, and at which key or value."""

    loc: Loc
    message: str
    on_key: bool = False


def format_fault(path: Path, place: tuple[int, int], fault: Fault) -> str:
    """Write a fault as ``file:line:column: where: message``."""
    line, column = place
    where = ".".join(map(str, fault.loc))
    return f"{path}:{line}:{column}: {where}: {fault.message}"


def position(tree: Any, fault: Fault) -> tuple[int, int]:
    """Return the line and column, from 1, of the deepest place of a fault in the file."""
    found: tuple[int, int] = (0, 0)
    node = tree
    for depth, part in enumerate(fault.loc):
        on_key = fault.on_key and depth == len(fault.loc) - 1
        try:
            if isinstance(node, CommentedMap):
                found = node.lc.key(part) if on_key else node.lc.value(part)
            else:
                found = node.lc.item(part)
            node = node[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break  # a missing key, a value set by --set, or a short form
    return found[0] + 1, found[1] + 1
