"""Whatever is done to a suite, it is valid or refused with the places of its faults."""

import copy
import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from bench.core.errors import SuiteError
from bench.core.resources import SUITES
from bench.suite.model import Suite
from bench.suite.reading import read_suite

NAMES = ["zero_shot", "panoptic", "papers/gss_table1", "papers/camseg_robustness"]
FILES = {name: (SUITES / f"{name}.yaml").read_bytes() for name in NAMES}
TREES = {name: YAML(typ="safe", pure=True).load(text) for name, text in FILES.items()}

WORDS = ["", "x", "predict", "mIoU", "scenes/city", "mixture", "gss", "tiny", "\0", "é", "a" * 300]
NUMBERS = [0, 1, -1, 3.0, 10**30, 1e308, float("inf"), float("nan")]
VALUES = [None, True, False, [], {}, [[]], {"a": 1}, [1, 1], *WORDS, *NUMBERS, {1: 2}]
CHUNKS = [
    b"\0",
    b"\t",
    b"\n",
    b"\r",
    b": ",
    b"- ",
    b"[",
    b"}",
    b"'",
    b'"',
    b"&a ",
    b"*a",
    b"!!set ",
]
CHUNKS += [
    b"<<: ",
    b"? ",
    b"|",
    b"%",
    b"---\n",
    b"\xff",
    b"\xe9",
    b"\xc3\xa9",
    b"#",
    b"true",
    b"1e9",
]

MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["replace", "delete", "repeat", "wrap", "rename", "move"]),
        st.integers(0, 10_000),
        st.sampled_from(range(len(VALUES))),
    ),
    min_size=1,
    max_size=4,
)
SPLICES = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(0, 12), st.sampled_from(CHUNKS)),
    min_size=1,
    max_size=3,
)


def places(node):
    """Yield every container of a tree with each of its keys."""
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        yield node, key
        if isinstance(node[key], dict | list):
            yield from places(node[key])


def mutate(tree, mutations):
    """Change a tree at some places; as JSON, which is YAML that is quick to write."""
    tree = copy.deepcopy(tree)
    for kind, which, value in mutations:
        options = list(places(tree))
        if not options:
            break
        node, key = options[which % len(options)]
        new = copy.deepcopy(VALUES[value])
        if kind == "replace":
            node[key] = new
        elif kind == "delete":
            del node[key]
        elif kind == "wrap":
            node[key] = [node[key]]
        elif kind == "repeat" and isinstance(node, list):
            node.append(copy.deepcopy(node[key]))
        elif kind == "rename" and isinstance(node, dict):
            node[str(new)] = node.pop(key)
        else:
            other, place = options[value % len(options)]
            node[key] = copy.deepcopy(other[place])
    return json.dumps(tree, indent=1).encode()


def splice(text, splices):
    """Replace some bytes of a text."""
    for where, length, chunk in splices:
        start = where * len(text) // 10_000
        text = text[:start] + chunk + text[start + length :]
    return text


def read(folder: Path, text: bytes, overrides=()) -> None:
    path = folder / "mutated.yaml"
    path.write_bytes(text)
    try:
        loaded = read_suite(path, overrides)
    except SuiteError as error:
        lines = str(error).splitlines()
        assert lines
        assert all(re.match(rf"{re.escape(str(path))}:\d+:\d+: .", line) for line in lines), lines
        return
    assert isinstance(loaded.suite, Suite)
    path.write_text(loaded.source, encoding="utf-8")
    assert read_suite(path).suite == loaded.suite


def settings_of(examples):
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],  # a suite is small enough as it is
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


EXAMPLES = [10, pytest.param(700, marks=pytest.mark.slow)]


@pytest.mark.parametrize("examples", EXAMPLES)
def test_mutated_trees(examples, tmp_path):
    @settings_of(examples)
    @given(st.sampled_from(sorted(TREES)), MUTATIONS)
    def check(name, mutations):
        read(tmp_path, mutate(TREES[name], mutations))

    check()


@pytest.mark.parametrize("examples", EXAMPLES)
def test_mutated_bytes(examples, tmp_path):
    @settings_of(examples)
    @given(st.sampled_from(sorted(FILES)), SPLICES)
    def check(name, splices):
        read(tmp_path, splice(FILES[name], splices))

    check()


KEYS = ["seeds", "seeds.0", "methods.0.config", "methods.0.config.a", "protocol", "protocol.resize"]
KEYS += ["name", "paper.rows.0", "", ".", "a.b", "0", "test_on.0.options.images", "conditions.99.x"]


@pytest.mark.parametrize("examples", EXAMPLES)
def test_overrides_of_any_kind(examples, tmp_path):
    values = st.one_of(
        st.sampled_from(["[", "[0,", "{}", "true", "[[mIoU]]", "*a", "!!set {a}", "2020-01-01"]),
        st.text(max_size=12),
    )

    @settings_of(examples)
    @given(st.sampled_from(KEYS), values)
    def check(key, value):
        read(tmp_path, FILES["papers/gss_table1"], [f"{key}={value}"])

    check()
