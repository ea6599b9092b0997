"""Reading a suite's tree whatever is wrong with it, for checks that go on after a fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.suite.model import expand
from bench.suite.yaml_errors import Loc


def items_of(value: Any) -> Iterator[tuple[int, Any]]:
    """Yield the items of a list with their indices; none if it is no list."""
    return enumerate(value if isinstance(value, list) else ())


def entries_of(tree: Mapping[str, Any], key: str) -> Iterator[tuple[Loc, Mapping[str, Any]]]:
    """Yield the mappings of a list of the suite, each with its place."""
    for index, item in items_of(tree.get(key)):
        if key in ("train_on", "test_on"):
            item = expand(item, "")
        if isinstance(item, Mapping):
            yield (key, index), item


def mapping_at(tree: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a mapping of the suite; an empty one if there is none."""
    value = tree.get(key)
    return value if isinstance(value, Mapping) else {}


def labels_of(tree: Mapping[str, Any]) -> list[str]:
    """Return the labels of the suite's methods."""
    entries = (entry for _, entry in entries_of(tree, "methods"))
    return [str(entry.get("label") or entry.get("adapter")) for entry in entries]
