"""The committed measurements: complete, above the floor, and what the README prints."""

import subprocess
from pathlib import Path

import pytest

from bench import load_results
from bench.core.schema import CLEAN
from bench.score.metrics import METRICS
from bench.score.stats import replicates
from bench.store.folders import SuiteFolder

ROOT = Path(__file__).parents[1]
CAMVID = ROOT / "results" / "reference" / "camvid"
RECONSTRUCTION = ROOT / "results" / "reference" / "reconstruction"
FLOOR = "Position prior"


@pytest.fixture(scope="module")
def clean():
    table = load_results(CAMVID)
    return table[(table["corruption"] == "none") & (table["task"] == "predict")]


def test_every_cell_of_camvid_is_there_on_all_images():
    table = load_results(CAMVID)
    assert set(table["status"]) == {"ok"}
    assert set(table["num_images"]) == {101}
    assert len(table.groupby("key")) == len(SuiteFolder(CAMVID).manifest().cells)


def test_no_frame_of_the_dataset_is_committed():
    command = ["git", "ls-files", str(CAMVID.parent)]
    tracked = subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout.split()
    assert {Path(path).suffix for path in tracked} == {".json", ".gz", ".npz", ".html"}
    assert not [path for path in tracked if "previews" in path]
    assert "data:image" not in (RECONSTRUCTION / "camvid" / "index.html").read_text()


def test_every_learned_method_reaches_one_and_a_half_times_the_floor(clean):
    miou = clean[clean["metric"] == "mIoU"].set_index("label")["value"]
    assert len(miou) >= 4
    assert (miou.drop(FLOOR) >= 1.5 * miou[FLOOR]).all()


def test_every_learned_method_is_above_the_floor_with_its_whole_interval():
    folder = SuiteFolder(CAMVID)
    counts = {
        record.cell.label: folder.counts(record.key)
        for record in folder.records()
        if record.cell.condition == CLEAN and record.cell.task == "predict"
    }
    draws = dict(zip(counts, replicates(METRICS["mIoU"], list(counts.values())), strict=True))
    for label in set(counts) - {FLOOR}:
        low = sorted(draws[label] - draws[FLOOR])[len(draws[label]) * 25 // 1000]
        assert low > 0, label


@pytest.mark.parametrize("data", ["scenes", "camvid"])
def test_the_committed_codecs_are_complete_and_their_extremes_as_they_must_be(data):
    folder = SuiteFolder(RECONSTRUCTION / data)
    table = load_results(folder.path)
    assert set(table["status"]) == {"ok"}
    clean = table[(table["corruption"] == "none") & (table["metric"] == "mIoU")]
    assert (clean.groupby("label")["seed"].nunique() == 5).all()
    assert clean["label"].nunique() >= 12
    assert set(clean[clean["label"] == "Identity"]["value"]) == {1.0}
    rate = {
        record.cell.label: record.measured["bits_per_pixel"]
        for record in folder.records()
        if record.cell.condition == CLEAN
    }
    assert rate["VQ 256"] < rate["VQ 1024"] < rate["VQ 16384"] < rate["Identity"]
    assert rate["KL 4"] < rate["KL 16"]
    assert (RECONSTRUCTION / data / "index.html").stat().st_size < 3 * 2**20
