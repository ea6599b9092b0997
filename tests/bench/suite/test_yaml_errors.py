"""Where in a file a fault is, and how it is written."""

from pathlib import Path

import pytest

from bench.suite.parsing import parse
from bench.suite.yaml_errors import Fault, as_lines

TEXT = """\
name: trial
methods:
  - {adapter: gss, config: {}}
  - adapter: codec
"""
FILE = Path("trial.yaml")


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (Fault((), "bad"), "trial.yaml:1:1: bad"),
        (Fault(("name",), "bad"), "trial.yaml:1:7: name: bad"),
        (Fault(("name",), "bad", on_key=True), "trial.yaml:1:1: name: bad"),
        (Fault(("methods", 1), "bad"), "trial.yaml:4:5: methods.1: bad"),
        (Fault(("methods", 0, "config"), "bad"), "trial.yaml:3:28: methods.0.config: bad"),
        # What is not there has the place of what is around it.
        (Fault(("methods", 1, "label"), "bad"), "trial.yaml:4:5: methods.1.label: bad"),
        (Fault(("methods", 7), "bad"), "trial.yaml:3:3: methods.7: bad"),
        (Fault(("absent",), "bad"), "trial.yaml:1:1: absent: bad"),
        (Fault((), "bad", place=(9, 2)), "trial.yaml:9:2: bad"),
        (Fault(("name",), "one\ntwo"), "trial.yaml:1:7: name: one\\ntwo"),
    ],
)
def test_a_fault_is_placed_as_deep_as_the_file_goes(fault, line):
    assert as_lines(FILE, parse(TEXT)[0], [fault]) == line


def test_faults_are_in_the_order_of_the_file_and_said_once():
    tree, _ = parse(TEXT)
    later, earlier = Fault(("methods", 1), "later"), Fault(("name",), "earlier")
    lines = as_lines(FILE, tree, [later, earlier, later]).splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == ["earlier", "later"]


def test_lines_are_ordered_as_numbers():
    places = [Fault((), str(line), place=(line, 1)) for line in (10, 9, 100)]
    lines = as_lines(FILE, None, places).splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == ["9", "10", "100"]
