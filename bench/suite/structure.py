"""Checking a part of a suite against its model: keys, types and ranges."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from bench.core.registry import suggest
from bench.suite.yaml_errors import Fault, Loc

LONGEST = 80
"""Characters of a value that an error repeats."""


def structure_faults(
    error: ValidationError, model: type[BaseModel], prefix: Loc = ()
) -> Iterator[Fault]:
    """Put pydantic's findings on a part of the file into this module's words."""
    details = error.errors(include_url=False)
    for detail in details:
        inner = detail["loc"]
        if detail["type"] == "too_short" and any(_is_within(d["loc"], inner) for d in details):
            continue  # only because the items it had are wrong, which is said
        loc = (*prefix, *inner)
        if detail["type"] == "extra_forbidden":
            hint = suggest(str(inner[-1]), _fields_at(model, inner[:-1]))
            yield Fault(loc, f"unknown key {inner[-1]!r}; {hint}", on_key=True)
        elif detail["type"] == "missing":
            yield Fault(loc, f"the key {inner[-1]!r} is missing")
        elif detail["input"] is None and detail["type"] == "value_error":
            yield Fault(loc, detail["msg"].removeprefix("Value error, "))
        else:
            message = detail["msg"].removeprefix("Value error, ")
            yield Fault(loc, f"{message}; got {_shortened(detail['input'])}")


def _is_within(loc: Loc, outer: Loc) -> bool:
    return len(loc) > len(outer) and loc[: len(outer)] == outer


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def boolean_faults(value: Any, annotation: Any, loc: Loc = ()) -> Iterator[Fault]:
    """Find booleans where a number is expected, which pydantic would take for 0 or 1.

    Args:
        value: a part of the file.
        annotation: what it must be: a model, or the type of a field.
        loc: of the value.
    """
    if isinstance(value, bool):
        types = set(_types_in(annotation))
        if types & {int, float} and not types & {bool, Any}:
            yield Fault(loc, f"a number is expected; got {str(value).lower()}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from boolean_faults(item, annotation, (*loc, index))
    elif isinstance(value, Mapping):
        models = list(_models_in(annotation))
        for key, item in value.items():
            fields = [m.model_fields[key].annotation for m in models if key in m.model_fields]
            within = typing.Union[tuple(fields)] if fields else None  # noqa: UP007
            if fields or not models:
                yield from boolean_faults(item, within or annotation, (*loc, key))


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
    return (leaf for leaf in _types_in(annotation) if _is_model(leaf))


def _types_in(annotation: Any) -> Iterator[Any]:
    """Yield what an annotation is made of: of ``tuple[int, ...] | None`` int and NoneType."""
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        arguments = arguments[:1]  # the others are constraints
    if not arguments:
        yield annotation
    for argument in arguments:
        yield from _types_in(argument)
