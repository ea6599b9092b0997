"""Results change only with the version that is in keys."""

from pathlib import Path

import pytest

from bench.engine.accelerator import make_accelerator
from tests.helpers.golden.numbers import Entry, differences, entry, read
from tests.helpers.golden.subjects import subjects

FOLDER = Path(__file__).parent
SUBJECTS = subjects()


def test_every_version_has_golden_numbers():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(SUBJECTS)


@pytest.mark.parametrize("name", SUBJECTS)
def test_results_are_those_of_the_version(name):
    subject, golden = SUBJECTS[name], read(FOLDER / f"{name}.json")
    make_accelerator()  # which sets how PyTorch computes
    advice = f"raise {subject.where}, then run `python -m tests.golden`"
    assert golden.version == subject.version, "run `python -m tests.golden`"
    changed = differences(golden.numbers, subject.observe())
    assert not changed, "\n".join([f"{name} changed; if that is meant {advice}", *changed[:9]])


def test_numbers_are_compared_within_their_tolerance():
    golden = {"a": entry([1.0, 2.0], 0.01), "b": entry([3])}
    assert differences(golden, {"a": Entry([1.009, 2.0], 9.0), "b": entry([3])}) == []
    (line,) = differences(golden, {**golden, "a": entry([1.0, 2.02])})
    assert line == "a: [1.0, 2.0] became [1.0, 2.02], 2 times the tolerance of 0.01"
    assert differences(golden, {**golden, "b": entry([4])})
    assert differences(golden, {**golden, "b": entry([3, 3])})
    assert differences(golden, {**golden, "a": entry([1.0, float("nan")])})
    assert differences(golden, {"b": golden["b"]}) == ["a: only kept"]
    assert differences(golden, {**golden, "c": entry(1)}) == ["c: only observed"]
