"""Suites by name: which there are, where they are, and what each asks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML

from bench.core.errors import SuiteError
from bench.core.registry import suggest
from bench.core.resources import SUITES


def shipped_suites() -> Mapping[str, Path]:
    """Return the suites that come with the harness, by name, such as ``papers/gss_table1``."""
    paths = sorted(SUITES.rglob("*.yaml"))
    return {path.relative_to(SUITES).with_suffix("").as_posix(): path for path in paths}


def find_suite(name: str) -> Path:
    """Return the file of a suite.

    Args:
        name: a path, which comes first, or the name of a suite that comes with the harness.

    Raises:
        SuiteError: if it is neither.
    """
    path, shipped = Path(name), shipped_suites()
    if name in shipped and not path.is_file():
        return shipped[name]
    if not path.exists():
        meant = suggest(name.removeprefix("suites/").removesuffix(".yaml"), shipped)
        raise SuiteError(f"{name}: no such file, and no suite of this name; {meant}")
    return path


QUESTION = re.compile(r"^question:.*?(?=^[^\s#]|\Z)", re.MULTILINE | re.DOTALL)
"""The key and its value, up to the next key."""


def read_question(path: Path) -> str:
    """Return what a suite that comes with the harness asks, on one line.

    Nothing but the question is parsed, so that many suites are listed in a moment.
    """
    question = QUESTION.search(path.read_text(encoding="utf-8"))
    assert question is not None, f"{path}: no question"
    return " ".join(str(YAML(typ="safe", pure=True).load(question[0])["question"]).split())
