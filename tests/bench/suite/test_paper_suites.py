"""Suites of published tables: they load, plan without data, and run with a stand-in."""

import csv
import re
from pathlib import Path

import pytest

from bench.cli import suite_verbs
from bench.cli.main import main
from bench.core.errors import SuiteError
from bench.core.resources import SUITES
from bench.engine.plan import Settings, make_plan
from bench.store.folders import SuiteFolder
from bench.suite.reading import read_suite

PAPERS = sorted((SUITES / "papers").glob("*.yaml"))
SMALL = {"baselines", "camseg_protocol"}
"""Suites of papers that are small as they are: they need no data and have no stand-in."""
NEEDY = [path for path in PAPERS if path.stem not in SMALL]

SWIN = "timm/swin_large_patch4_window12_384.ms_in22k"
FILES = f"weights of stage 'tokenizer', ImageNet weights {SWIN}"
TEXT = """\
name: trial
question: What is lost?
methods:
  - {adapter: position_prior, label: Floor, preset: tiny}
  - {adapter: gss, label: GSS, preset: paper_ade20k, config: {weights: {tokenizer: none.st}}}
train_on: [ade20k]
test_on: [ade20k]
protocol: {crop: [64, 64], eval_at: native}
paper:
  name: gss
  table: "5"
  title: GSS, table 5
  caption: ADE20K val.
  columns: [{name: mIoU, reported: {metric: mIoU}}]
  rows:
    - {name: FCN, reported: {method: FCN}}
    - {name: floor, method: Floor}
    - {name: GSS-FF, reported: {method: GSS-FF}, method: GSS, training: {preset: paper_ade20k,
       initialisation: imagenet-22k, dataset: ade20k}}
stand_in:
  data: {ade20k: scenes/city}
  train: {images: 4}
  test: {images: 3}
  presets: {}
  protocol: {resize: [48, 96], eval_at: native}
"""


@pytest.fixture(autouse=True)
def no_reference(tmp_path, monkeypatch):
    """Reading all reference results for a plan's estimates takes a while."""
    monkeypatch.setattr(suite_verbs, "REFERENCE", tmp_path / "none")


@pytest.fixture
def trial(tmp_path, monkeypatch):
    monkeypatch.delenv("BENCH_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "trial.yaml"
    path.write_text(TEXT)
    return path


def test_there_are_suites_of_papers():
    assert {path.stem for path in PAPERS} >= {"gss_table1", "gss_table3", "gss_table9"}


def test_every_suite_of_a_paper_has_a_stand_in():
    assert {path.stem for path in PAPERS if not read_suite(path).suite.stand_in} == SMALL


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.stem)
def test_a_suite_of_a_paper_plans_without_data(path, tmp_path, monkeypatch, capsys):
    """It says of each cell what it needs, and of each need where to get it."""
    monkeypatch.delenv("BENCH_DATA", raising=False)
    assert main(["plan", str(path), "--output", str(tmp_path)]) == 0
    printed = "".join(capsys.readouterr().out.split())
    plan = make_plan(read_suite(path), Settings(tmp_path))
    assert bool(plan.unavailable) == (path.stem != "baselines")
    for missing in plan.unavailable:
        assert missing.needs, missing.cell
        assert all("".join(need.what.split()) in printed for need in missing.needs)
        assert all("".join(need.remedy.split()) in printed for need in missing.needs)


@pytest.mark.parametrize("path", NEEDY, ids=lambda path: path.stem)
def test_a_stand_in_plans_without_data(path, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("BENCH_DATA", raising=False)
    assert main(["plan", str(path), "--output", str(tmp_path), "--stand-in"]) == 0
    assert "needs" not in capsys.readouterr().out


@pytest.mark.parametrize("path", NEEDY, ids=lambda path: path.stem)
def test_a_stand_in_asks_for_nothing_that_is_not_here(path):
    suite, _, told = read_suite(path, stand_in=True)
    assert re.search(r"-stand-in(-\d+pct)?$", suite.name)
    assert told.startswith("Stand-in: generated scenes")
    assert {ref.dataset for ref in (*suite.train_on, *suite.test_on)} <= {"scenes", "mixture"}
    assert not any(entry.config.get("weights") for entry in suite.methods)


def test_a_plan_says_of_each_cell_what_is_missing_and_where_to_get_it(trial, capsys):
    assert main(["plan", str(trial)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "0 of 2 cells to do" in printed
    assert "ADEChallengeData2016.zip" in printed
    assert "none.st: no such file; `python -m bench weights convert` makes one" in printed


def test_a_suite_without_data_or_table_can_be_planned_and_not_run(trial, capsys):
    trial.write_text(TEXT[: TEXT.index("paper:")])
    assert main(["plan", str(trial)]) == 0
    assert "ADEChallengeData2016.zip" in " ".join(capsys.readouterr().out.split())
    assert main(["run", str(trial)]) == 2
    assert "ADEChallengeData2016.zip" in capsys.readouterr().err


def test_a_run_without_data_shows_the_table_and_says_that_cells_lack_numbers(trial, capsys):
    assert main(["run", str(trial)]) == 1
    assert "0 cells computed now; 0 of 2 done" in capsys.readouterr().out
    with Path("reports/trial/tables/paper.csv").open() as file:
        fcn, floor, gss = csv.DictReader(file)
    assert float(fcn["mIoU: reported_fraction"]) == pytest.approx(0.414)
    assert floor["mIoU: verdict"] == "not run: needs ade20k"
    assert gss["mIoU: verdict"] == f"not run: needs ade20k, {FILES}"


def test_what_can_be_run_is(trial, capsys):
    text = TEXT.replace("[ade20k]", "[{dataset: scenes, options: {images: 3}}]")
    trial.write_text(text.replace("crop: [64, 64]", "resize: [48, 96]"))
    assert main(["run", str(trial)]) == 1
    assert "1 cells computed now; 1 of 2 done" in capsys.readouterr().out
    with Path("reports/trial/tables/paper.csv").open() as file:
        _, floor, gss = csv.DictReader(file)
    assert floor["mIoU: verdict"] == "not published"
    assert gss["mIoU: verdict"] == f"not run: needs {FILES}"


def test_a_stand_in_runs_and_is_named_throughout(trial, capsys):
    trial.write_text("".join(line for line in TEXT.splitlines(True) if "adapter: gss" not in line)
                     .replace(", method: GSS,", ","))  # fmt: skip
    assert main(["run", str(trial), "--stand-in"]) == 0
    folder = Path("results/runs/trial-stand-in")
    manifest = SuiteFolder(folder).manifest()
    assert manifest.stand_in.startswith("Stand-in: generated scenes (scenes/city for ade20k)")
    report = Path("reports/trial-stand-in")
    with (report / "tables" / "paper-stand-in.csv").open() as file:
        rows = {row["Method"]: row for row in csv.DictReader(file)}
    assert rows["floor"]["mIoU: verdict"] == "stand-in"
    assert 0 < float(rows["floor"]["mIoU: measured_fraction"]) < 1
    assert rows["GSS-FF"]["mIoU: verdict"] == "not run: not a method here"
    page = (report / "index.html").read_text()
    assert "GSS, table 5, reported and measured, stand-in" in page


def test_a_wrong_data_root_is_an_error(trial, capsys):
    assert main(["plan", str(trial), "--data-root", "nowhere"]) == 2
    assert "nowhere: no such folder" in capsys.readouterr().err


def test_a_suite_without_stand_in_says_so(trial, capsys):
    trial.write_text(TEXT[: TEXT.index("stand_in:")])
    assert main(["plan", str(trial), "--stand-in"]) == 2
    assert "stand_in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("name: gss\n", "name: gsss\n", "paper.name: no reported number has name 'gsss'"),
        ('table: "5"', 'table: "55"', "paper.table: no reported number has table '55'"),
        ("{method: FCN}", "{method: FCNN}", "paper.rows.0.reported: table 5 has no number of"),
        ("{metric: mIoU}", "{metric: IoU}", "paper.columns.0.reported: table 5 has no number of"),
        ("name: mIoU,", "name: mIoU, metric: miou,", "paper.columns.0.metric: no metric 'miou'"),
        ("name: mIoU,", "name: x, test_on: voc,", "the suite has no test set 'voc'"),
        ("preset: paper_ade20k,\n", "preset: paper,\n", "training.preset: gss has no preset"),
        ("dataset: ade20k}}", "dataset: ade20k, config: {colour: 1}}}", "config.colour: unknown"),
        ("method: Floor", "method: Flor", "paper.rows.1.method: no method is labelled 'Flor'"),
        ("{method: FCN}", "{dataset: ADE20K}", "paper.rows.0.reported: 13 numbers in column"),
        ("scenes/city", "scenes/town", "stand_in: with it in place, train_on.0.subset: scenes has"),
        ("{images: 4}", "{imges: 4}", "stand_in: with it in place, train_on.0.options.imges"),
    ],
)  # fmt: skip
def test_faults_of_a_published_table_are_placed(trial, before, after, fault):
    assert before in TEXT
    trial.write_text(TEXT.replace(before, after, 1))
    with pytest.raises(SuiteError) as raised:
        read_suite(trial)
    assert fault in str(raised.value)
    assert str(raised.value).startswith(f"{trial}:")
