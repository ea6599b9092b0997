"""A hash of all that a report is made from: results, papers, training logs, and the code."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

from bench.claims.reported import PAPERS
from bench.store.folders import SuiteFolder

REPORT = Path(__file__).parent
ROOT = REPORT.parents[1]


def digest_of(folder: SuiteFolder, *settings: bool) -> str:
    """Hash a suite's results, the papers' numbers, and every file of the code that reports them."""
    sources = [*code_files(), *sorted(PAPERS.glob("*.*"))]
    for path in folder.paths:
        sources += sorted(path.parent.glob("stages/*/log.jsonl"))
        sources += sorted(p for p in path.rglob("*.*") if not p.name.startswith("."))
    digest = hashlib.sha256(repr(settings).encode())
    for path in sources:
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def code_files() -> list[Path]:
    """Return the files of the report, and all modules of ours that they import, however deep.

    Imports are read off the sources: to follow them by importing would take seconds.
    """
    files = {path for path in REPORT.rglob("*.*") if path.suffix != ".pyc"}
    todo = [path for path in files if path.suffix == ".py"]
    while todo:
        for module in _imports(ast.parse(todo.pop().read_bytes())):
            path = _file(module)
            if path is not None and path not in files:
                files.add(path)
                todo.append(path)
    return sorted(files)


def _imports(tree: ast.AST) -> Iterator[str]:
    """Yield the modules that a tree may import, with the packages that hold them."""
    for node in ast.iter_child_nodes(tree):
        names: list[str] = []
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))
        yield from _imports(node)


def _file(module: str) -> Path | None:
    """Return the file of one of our modules; None of others, and of names within modules."""
    if module.split(".")[0] != __name__.split(".")[0]:
        return None
    path = ROOT.joinpath(*module.split("."))
    files = (path / "__init__.py", path.with_suffix(".py"))
    return next((file for file in files if file.is_file()), None)
