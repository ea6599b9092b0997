"""Digests of source change with what code does, and with nothing else."""

import ast
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import methods
from bench.core import source
from bench.core.registry import method_modules
from bench.core.source import method_digest
from bench.core.syntax import tree_digest
from tests.helpers.plug_ins import forget_methods

SAMPLE = '''
import math
SCALE = 3
def area(radius, *, unit=1):
    """Doc."""
    total = math.pi * radius ** 2
    parts = [total * part for part in range(3) if part]
    try:
        total += SCALE
    except ValueError as problem:
        raise KeyError from problem
    def inner(step):
        nonlocal total
        total += step
        return parts
    match parts:
        case [head, *rest]:
            inner(head)
        case {"a": first, **others}:
            inner(first or others or rest)
    if (last := inner(unit)):
        del head
    return last
'''
LOCALS = ("total", "parts", "part", "problem", "head", "rest", "first", "others", "last")
CONSTANTS = ("= 3", "unit=1", "** 2", "range(3)", '"a"')


def same(one, other):
    return tree_digest(one) == tree_digest(other)


def renamed(text, names):
    """Rename whole words of a source; a ``part`` within ``parts`` stays."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        for field in ("id", "name", "rest"):
            if isinstance(value := getattr(node, field, None), str):
                setattr(node, field, names.get(value, value))
        if isinstance(node, ast.Nonlocal):
            node.names = [names.get(name, name) for name in node.names]
    return ast.unparse(tree)


fresh = st.lists(
    st.from_regex(r"[a-z]{3,6}_[0-9]", fullmatch=True),
    min_size=len(LOCALS),
    max_size=len(LOCALS),
    unique=True,
)


@given(fresh)
def test_the_names_of_local_variables_change_nothing(names):
    text = renamed(SAMPLE, dict(zip(LOCALS, names, strict=True)))
    assert text != SAMPLE
    assert same(text, SAMPLE)


@given(st.permutations(LOCALS))
def test_exchanging_two_variables_everywhere_changes_nothing(names):
    assert same(renamed(SAMPLE, dict(zip(LOCALS, names, strict=True))), SAMPLE)


@given(st.sampled_from(CONSTANTS), st.integers(4, 99))
def test_a_constant_changes_the_digest(constant, value):
    digit = next((c for c in constant if c.isdigit()), "a")
    assert SAMPLE.count(constant) == 1
    assert not same(SAMPLE.replace(constant, constant.replace(digit, str(value))), SAMPLE)


@given(st.integers(0, len(list(ast.walk(ast.parse(SAMPLE)))) - 1), st.sampled_from(LOCALS))
def test_another_name_in_one_place_changes_the_digest(place, name):
    tree = ast.parse(SAMPLE)
    node = list(ast.walk(tree))[place]
    if isinstance(node, ast.Name) and node.id != name:
        node.id = name
        assert not same(ast.unparse(tree), SAMPLE)


SAME = {
    "comment": ("x = 1", "x = 1  # one"),
    "layout": ("f(a, b)", "f(\n    a,\n    b,\n)"),
    "docstring": ('def f():\n    """Say."""\n    return 1', "def f():\n    return 1"),
    "attribute docstring": ('class A:\n    x = 1\n    """Why."""', "class A:\n    x = 1"),
    "spelling of a number": ("rate = 1e-4", "rate = 0.0001"),
    "prefix of a string": ("x = u'a'", "x = 'a'"),
    "comprehension of a module": ("x = [i for i in y]", "x = [j for j in y]"),
    "comprehension in a class": (
        "class A:\n    y = [i for i in z]",
        "class A:\n    y = [j for j in z]",
    ),
    "walrus in a comprehension": (
        "def f(a):\n    return [b for c in a if (b := c)], b",
        "def f(a):\n    return [x for y in a if (x := y)], x",
    ),
    "named like a nested parameter": (
        "def f():\n    x = 1\n    return lambda x: x, x",
        "def f():\n    y = 1\n    return lambda x: x, y",
    ),
    "with and for": (
        "def f(g):\n    with g() as h:\n        for i, (j, *k) in h:\n            i[j] = k",
        "def f(g):\n    with g() as a:\n        for b, (c, *d) in a:\n            b[c] = d",
    ),
    "variable of a closure": (
        "def f():\n    n = 1\n    def g():\n        nonlocal n\n        n += 1\n    return g",
        "def f():\n    m = 1\n    def g():\n        nonlocal m\n        m += 1\n    return g",
    ),
}


@pytest.mark.parametrize("pair", SAME.values(), ids=SAME)
def test_digests_that_are_the_same(pair):
    assert same(*pair)


DIFFERENT = {
    "parameter": ("def f(x):\n    return x", "def f(y):\n    return y"),
    "keyword": ("def f():\n    return g(a=1)", "def f():\n    return g(b=1)"),
    "function": ("def f():\n    pass", "def g():\n    pass"),
    "attribute": ("def f(x):\n    return x.a", "def f(x):\n    return x.b"),
    "class attribute": ("class A:\n    x = 1", "class A:\n    y = 1"),
    "attribute of a class in a function": (
        "def f():\n    class A:\n        x = 1\n    return A",
        "def f():\n    class A:\n        y = 1\n    return A",
    ),
    "global in a comprehension's shadow": (
        "def f(z):\n    return [x for x in z], x",
        "def f(z):\n    return [y for y in z], y",
    ),
    "global in a nested function's shadow": (
        "def f():\n    def g():\n        x = 1\n        return x\n    return g() + x",
        "def f():\n    def g():\n        y = 1\n        return y\n    return g() + y",
    ),
    "declared global": (
        "def f():\n    global x\n    x = 1",
        "def f():\n    global y\n    y = 1",
    ),
    "global of a global's closure": (
        "def f():\n    global x\n    def g():\n        return x\n    x = g",
        "def f():\n    global y\n    def g():\n        return y\n    y = g",
    ),
    "a class is not seen by its methods": (
        "class A:\n    x = 1\n    def f(self):\n        return x",
        "class A:\n    y = 1\n    def f(self):\n        return y",
    ),
    "local or global": (
        "def f():\n    x = 1\n    return x",
        "def f():\n    x = 1\n    return y",
    ),
    "nonlocal or not": (
        "def f(x):\n    def g():\n        nonlocal x\n        x = 2\n    g()\n    return x",
        "def f(x):\n    def g():\n        x = 2\n    g()\n    return x",
    ),
    "a function and a variable that share a name": (
        "def f(c):\n    def a(): pass\n    if c:\n        a = 1\n        b = 2\n    return a",
        "def f(c):\n    def a(): pass\n    if c:\n        b = 1\n        a = 2\n    return b",
    ),
    "names that are looked at": (
        "def f():\n    x = 1\n    return locals()",
        "def f():\n    y = 1\n    return locals()",
    ),
    "text with the name": (
        "def f():\n    x = 1\n    return f'{x=}'",
        "def f():\n    y = 1\n    return f'{y=}'",
    ),
    "type of a constant": ("x = 1", "x = 1.0"),
    "truth or one": ("x = True", "x = 1"),
    "none or nothing": ("def f():\n    x = None", "def f():\n    x = ..."),
    "order": ("a()\nb()", "b()\na()"),
    "string that is no docstring": ("x = ['a']", "x = ['b']"),
    "default": ("def f(x=1):\n    pass", "def f(x=2):\n    pass"),
    "decorator": ("@a\ndef f():\n    pass", "@b\ndef f():\n    pass"),
    "exception": (
        "try:\n    f()\nexcept A:\n    pass",
        "try:\n    f()\nexcept B:\n    pass",
    ),
    "pattern": (
        "match x:\n    case A(b=1):\n        pass",
        "match x:\n    case A(c=1):\n        pass",
    ),
    "variables exchanged in one place": (
        "def f():\n    a, b = 1, 2\n    return a - b",
        "def f():\n    a, b = 1, 2\n    return b - a",
    ),
}


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_digests_that_differ(pair):
    assert not same(*pair)


@pytest.mark.parametrize("name", method_modules())
def test_every_shipped_method_has_a_digest_of_its_own(name):
    digests = {other: method_digest(other) for other in method_modules()}
    assert list(digests.values()).count(digests[name]) == 1


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A user's method that is a package with relative imports, and a file beside it."""
    folder = tmp_path / "methods"
    (folder / "mine/parts").mkdir(parents=True)
    (folder / "mine/__init__.py").write_text("")
    (folder / "mine/config.py").write_text("from ..beside import EDGE\n")
    (folder / "mine/method.py").write_text(
        "from . import parts\nfrom .parts.head import *\nfrom bench import *\n"
        "from bench import __version__\nfrom methods._nn.padding import pad_to\n"
    )
    (folder / "mine/parts/__init__.py").write_text("from .neck import X\n")
    (folder / "mine/parts/head.py").write_text("X = 1\n")
    (folder / "mine/parts/neck.py").write_text("X = 1\n")
    (folder / "beside.py").write_text("EDGE = 1\n")
    (folder / "unrelated.py").write_text("EDGE = 1\n")
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(folder)])
    forget_methods()
    yield folder
    forget_methods()
    sys.modules.pop("methods.mine", None)


@pytest.mark.parametrize(
    "file", ["beside.py", *(f"mine/{p}.py" for p in ("config", "parts/head", "parts/neck"))]
)
def test_what_a_method_imports_is_in_its_digest(package, file):
    before = method_digest("mine")
    path = package / file
    path.write_text(f"# a comment\n{path.read_text()}")
    forget_methods()
    assert method_digest("mine") == before
    path.write_text(f"{path.read_text()}Y = 2\n")
    forget_methods()
    assert method_digest("mine") != before


def test_what_a_method_does_not_import_is_not_in_its_digest(package):
    before = method_digest("mine")
    (package / "unrelated.py").write_text("EDGE = 2\n")
    forget_methods()
    assert method_digest("mine") == before
    reached = source._reached("methods.mine")
    assert {"bench.core.schema", "methods._nn.padding", "methods.mine.parts.neck"} <= reached
    assert "methods.unrelated" not in reached
