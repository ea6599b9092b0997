"""Which code computed a number: digests of syntax trees (``bench.core.syntax``).

A method that keeps no golden outputs, such as a user's own file, has this digest
in its keys; records have it always, so that a report can say which cells other code computed.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from bench.core.exports import HOME, home_of
from bench.core.registry import method_modules
from bench.core.syntax import tree_digest

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
    folder = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for package in HARNESS:
        for path in sorted((folder / package).rglob("*.py")):
            digest.update(f"{path.relative_to(folder)} {tree_digest(path.read_text())}\n".encode())
    return digest.hexdigest()[:24]


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
    files = [file.relative_to(path.parent) for file in path.parent.rglob("*.py") if file != path]
    names = [".".join((module, *file.with_suffix("").parts)) for file in files]
    return [name.removesuffix(".__init__") for name in names]


def _imports(module: str, tops: tuple[str, ...]) -> Iterator[str]:
    """Yield the modules, and what may be modules, that a module imports from some packages."""
    path = _path(module)
    for node in ast.walk(ast.parse(path.read_text() if path else "")):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "bench":
            names = [name for alias in node.names for name in _homes(alias.name)]
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(module, node)
            names = [origin, *(f"{origin}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.partition(".")[0] in tops)


def _homes(name: str) -> list[str]:
    """Return the modules of what is imported from ``bench`` by a name, or by ``*``."""
    exported = [*HOME, "seeding"] if name == "*" else [name]
    return [home_of(n) if n in (*HOME, "seeding") else f"bench.{n}" for n in exported]


def _origin(module: str, node: ast.ImportFrom) -> str:
    """Return the full name of what a module imports from, relative or not."""
    if not node.level:
        return node.module or ""
    path = _path(module)
    outward = node.level - (path is not None and path.name == "__init__.py")
    parts = module.split(".")
    return ".".join([*parts[: len(parts) - outward], *filter(None, [node.module])])


@cache
def _module_digest(name: str) -> str:
    path = _path(name)
    assert path is not None, "only modules with a file are reached"
    return tree_digest(path.read_text())


@cache
def _path(name: str) -> Path | None:
    """Return a module's file, importing no more than its top package; None if it is none."""
    top, *rest = name.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None or spec.origin is None:
        return None
    if not rest:
        return Path(spec.origin)
    for folder in getattr(importlib.import_module(top), "__path__", ()):
        base = Path(folder).joinpath(*rest)
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file():
                return path
    return None
