"""Inequalities as data: a small language of names, arithmetic and comparisons.

``FF - FF_R >= 0.2148`` or ``full > stage1 > stage3``. Text is parsed by Python's own
parser and only what is listed here is evaluated, on numbers or on arrays of bootstrap
replicates alike.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

Value = float | np.ndarray

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_MARGINS: dict[type[ast.cmpop], Callable[[Any, Any], tuple[Any, ...]]] = {
    ast.GtE: lambda left, right: (left - right,),
    ast.Gt: lambda left, right: (left - right,),
    ast.LtE: lambda left, right: (right - left,),
    ast.Lt: lambda left, right: (right - left,),
    ast.Eq: lambda left, right: (left - right, right - left),
}


def harmonic_mean(*values: Value) -> Value:
    """Return the harmonic mean, as MSeg's ``collect_results.py`` averages test sets."""
    return len(values) / sum(1 / value for value in values)


def median(*values: Value) -> Value:
    """Return the median of numbers, or of arrays element by element."""
    return np.asarray(np.median(np.stack(np.broadcast_arrays(*values)), axis=0))


_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "abs": abs,
    "min": lambda *values: reduce(np.minimum, values),
    "max": lambda *values: reduce(np.maximum, values),
    "hmean": harmonic_mean,
    "median": median,
}


class Inequality:
    """A parsed chain of comparisons.

    Raises:
        ValueError: if the text is no comparison of allowed parts.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            body = ast.parse(text, mode="eval").body
        except SyntaxError as error:
            raise ValueError(f"{text!r} is not an inequality: {error.msg}") from None
        if not isinstance(body, ast.Compare) or not all(type(op) in _MARGINS for op in body.ops):
            raise ValueError(f"{text!r} is not an inequality of >=, >, <=, < or ==")
        self._chain = body
        self.names = tuple(dict.fromkeys(self._names(body)))

    def _names(self, node: ast.AST) -> list[str]:
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name) or node.func.id not in _FUNCTIONS:
                raise ValueError(f"{self.text!r} calls what is not one of {sorted(_FUNCTIONS)}")
            return [name for part in node.args for name in self._names(part)]
        if isinstance(node, ast.Name):
            return [node.id]
        return [name for child in ast.iter_child_nodes(node) for name in self._names(child)]

    def margins(self, values: Mapping[str, Value]) -> list[Value]:
        """Return by how much each comparison holds; negative where it does not.

        ``a == b`` is two comparisons, ``a >= b`` and ``b >= a``.
        """
        sides = [self._chain.left, *self._chain.comparators]
        numbers = [self._value(side, values) for side in sides]
        return [
            margin
            for op, left, right in zip(self._chain.ops, numbers, numbers[1:], strict=False)
            for margin in _MARGINS[type(op)](left, right)
        ]

    def _value(self, node: ast.expr, values: Mapping[str, Value]) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name):
                return values[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._value(operand, values)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                operate = _BINARY[type(op)]
                result: Value = operate(self._value(left, values), self._value(right, values))
                return result
            case ast.Call(func=ast.Name(id=name), args=args):
                return _FUNCTIONS[name](*(self._value(arg, values) for arg in args))
        raise ValueError(f"{self.text!r} holds {ast.unparse(node)!r}, which is not allowed")
