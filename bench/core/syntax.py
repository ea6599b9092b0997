"""A digest of what Python source does, whatever it says beside that.

Comments, docstrings, layout and the names of local variables are left out. Names are resolved
as Python does it (Language Reference, 4.2): what a function binds is local to it, a
comprehension has variables of its own, and methods do not see what the body of their class
binds. So two sources share a digest only if the same names stand for the same things.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
ComprehensionNode = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
BodyNode = FunctionNode | ast.ClassDef

SEES_NAMES = frozenset({"dir", "eval", "exec", "locals", "vars"})
"""Built-in functions that can see how local variables are named; where they are used, the
names are part of the digest."""


def tree_digest(source: str) -> str:
    """Return the digest of a module's syntax tree, without what changes no result.

    Raises:
        SyntaxError: if the source is not Python.
    """
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [child for child in node.body if not _is_text(child)] or [ast.Pass()]
    if not any(isinstance(node, ast.Name) and node.id in SEES_NAMES for node in nodes):
        _Renaming().visit(tree)
    return hashlib.sha256("".join(_written(tree)).encode()).hexdigest()


def _is_text(node: ast.stmt) -> bool:
    """Whether a statement is a string by itself: a docstring."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _written(value: object) -> Iterator[str]:
    """Yield a syntax tree as text.

    Unlike that of ``ast.dump``, it is the same in all versions of Python: fields that are
    empty, which later versions add, are left out.
    """
    if isinstance(value, ast.Constant):
        yield f"constant {value.value!r}"
    elif isinstance(value, ast.AST):
        yield f"{type(value).__name__}("
        for name, field in ast.iter_fields(value):
            if field is not None and field != []:
                yield f"{name}="
                yield from _written(field)
                yield ","
        yield ")"
    elif isinstance(value, list):
        yield "["
        for item in value:
            yield from _written(item)
            yield ","
        yield "]"
    else:
        yield repr(value)


class _Scope(NamedTuple):
    """A function, a comprehension or the body of a class."""

    names: dict[str, str]
    """What is bound here or declared global, and as what it is written."""
    is_class: bool = False


class _Renaming(ast.NodeVisitor):
    """Writes local variables as numbers, in the order in which their scope binds them.

    Parameters keep their names, which callers may use. So do attributes of classes, and
    functions, classes and modules that a function defines or imports.
    """

    def __init__(self) -> None:
        self.scopes: list[_Scope] = []

    def visit(self, node: ast.AST) -> None:
        """Rename what a node and those below it name."""
        if isinstance(node, BodyNode):
            self._visit_body(node)
        elif isinstance(node, ComprehensionNode):
            self._visit_comprehension(node)
        else:
            self._rename(node)
            self.generic_visit(node)

    def _rename(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            node.id = self._resolved(node.id)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            node.name = self._resolved(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            node.rest = self._resolved(node.rest)
        elif isinstance(node, ast.Nonlocal):
            node.names = [self._resolved(name) for name in node.names]

    def _resolved(self, name: str) -> str:
        """Return what a name is written as in the innermost scope."""
        for depth, scope in enumerate(reversed(self.scopes)):
            if name in scope.names and not (scope.is_class and depth):
                return scope.names[name]
        return name

    def _visit_body(self, node: BodyNode) -> None:
        self._visit_all(_around_body(node))
        body = node.body if isinstance(node.body, list) else [node.body]
        within = list(_own(body))
        kept = {name for part in within for name in _kept_names(part)}
        if not isinstance(node, ast.ClassDef):
            kept |= {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}
        elsewhere = {n for part in within if isinstance(part, ast.Nonlocal) for n in part.names}
        bound = [name for part in within for name in _variables(part) if name not in elsewhere]
        if isinstance(node, ast.ClassDef):
            kept.update(bound)
        self._visit_in_scope(body, bound, kept, isinstance(node, ast.ClassDef))

    def _visit_comprehension(self, node: ComprehensionNode) -> None:
        self.visit(node.generators[0].iter)  # which is evaluated around the comprehension
        values = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        inner = [part for one in node.generators for part in (one.target, one.iter, *one.ifs)]
        inner.remove(node.generators[0].iter)
        targets = [one.target for one in node.generators]
        bound = [name for part in _own(targets) for name in _variables(part)]
        self._visit_in_scope([*inner, *values], bound, set())

    def _visit_in_scope(
        self, nodes: Iterable[ast.AST], bound: Iterable[str], kept: set[str], is_class: bool = False
    ) -> None:
        names = {name: name for name in kept}
        for name in bound:
            names.setdefault(name, f"local {len(self.scopes)}.{len(names)}")
        self.scopes.append(_Scope(names, is_class))
        self._visit_all(nodes)
        self.scopes.pop()

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)


def _around_body(node: BodyNode) -> Iterator[ast.AST]:
    """Yield what Python evaluates around a function or class: decorators, defaults, bases."""
    body = node.body if isinstance(node.body, list) else [node.body]
    yield from (child for child in ast.iter_child_nodes(node) if child not in body)


def _own(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield nodes and those below them, in order, but for those in scopes of their own.

    Of a comprehension there come its assignments (``:=``), which bind around it.
    """
    for node in nodes:
        yield node
        if isinstance(node, BodyNode):
            yield from _own(_around_body(node))
        elif isinstance(node, ComprehensionNode):
            inner = _own(ast.iter_child_nodes(node))
            yield from (part for part in inner if isinstance(part, ast.NamedExpr))
        else:
            yield from _own(ast.iter_child_nodes(node))


def _variables(node: ast.AST) -> Iterator[str]:
    """Yield the variables that a single node binds."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.NamedExpr):
        yield node.target.id
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def _kept_names(node: ast.AST) -> Iterator[str]:
    """Yield what a single node binds under a name that is kept, or declares global."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.Global):
        yield from node.names
