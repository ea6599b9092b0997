"""The suite language: a YAML file, one question, checked whole before anything runs.

:func:`read_suite` is pure and imports nothing slow. It reports every fault of a file at
once, each as ``file:line:column: where: what is wrong; what would be right``.
"""

from __future__ import annotations

import typing
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from bench.core.errors import SuiteError
from bench.suite.checks import validate
from bench.suite.model import Suite
from bench.suite.stand_in import put_in_place
from bench.suite.yaml_errors import Fault, as_lines


class LoadedSuite(typing.NamedTuple):
    """A valid suite and the text that it came from, overrides applied."""

    suite: Suite
    source: str
    stand_in: str = ""
    """What stands in for what; empty when the suite is as it is in the file."""


def read_suite(path: Path, overrides: Sequence[str] = (), stand_in: bool = False) -> LoadedSuite:
    """Read and check a suite file.

    Args:
        path: the YAML file.
        overrides: ``key.path=value`` settings; values are YAML, list items go by index.
        stand_in: take the suite with its stand-in in place, which is checked in any case.

    Raises:
        SuiteError: with every fault found.
    """
    yaml = YAML()
    try:
        tree = yaml.load(path.read_text())
    except OSError as error:
        raise SuiteError(f"{path}: cannot be read ({error.strerror})") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise SuiteError(f"{path}:{line}:{column}: not YAML: {error.problem}") from error
    if not isinstance(tree, dict):
        raise SuiteError(f"{path}:1:1: a mapping is expected, with the keys {_keys(Suite)}")
    for override in overrides:
        _override(tree, override, yaml)
    faults, suite = validate(tree)
    replaced = None
    if suite is not None and suite.stand_in and not faults:
        found, replaced = validate(put_in_place(tree, suite.stand_in))
        faults = [_of_stand_in(fault) for fault in found]
    if faults or suite is None:
        raise SuiteError(as_lines(path, tree, faults))
    text = StringIO()
    yaml.dump(tree, text)
    if not stand_in:
        return LoadedSuite(suite, text.getvalue())
    if replaced is None:
        raise SuiteError(f"{path}: --stand-in: the suite says under no 'stand_in' what would do")
    return LoadedSuite(replaced, text.getvalue(), str(suite.stand_in))


def _of_stand_in(fault: Fault) -> Fault:
    where = ".".join(map(str, fault.loc))
    return Fault(("stand_in",), f"with it in place, {where}: {fault.message}")


def _override(tree: Any, override: str, yaml: YAML) -> None:
    """Set one value of the tree from ``key.path=value``."""
    path, separator, text = override.partition("=")
    if not separator:
        raise SuiteError(f"--set {override}: key=value is expected, such as seeds=[0,1]")
    parts = [int(part) if part.isdigit() else part for part in path.split(".")]
    node = tree
    try:
        for part in parts[:-1]:
            node = node.setdefault(part, {}) if isinstance(node, dict) else node[part]
        node[parts[-1]] = yaml.load(text)
    except (IndexError, TypeError) as error:
        raise SuiteError(f"--set {override}: the suite has nothing at {path!r}") from error


def _keys(model: type[BaseModel]) -> str:
    return ", ".join(model.model_fields)
