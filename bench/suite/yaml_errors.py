"""Faults of a YAML file: what is wrong, and at which line and column."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from ruamel.yaml.comments import CommentedMap

from bench.core.registry import suggest

Loc = tuple[str | int, ...]
"""Keys and indices from the top of a file down."""


class Fault(NamedTuple):
    """One fault: where in the tree, and what is wrong there and what would be right."""

    loc: Loc
    message: str
    on_key: bool = False
    """It is about the key, not about its value."""


def structure_faults(
    error: ValidationError, model: type[BaseModel], prefix: Loc = ()
) -> Iterator[Fault]:
    """Put pydantic's findings on a part of the file into this module's words."""
    details = error.errors(include_url=False)
    for detail in details:
        inner = detail["loc"]
        if detail["type"] == "too_short" and any(d["loc"][:-1] == inner for d in details):
            continue  # only because the items it had are wrong, which is said
        loc = (*prefix, *inner)
        if detail["type"] == "extra_forbidden":
            hint = suggest(str(inner[-1]), _fields_at(model, inner[:-1]))
            yield Fault(loc, f"unknown key {inner[-1]!r}; {hint}", on_key=True)
        elif detail["type"] == "missing":
            yield Fault(loc, f"the key {inner[-1]!r} is missing")
        else:
            message = detail["msg"].removeprefix("Value error, ")
            yield Fault(loc, f"{message}; got {detail['input']!r}")


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


def as_lines(path: Path, tree: Any, faults: Iterable[Fault]) -> str:
    """Write faults in the order of the file, one a line: ``file:line:column: where: what``."""
    placed = sorted((_position(tree, fault), fault) for fault in faults)
    lines = []
    for (line, column), fault in placed:
        where = ".".join(map(str, fault.loc))
        lines.append(f"{path}:{line}:{column}: {where}: {fault.message}")
    return "\n".join(lines)


def _position(tree: Any, fault: Fault) -> tuple[int, int]:
    """Return the line and column, from 1, of the deepest place of a fault in the file."""
    position = (0, 0)
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
