"""``suites/any_model.yaml`` from its files to its report, on small stand-ins made here."""

from pathlib import Path

import pytest

from bench.cli.main import main
from bench.core.resources import SUITES
from bench.store.folders import SuiteFolder
from tests.helpers.any_model import write_files
from tests.helpers.reports import read_tables

SUITE = SUITES / "any_model.yaml"
IMAGES = ("train_on.0.options.images=40", "test_on.0.options.images=8")
SHORT = (
    "methods.3.config.train.steps=10",
    "methods.4.config.train_tokenizer.steps=10",
    "methods.4.config.train_prior.steps=10",
    "methods.4.config.train_inverse.steps=2",
)
STARTS = {
    "Position prior": "random",
    "SegFormer, fine-tuned elsewhere": "released",
    "Predicted elsewhere": "unknown",
    "FPN, pretrained encoder": "a file",
    "GSS-FF": "random",
}


@pytest.mark.slow
def test_the_suite_runs_to_its_end_and_shows_what_each_model_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_files(Path("results"), 10, 40, *IMAGES)
    settings = [part for setting in (*IMAGES, *SHORT) for part in ("--set", setting)]
    assert main(["run", str(SUITE), "--jobs", "1", *settings]) == 0
    records = list(SuiteFolder(tmp_path / "results" / "runs" / "any_model").records())
    assert {record.status for record in records} == {"ok"}
    finished = {(record.cell.label, str(record.cell.condition)) for record in records}
    conditions = ("clean", "gaussian_noise 3", "motion_blur 3")
    assert finished == {(label, condition) for label in STARTS for condition in conditions}
    assert {record.cell.label: record.initialisation for record in records} == STARTS
    report = tmp_path / "reports" / "any_model"
    places = read_tables(report)
    for label in STARTS:
        if label == "Predicted elsewhere":
            assert places["cost", label, "Latency (ms)_status"] == "not measured"
        else:
            assert float(places["cost", label, "Latency (ms)"]) > 0
            assert float(places["cost", label, "GFLOPs"]) >= 0
        known = ("calibration", label, "ECE_fraction") in places
        assert known == (label not in ("Predicted elsewhere", "GSS-FF"))
    assert (report / "plots" / "cost.png").exists()
    assert (report / "plots" / "reliability.png").exists()
    capsys.readouterr()
    assert main(["run", str(SUITE), "--jobs", "1", *settings]) == 0
    assert "0 cells computed now" in capsys.readouterr().out
