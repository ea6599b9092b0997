"""Every verb's arguments, and the functions that they name."""

import argparse
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from bench.cli.main import VERBS
from bench.cli.parser import EXAMPLES, OUTPUT, make_parser

SUITE_VERBS = ("run", "plan", "verify", "work", "submit", "export images")


@pytest.fixture(autouse=True)
def no_data(monkeypatch):
    monkeypatch.delenv("BENCH_DATA", raising=False)


def leaves(parser):
    """Yield the parser of every verb, those below others included."""
    groups = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not groups:
        yield parser
    for group in groups:
        for nested in group.choices.values():
            yield from leaves(nested)


def test_every_verb_is_a_function_of_its_module():
    names = {parser.get_default("verb") for parser in leaves(make_parser())}
    assert None not in names
    assert set(VERBS) <= names
    for name in names:
        module = import_module(f"bench.cli.{VERBS.get(name, 'verbs')}")
        assert callable(getattr(module, name)), name


@pytest.mark.parametrize("line", [line.strip() for line in EXAMPLES.splitlines()[1:]])
def test_the_examples_are_command_lines(line):
    python, dash, bench, *arguments = shlex.split(line)
    assert (python, dash, bench) == ("python", "-m", "bench")
    assert make_parser().parse_args(arguments).verb


@pytest.mark.parametrize("verb", SUITE_VERBS)
def test_verbs_of_suites_take_the_same_options(verb):
    options = make_parser().parse_args(
        [*verb.split(), "s", "--set", "a=1", "--set", "b=2", "--limit", "3", "--seeds", "0,1"]
    )
    assert (options.suite, options.set, options.limit) == ("s", ["a=1", "b=2"], 3)
    assert options.seeds == (0, 1)
    assert (options.output, options.data_root, options.stand_in) == (OUTPUT, None, False)


def test_data_are_where_the_environment_says(monkeypatch):
    monkeypatch.setenv("BENCH_DATA", "somewhere")
    assert make_parser().parse_args(["run", "s"]).data_root == Path("somewhere")
    assert make_parser().parse_args(["data", "check", "camvid"]).root == Path("somewhere")
    assert make_parser().parse_args(["run", "s", "--data-root", "b"]).data_root == Path("b")


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "many", ""])
def test_numbers_that_count_something_begin_at_one(number, capsys):
    with pytest.raises(SystemExit):
        make_parser().parse_args(["run", "s", f"--jobs={number}"])
    assert f"{number!r} is not a whole number from 1 on" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["store"], ["store", "pack", "x"], ["weights", "convert"]])
def test_what_is_required_is_asked_for(arguments, capsys):
    with pytest.raises(SystemExit):
        make_parser().parse_args(arguments)
    assert "the following arguments are required" in capsys.readouterr().err
