"""Faults of a YAML file: what is wrong, and at which line and column."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml.comments import CommentedMap

Loc = tuple[str | int, ...]
"""Keys and indices from the top of a file down."""
Place = tuple[int, int]
"""Line and column, from 1."""


class Fault(NamedTuple):
    """One fault: where in the tree, and what is wrong there and what would be right."""

    loc: Loc
    message: str
    on_key: bool = False
    """It is about the key, not about its value."""
    place: Place | None = None
    """Of a fault of the text, which may have no tree."""


def as_lines(path: Path, tree: Any, faults: Iterable[Fault]) -> str:
    """Write faults in the order of the file, one per line: ``file:line:column: where: what``."""
    lines = {}
    for fault in faults:
        line, column = place = fault.place or _place_in(tree, fault)
        where = ".".join(map(str, fault.loc))
        told = f"{where}: {fault.message}" if where else fault.message
        told = "\\n".join(told.splitlines())  # names in it may have several lines
        lines[f"{path}:{line}:{column}: {told}"] = place
    return "\n".join(sorted(lines, key=lambda line: lines[line]))


def _place_in(tree: Any, fault: Fault) -> Place:
    """Return the deepest place of a fault that the file has."""
    position = (0, 0)
    node = tree
    for depth, part in enumerate(fault.loc):
        on_key = fault.on_key and depth == len(fault.loc) - 1
        try:
            if isinstance(node, CommentedMap):
                deeper = node.lc.key(part) if on_key else node.lc.value(part)
            else:
                deeper = node.lc.item(part)
            position = deeper or position  # an empty mapping knows no lines
            node = node[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break  # a missing key, a value set by --set, or a short form
    return position[0] + 1, position[1] + 1
