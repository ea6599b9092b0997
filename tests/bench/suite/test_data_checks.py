"""Data, conditions and scoring of a suite."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.suite.data_checks import (
    as_number,
    condition_faults,
    data_faults,
    geometry_faults,
    metric_faults,
    repeated_faults,
)


def told(check, **tree):
    return [(".".join(map(str, fault.loc)), fault.message) for fault in check(tree)]


@pytest.mark.parametrize(
    ("entry", "place", "hint"),
    [
        ("senes/city", "test_on.0.dataset", "'scenes'?"),
        ("scenes/citty", "test_on.0.subset", "'city'?"),
        ({"dataset": "camvid", "split": "tets"}, "test_on.0.split", "'test'?"),
        ({"dataset": "scenes", "options": {"imags": 3}}, "test_on.0.options.imags", "'images'?"),
        ({"dataset": "scenes", "options": {"images": True}}, "test_on.0.options.images", "number"),
    ],
)
def test_data(entry, place, hint):
    faults = dict(told(data_faults, test_on=[entry]))
    assert hint in faults[place]


def test_a_group_that_holds_a_corruption_already_listed():
    conditions = [{"corruption": "fog"}, {"corruption": "common"}]
    assert told(condition_faults, conditions=conditions) == [
        ("conditions.1.corruption", "'fog' is already listed above")
    ]


@pytest.mark.parametrize("severity", [0, 6, "9", -1])
def test_a_severity_that_no_grid_has(severity):
    ((place, message),) = told(
        condition_faults, conditions=[{"corruption": "fog", "severities": [1, severity]}]
    )
    assert place == "conditions.0.severities.1"
    assert message.endswith("it has 1 to 5")


def test_metrics_and_the_primary_one():
    protocol = {"metrics": ["mIoU", "miou"]}
    assert told(metric_faults, protocol=protocol, primary="mIoU")[0][0] == "protocol.metrics.1"
    assert [place for place, _ in told(metric_faults, protocol=protocol, primary="aAcc")] == [
        "protocol.metrics.1",
        "primary",
    ]


def test_geometries():
    protocol = {"eval_at": "nativ", "resize": [48, 96]}
    faults = dict(told(geometry_faults, protocol=protocol, also_eval_at=["camseg_notebook"]))
    assert "did you mean 'native'?" in faults["protocol.eval_at"]
    assert "square" in faults["also_eval_at.0"]


@pytest.mark.parametrize("key", ["seeds", "tasks", "resolutions"])
def test_repeated_items(key):
    assert told(repeated_faults, **{key: [3, 4, "3", 3.0]}) == [
        (f"{key}.2", "'3' is already item 0"),
        (f"{key}.3", "3.0 is already item 0"),
    ]


def test_pairs_may_share_a_test_set():
    tests = ["scenes/city", "scenes/city"]
    assert len(told(repeated_faults, test_on=tests)) == 1
    assert told(repeated_faults, test_on=tests, paired=True) == []


@given(st.floats(allow_nan=False) | st.integers())
def test_a_number_is_itself_also_as_text(value):
    assert as_number(value) == as_number(str(value)) or abs(value) > 2**53


@pytest.mark.parametrize("value", [True, None, "x", [1], 10**400])
def test_what_is_no_number(value):
    assert as_number(value) is None
