"""The command line: help, version, suites by name, and exit statuses."""

import pytest

import bench
from bench.cli import suite_verbs, verbs
from bench.cli.main import main
from bench.core.errors import StoreError


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BENCH_DATA", raising=False)
    monkeypatch.setattr(suite_verbs, "REFERENCE", tmp_path / "none")  # reading it all takes a while


def exit_of(*arguments) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


def test_version(capsys):
    assert exit_of("--version") == 0
    assert capsys.readouterr().out == f"bench {bench.__version__}\n"


@pytest.mark.parametrize(
    "verb", ["run", "plan", "verify", "report", "compare", "claims", "data", "list", "weights"]
)
def test_every_verb_has_help(verb, capsys):
    assert exit_of(verb, "--help") == 0
    assert f"python -m bench {verb}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["walk"],
        ["run"],
        ["list", "nothing"],
        ["run", "robustness", "--limit", "0"],
        ["run", "robustness", "--limit", "²"],
    ],
)
def test_wrong_arguments_end_with_2(arguments, capsys):
    assert exit_of(*arguments) == 2
    assert "usage: python -m bench" in capsys.readouterr().err


@pytest.mark.parametrize("suite", ["in_domain", "papers/gss_table1"])
def test_suites_are_found_by_name_from_any_folder(suite, capsys):
    assert main(["plan", suite, "--output", "out"]) == 0
    assert "cells to do" in capsys.readouterr().out


def test_a_file_comes_before_a_name(tmp_path, capsys):
    (tmp_path / "in_domain").write_text("name: [")
    assert main(["plan", "in_domain"]) == 2
    assert capsys.readouterr().err.startswith("in_domain:1:8: not YAML")
    (tmp_path / "in_domain").unlink()
    (tmp_path / "in_domain").mkdir()
    assert main(["plan", "in_domain"]) == 0


@pytest.mark.parametrize("suite", ["robustnes", "suites/robustnes.yaml"])
def test_a_suite_that_is_nowhere(suite, capsys):
    assert main(["run", suite]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"{suite}: no such file, and no suite of this name")
    assert "did you mean 'robustness'?" in error


def test_a_folder_is_no_suite(tmp_path, capsys):
    assert main(["run", str(tmp_path)]) == 2
    assert "cannot be read (Is a directory)" in capsys.readouterr().err


def test_all_faults_are_printed_with_their_brackets(capsys):
    settings = ["--set", "seeds=[0,", "--set", "methods.0.label=[bold]", "--set", "x=1"]
    assert main(["run", "robustness", *settings]) == 2
    error = capsys.readouterr().err
    assert "seeds: --set 'seeds=[0,': not YAML" in error
    assert "methods.0.label: Input should be a valid string; got ['bold']" in error
    assert "x: unknown key 'x'" in error
    assert "Traceback" not in error


def test_an_interrupt_ends_with_130(monkeypatch, capsys):
    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(verbs, "claims", interrupted)
    assert main(["claims"]) == 130
    assert "the same command goes on from here" in capsys.readouterr().err


@pytest.mark.parametrize("error", [StoreError("x: wrong"), OSError(28, "No space left", "x")])
def test_a_failure_is_one_line_and_with_debug_a_traceback(monkeypatch, capsys, error):
    def failing(options):
        raise error

    monkeypatch.setattr(verbs, "claims", failing)
    assert main(["claims"]) == 2
    assert capsys.readouterr().err in ("x: wrong\n", "x: No space left\n")
    for arguments in (["--debug", "claims"], ["claims", "--debug"]):
        with pytest.raises(type(error)):
            main(arguments)


def test_claims_need_no_checkout(capsys):
    assert main(["claims"]) == 0
    assert "claims:" in capsys.readouterr().out
