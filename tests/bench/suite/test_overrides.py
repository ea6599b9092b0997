"""``--set KEY=VALUE`` on a tree."""

import pytest

from bench.suite.overrides import override


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("a.b=2", {"a": {"b": 2}, "list": [{"x": 1}, 5]}),
        ("a.c.d=[1, 2]", {"a": {"b": 1, "c": {"d": [1, 2]}}, "list": [{"x": 1}, 5]}),
        ("list.0.x=null", {"a": {"b": 1}, "list": [{"x": None}, 5]}),
        ("list.1=six", {"a": {"b": 1}, "list": [{"x": 1}, "six"]}),
        ("new={}", {"a": {"b": 1}, "list": [{"x": 1}, 5], "new": {}}),
        ("a=1=2", {"a": "1=2", "list": [{"x": 1}, 5]}),
    ],
)
def test_a_value_is_put_where_the_path_leads(setting, expected):
    tree = {"a": {"b": 1}, "list": [{"x": 1}, 5]}
    assert override(tree, [setting]) == []
    assert tree == expected


@pytest.mark.parametrize(
    ("setting", "loc"),
    [
        ("a.b.c=1", ("a", "b")),
        ("list.2=1", ("list",)),
        ("list.-1=1", ("list",)),
        ("list.first=1", ("list",)),
        ("a.b=[1", ("a", "b")),
        ("nothing", ()),
        (".=1", ()),
    ],
)
def test_what_cannot_be_set_is_told_and_changes_nothing(setting, loc):
    tree = {"a": {"b": 1}, "list": [{"x": 1}, 5]}
    (fault,) = override(tree, [setting])
    assert fault.loc == loc
    assert repr(setting) in fault.message
    assert tree == {"a": {"b": 1}, "list": [{"x": 1}, 5]}


def test_settings_follow_one_another():
    tree = {}
    assert override(tree, ["a.b=1", "a.b=2", "a.c=3"]) == []
    assert tree == {"a": {"b": 2, "c": 3}}
