"""What can be named in a suite is listed, each with a line of its own."""

import subprocess
import sys

import pytest

from bench.cli.catalogue import rows
from bench.cli.main import main
from bench.core.registry import method_modules
from bench.core.resources import SUITES
from bench.corruptions import CATALOGUE, GROUPS
from bench.suite.locate import find_suite, read_question
from bench.suite.reading import read_suite


@pytest.mark.parametrize("kind", ["methods", "datasets", "suites", "corruptions", "metrics"])
def test_every_kind_is_listed_once(kind, capsys):
    listed = list(rows(kind))
    names = [name for name, _ in listed if name]  # rows without one go on with the one above
    assert len(set(names)) == len(names) > 3
    assert all(text and "\n" not in text for _, text in listed)
    assert main(["list", kind]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(listed)


def test_corruptions_are_listed_with_their_grids_and_groups():
    listed = list(rows("corruptions"))
    names = [name for name, _ in listed]
    for name, corruption in CATALOGUE.items():
        start = names.index(name) + 1
        grid = dict(
            text.strip().split(": ") for _, text in listed[start:][: len(corruption.parameters)]
        )
        assert list(grid) == list(corruption.parameters)
        for column, values in enumerate(grid.values()):
            assert values.split(", ") == [f"{row[column]:g}" for row in corruption.grid]
    assert all(dict(listed)[name].endswith(", ".join(members)) for name, members in GROUPS.items())


def test_all_methods_are_listed():
    listed = list(rows("methods"))
    assert [name for name, _ in listed if name] == list(method_modules())
    names = [name for name, _ in listed]
    assert listed[names.index("gss")][1] == "generative | Generative Semantic Segmentation"
    assert listed[names.index("gss") + 1][1] == "  starts from random weights: tiny"
    assert listed[names.index("position_prior")][1].startswith("floor | ")


def test_listed_suites_are_found_by_their_name_with_their_question(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    listed = dict(rows("suites"))
    assert len(listed) == len(list(SUITES.rglob("*.yaml")))
    for name in ("robustness", "papers/gss_table1"):
        suite = read_suite(find_suite(name)).suite
        assert listed[name] == " ".join(suite.question.split())


@pytest.mark.parametrize("path", sorted(SUITES.rglob("*.yaml")), ids=lambda path: path.stem)
def test_questions_are_whole(path):
    question = read_question(path)
    assert question[0].isupper()
    assert question.endswith("?")


def test_listing_suites_checks_none_of_them():
    code = (
        "import sys; from bench.cli.main import main; main(['list', 'suites'])\n"
        "slow = ('torch', 'numpy', 'pandas', 'bench.suite.checks', 'bench.data', 'methods')\n"
        "print([m for m in slow if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == "[]\n"
