"""Suites by name, from any working directory."""

import pytest

from bench.core.errors import SuiteError
from bench.suite.locate import find_suite, read_question, shipped_suites


def test_a_name_stands_for_the_suite_that_comes_with_the_harness(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    suites = shipped_suites()
    assert find_suite("robustness") == suites["robustness"]
    assert find_suite("papers/gss_table1") == suites["papers/gss_table1"]


def test_a_file_comes_before_a_name(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "robustness").write_text("name: mine")
    assert find_suite("robustness").resolve() == tmp_path / "robustness"


@pytest.mark.parametrize("name", ["suites/robustnes.yaml", "robustnes"])
def test_what_is_neither_is_refused_with_what_was_meant(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SuiteError, match=r"no such file, .* did you mean 'robustness'\?"):
        find_suite(name)


def test_every_suite_has_a_question_on_one_line():
    for path in shipped_suites().values():
        question = read_question(path)
        assert question.endswith("?"), path
        assert "\n" not in question


def test_a_question_is_read_whole_and_without_the_rest(tmp_path):
    path = tmp_path / "trial.yaml"
    path.write_text("name: a\nquestion: >\n  One\n  or two?\n# of methods\nmethods: [\n")
    assert read_question(path) == "One or two?"
