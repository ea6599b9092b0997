"""The verbs of suites: what they hand on, and how they end."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.cli import suite_verbs
from bench.cli.console import Console
from bench.cli.main import main
from bench.cli.parser import make_parser
from bench.core.manifest import Need, Unavailable
from bench.core.record import Record
from bench.engine import records
from bench.engine.manifests import write_manifest
from bench.engine.run import Outcome
from bench.store.folders import SuiteFolder
from tests.helpers.stores import make_cell

SUITE = """\
name: trial
question: What is done?
methods: [{adapter: position_prior, label: Floor}]
train_on: [{dataset: scenes, options: {images: 2}}]
test_on: [{dataset: scenes, options: {images: 2}}]
conditions: [{corruption: hue, severities: [2]}]
protocol: {resize: [24, 48]}
"""


@pytest.fixture(autouse=True)
def trial(tmp_path, monkeypatch):
    (tmp_path / "trial.yaml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BENCH_DATA", raising=False)
    monkeypatch.setattr(suite_verbs, "REFERENCE", tmp_path / "none")


def options_of(*arguments):
    return make_parser().parse_args(arguments)


def test_a_job_makes_the_plan_of_the_process_that_starts_it():
    given = ["--set", "seeds=[3]", "--limit", "1", "--output", "out", "--started", "2026-01-01"]
    options = options_of("run", "trial.yaml", *given)
    plan = suite_verbs._make_plan(options)
    again = suite_verbs._make_plan(options_of("work", *suite_verbs._arguments(options, plan)))
    cells = [(planned.key, planned.cell) for planned in plan.cells]
    assert [(planned.key, planned.cell) for planned in again.cells] == cells
    assert again.settings._replace(command="") == plan.settings._replace(command="")
    assert [planned.cell.seed for planned in plan.cells] == [3, 3]


def test_a_job_is_told_whatever_changes_a_plan():
    given = ["--seeds", "0,2", "--stand-in", "--data-root", "data", "--started", "now"]
    options = options_of("run", "trial.yaml", *given)
    plan = SimpleNamespace(settings=SimpleNamespace(output="out", started="now"))
    again = options_of("work", *suite_verbs._arguments(options, plan))
    for name in ("suite", "seeds", "stand_in", "data_root", "started", "limit", "set"):
        assert getattr(again, name) == getattr(options, name), name


def test_seeds_take_the_place_of_the_suites():
    plan = suite_verbs._make_plan(options_of("plan", "trial.yaml", "--seeds", "7,3"))
    assert [planned.cell.seed for planned in plan.cells] == [7, 7, 3, 3]


def test_plan_says_what_is_left_and_computes_nothing(tmp_path, capsys):
    assert main(["plan", "trial.yaml", "--output", "out"]) == 0
    said = capsys.readouterr().out
    assert "2 of 2 cells to do: nothing like it was measured yet" in said
    assert not list((tmp_path / "out").glob("cells/**/*.json"))


def test_submit_says_what_it_would_submit(tmp_path, capsys):
    assert main(["submit", "trial.yaml", "--output", "out", "--dry-run"]) == 0
    array, report = capsys.readouterr().out.splitlines()
    assert array.startswith("array of 1: python -m bench work trial.yaml --output out --started ")
    assert array.endswith(" --unit 0")
    command = "python -m bench report out/trial --to out/reports/trial"
    assert report == f"report: {command} after the array before"
    assert not (tmp_path / "out" / "jobs").exists()


@pytest.mark.parametrize(
    ("optional", "failed", "status"),
    [(None, False, 0), (True, False, 0), (False, False, 1), (None, True, 1)],
)
def test_a_run_ends_with_1_if_a_number_is_missing(
    without_report, tmp_path, capsys, optional, failed, status
):
    plan = suite_verbs._make_plan(options_of("run", "trial.yaml", "--output", "out"))
    needs = (Need(what="camvid", remedy="get it"),)
    cell = make_cell("A")
    if optional is not None:
        lacking = Unavailable(cell=cell, needs=needs, optional=optional)
        plan = plan._replace(unavailable=(lacking,))
    write_manifest(plan)
    records = [Record(key="k", status="failed", cell=cell, error="why", traceback="Trace")]
    outcome = Outcome(records if failed else [], len(records) * failed)
    console = Console("mIoU")
    assert suite_verbs._finish(plan, outcome, console, tmp_path / "report", debug=True) == status
    said = capsys.readouterr().out
    assert ("why" in said) == ("Trace" in said) == failed
    assert f"0 of {len(plan.cells) + len(plan.unavailable)} done" in said
    assert ("camvid: get it" in said) == (optional is not None)


@pytest.mark.parametrize(("world", "rank"), [("1", "0"), ("4", "0"), ("4", "2")])
def test_the_launcher_says_which_process_this_is(monkeypatch, world, rank):
    monkeypatch.setenv("WORLD_SIZE", world)
    monkeypatch.setenv("RANK", rank)
    assert suite_verbs._launched() == (world != "1")
    assert suite_verbs._is_main_process() == (rank == "0")


def test_a_plan_writes_the_manifest_and_says_what_other_code_computed(capsys, monkeypatch):
    monkeypatch.setattr(records, "harness_digest", lambda: "here")  # which takes a while
    records.source_of.cache_clear()
    assert main(["plan", "trial.yaml", "--output", "out"]) == 0
    assert "2 of 2 cells to do" in capsys.readouterr().out
    folder = SuiteFolder(Path("out/trial"))
    assert [entry.state for entry in folder.manifest().cells] == ["missing"] * 2
    plan = suite_verbs._make_plan(options_of("plan", "trial.yaml", "--output", "out"))
    here = records.source_of("position_prior")
    for planned, source in zip(plan.cells, (here, {**here, "method": "other"}), strict=True):
        record = Record(key=planned.key, status="ok", cell=planned.cell, source=source)
        plan.store.write(record, None, None)
    assert main(["plan", "trial.yaml", "--output", "out"]) == 0
    out = capsys.readouterr().out
    assert "0 of 2 cells to do" in out
    assert "Floor: 1 cells were computed by other code of the same version" in out
    assert [entry.state for entry in folder.manifest().cells] == ["done"] * 2
    records.source_of.cache_clear()


def test_a_unit_that_is_not_there_is_one_line(capsys):
    assert main(["work", "trial.yaml", "--unit", "1"]) == 2
    error = capsys.readouterr().err
    assert error == "there is no unit 1: the suite has 1, the first is 0\n"


def test_a_clusters_report_lies_where_a_runs_does():
    for output, report in (([], "reports/trial"), (["--output", "out"], "out/reports/trial")):
        options = options_of("submit", "trial.yaml", *output)
        plan = suite_verbs._make_plan(options)
        assert suite_verbs._report(options, plan).as_posix() == report
