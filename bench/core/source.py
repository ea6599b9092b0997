"""Which code computed a number: digests of syntax trees.

Comments, docstrings, layout and the names of local variables change no digest, everything
else does. A method that keeps no golden outputs, such as a user's own file, has this digest
in its keys; records have it always, so that a report can say which cells other code computed.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import bench
from bench.core.registry import method_modules

HARNESS = ("core", "corruptions", "score", "data", "engine")
"""The packages of ``bench`` that take part in computing a cell."""


@cache
def method_digest(adapter: str) -> str:
    """Return the digest of a method's source and of all that it imports from the project."""
    digest = hashlib.sha256()
    for name in sorted(_reached(method_modules()[adapter])):
        digest.update(f"{name} {_module_digest(name)}\n".encode())
    return digest.hexdigest()[:24]


@cache
def harness_digest() -> str:
    """Return the digest of the harness's source, as far as it computes cells."""
    folder = Path(bench.__file__).parent
    digest = hashlib.sha256()
    for package in HARNESS:
        for path in sorted((folder / package).rglob("*.py")):
            digest.update(f"{path.relative_to(folder)} {tree_digest(path.read_text())}\n".encode())
    return digest.hexdigest()[:24]


def tree_digest(source: str) -> str:
    """Return the digest of a module's syntax tree, without what changes no result."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [child for child in node.body if not _is_text(child)] or [ast.Pass()]
    for node in _functions(tree):
        _number_locals(node)
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_text(node: ast.stmt) -> bool:
    """Whether a statement is a string by itself: a docstring."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _functions(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the outermost functions and methods."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
        else:
            yield from _functions(child)


def _number_locals(function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Give the local variables of a function the numbers of their first appearance.

    Parameters keep their names, which callers may use, and so do names that a statement
    declares global or nonlocal.
    """
    nodes = list(ast.walk(function))
    kept = {node.arg for node in nodes if isinstance(node, ast.arg)}
    for node in nodes:
        if isinstance(node, ast.Global | ast.Nonlocal):
            kept |= set(node.names)
    names = [node for node in nodes if isinstance(node, ast.Name)]
    assigned = {node.id for node in names if isinstance(node.ctx, ast.Store)} - kept
    numbers: dict[str, str] = {}
    for node in names:
        if node.id in assigned:
            node.id = numbers.setdefault(node.id, f"local {len(numbers)}")


def _reached(module: str) -> set[str]:
    """Return the modules of the method's package, of ``methods`` and of ``bench`` it imports.

    Imports are followed within the method's own package and ``methods``; of ``bench``, whose
    parts have versions of their own, the modules named are taken and not what they import.
    """
    top = module.partition(".")[0]
    reached: set[str] = set()
    waiting = [module, *_package_modules(module)]
    while waiting:
        name = waiting.pop()
        if name in reached or _path(name) is None:
            continue
        reached.add(name)
        if name.partition(".")[0] in (top, "methods"):
            waiting += _imports(name, (top, "methods", "bench"))
    return reached


def _package_modules(module: str) -> list[str]:
    path = _path(module)
    if path is None or path.name != "__init__.py":
        return []
    return [f"{module}.{file.stem}" for file in path.parent.glob("*.py") if file != path]


def _imports(module: str, tops: tuple[str, ...]) -> Iterator[str]:
    path = _path(module)
    for node in ast.walk(ast.parse(path.read_text() if path else "")):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "bench":
            names = [bench.home_of(alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.partition(".")[0] in tops)


@cache
def _module_digest(name: str) -> str:
    path = _path(name)
    assert path is not None, "only modules with a file are reached"
    return tree_digest(path.read_text())


@cache
def _path(name: str) -> Path | None:
    """Return a module's file without importing any part of it; None if it is no module."""
    top, *rest = name.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None or spec.origin is None:
        return None
    origin = Path(spec.origin)
    if origin.name != "__init__.py":
        return None if rest else origin
    base = origin.parent.joinpath(*rest)
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None
