"""The suite language: a YAML file, one question, checked whole before anything runs.

:func:`read_suite` is pure and imports nothing slow. It reports every fault of a file at
once, each as ``file:line:column: where: what is wrong; what would be right``.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from bench.core.errors import SuiteError
from bench.suite.checks import validate
from bench.suite.model import Suite
from bench.suite.overrides import override, replace_seeds
from bench.suite.parsing import as_plain, decode, parse
from bench.suite.stand_in import put_in_place
from bench.suite.yaml_errors import Fault, as_lines


class LoadedSuite(NamedTuple):
    """A valid suite and the text that it came from, overrides applied."""

    suite: Suite
    source: str
    stand_in: str = ""
    """What stands in for what; empty when the suite is as it is in the file."""


def read_suite(
    path: Path,
    overrides: Sequence[str] = (),
    stand_in: bool = False,
    seeds: Sequence[int] = (),
) -> LoadedSuite:
    """Read and check a suite file.

    Args:
        path: the YAML file, in UTF-8.
        overrides: ``key.path=value`` settings; values are YAML, list items go by index.
        stand_in: take the suite with its stand-in in place, which is checked in any case.
        seeds: training seeds in place of the suite's, and of those that methods have of their
            own; none: as the file has them.

    Raises:
        SuiteError: with every fault found.
    """
    tree, faults = _read(path)
    if not isinstance(tree, dict):
        expected = f"a mapping is expected, with the keys {', '.join(Suite.model_fields)}"
        raise SuiteError(as_lines(path, tree, faults or [Fault((), expected)]))
    faults += override(tree, overrides)
    if seeds:
        replace_seeds(tree, seeds)
    plain = as_plain(tree, faults)
    unreadable = [fault.loc for fault in faults if fault.loc]
    further, suite = validate(plain)
    faults += [f for f in further if not any(f.loc[: len(loc)] == loc for loc in unreadable)]
    if suite is None or faults:
        raise SuiteError(as_lines(path, tree, faults))
    replaced = _with_stand_in(path, tree, plain, suite) if suite.stand_in else None
    text = StringIO()
    YAML().dump(tree, text)
    if not stand_in:
        return LoadedSuite(suite, text.getvalue())
    if replaced is None:
        message = "--stand-in: the suite has no 'stand_in', which says what to use instead"
        raise SuiteError(f"{path}: {message}")
    return LoadedSuite(replaced, text.getvalue(), str(suite.stand_in))


def _read(path: Path) -> tuple[Any, list[Fault]]:
    """Return the tree of a file, None if there is none, and the faults of its text."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SuiteError(f"{path}: cannot be read ({error.strerror})") from error
    text, faults = decode(data)
    if faults and not text:
        return None, faults
    tree, of_yaml = parse(text)
    return tree, faults or of_yaml


def _with_stand_in(path: Path, tree: Any, plain: dict[str, Any], suite: Suite) -> Suite | None:
    """Return the suite with its stand-in in place of what it stands for."""
    assert suite.stand_in is not None
    faults, replaced = validate(put_in_place(plain, suite.stand_in))
    if faults:
        raise SuiteError(as_lines(path, tree, map(_of_stand_in, faults)))
    return replaced


def _of_stand_in(fault: Fault) -> Fault:
    where = ".".join(map(str, fault.loc))
    return Fault(("stand_in",), f"with it in place, {where}: {fault.message}")
