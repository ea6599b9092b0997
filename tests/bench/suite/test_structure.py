"""A part of a suite against its model: keys, types and booleans among numbers."""

from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError

from bench.core.schema import Frozen
from bench.suite.structure import LONGEST, boolean_faults, structure_faults


class Inner(Frozen):
    steps: int = 1
    free: Any = None
    yes: bool = False


class Outer(Frozen):
    name: str
    inner: Inner = Inner()
    several: Annotated[tuple[Inner | str, ...], Field(min_length=1)] = ("a",)


def faults(value):
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(value)
    return [(fault.loc, fault.message) for fault in structure_faults(caught.value, Outer, ("at",))]


def test_an_unknown_key_is_told_with_those_of_its_own_level():
    assert faults({"name": "x", "inner": {"stepps": 1}}) == [
        (
            ("at", "inner", "stepps"),
            "unknown key 'stepps'; known are steps, free, yes (did you mean 'steps'?)",
        )
    ]


def test_a_missing_key_and_a_wrong_value():
    told = dict(faults({"inner": {"steps": "many"}}))
    assert told["at", "name"] == "the key 'name' is missing"
    assert told["at", "inner", "steps"].endswith("; got 'many'")


def test_a_long_value_is_cut():
    ((_, message),) = faults({"name": "x", "inner": {"steps": "m" * 500}})
    assert len(message.partition("got ")[2]) == LONGEST + 3


def test_a_list_is_not_called_short_because_its_items_are_wrong():
    locs = [loc for loc, _ in faults({"name": "x", "several": [5]})]
    assert locs
    assert all(loc[:3] == ("at", "several", 0) for loc in locs)
    assert [loc for loc, _ in faults({"name": "x", "several": []})] == [("at", "several")]


def test_a_boolean_is_a_fault_where_a_number_is_expected_and_only_there():
    value = {"inner": {"steps": True, "yes": True, "free": True}, "several": [{"steps": False}]}
    assert [fault.loc for fault in boolean_faults(value, Outer)] == [
        ("inner", "steps"),
        ("several", 0, "steps"),
    ]
