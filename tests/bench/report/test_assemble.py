"""From stored counts to the files of a report."""

import json
from pathlib import Path

import pytest

from bench import report
from bench.core.errors import StoreError
from bench.core.schema import DataRef
from bench.store.folders import SuiteFolder
from tests.helpers.made import Made
from tests.helpers.reports import GOOD, WEAK, read_tables
from tests.helpers.stores import FLOOR, Store, make_cell


def test_unchanged_results_are_not_reported_twice(
    made: Made,
) -> None:
    output, destination, _ = made
    written = (destination / "index.html").stat().st_mtime_ns
    report.write(SuiteFolder(output / "robustness"), destination)
    assert (destination / "index.html").stat().st_mtime_ns == written


def test_failed_cell_shows_everywhere(made: Made, page: str) -> None:
    places = read_tables(made.destination)
    assert places["failures", WEAK, "Error"] == "Diverged: loss 'ce' is nan <at> step 7"
    assert places["conditions", "motion_blur 3", f"{WEAK}_status"] == "failed"
    assert places["robustness", WEAK, "mPC_status"] == "failed"
    assert places["robustness", GOOD, "mPC_status"] == "ok"
    assert "1 of 16 cells failed." in page
    assert "is nan &lt;at&gt; step 7" in page


def test_plots_are_written_and_repeatable(made: Made, tmp_path: Path) -> None:
    output, destination, _ = made
    names = {path.name for path in (destination / "plots").iterdir()}
    assert names == {
        f"{plot}.{ending}"
        for plot in ("glance", "cost", "reliability", "degradation", "heat_map", "training")
        for ending in ("png", "svg", "pdf")
    } | {"sheet.jpg"}
    assert "GSS-FF: prior" in (destination / "index.html").read_text()


def test_the_summary_is_what_the_page_opens_with(made: Made, page: str) -> None:
    summary = json.loads((made.destination / "summary.json").read_text())
    assert summary["verdict"].startswith("Undecided, which is best: GSS-FF has mIoU ")
    assert [row[0] for row in summary["rows"]] == [GOOD, WEAK, FLOOR]
    assert len(summary["columns"]) == len(summary["units"]) == len(summary["rows"][0])
    assert summary["rows"][0][2] in page


def test_limit_and_example_are_stamped(tmp_path: Path) -> None:
    store = Store(tmp_path, images=3)
    store.add(make_cell(GOOD, limit=3), 0.9)
    text = report.write(store.folder, tmp_path / "report", example=True).read_text()
    assert "Limited: only the first 3 images" in text
    assert "Example page" in text
    assert "--limit 3" in (tmp_path / "report" / "tables" / "scores.md").read_text()


def test_several_test_sets_and_seeds(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for subset in ("city", "night"):
        for seed in (0, 1):
            where = DataRef(dataset="scenes", subset=subset, split="val")
            store.add(make_cell(GOOD, test_on=where, seed=seed), 0.8 + seed / 20)
    page = report.write(store.folder, tmp_path / "report").read_text()
    assert "scenes/night ↑" in page.split('id="leaderboard"')[1]
    tables = {path.stem for path in (tmp_path / "report" / "tables").glob("*.md")}
    assert {"overview", "scenes-city-scores"} <= tables
    assert "scenes-night-scores" in tables
    rows = (tmp_path / "report" / "tables" / "scenes-city-scores.csv").read_text()
    assert "mIoU_sd_over_seeds" in rows
    assert " ± " in (tmp_path / "report" / "tables" / "overview.md").read_text()


def test_all_cells_failed_is_still_a_report(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.fail(make_cell(GOOD), "no memory")
    text = report.write(store.folder, tmp_path / "report").read_text()
    assert "1 of 1 cells failed" in text


def test_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="bench run"):
        report.write(SuiteFolder(tmp_path / "robustness"), tmp_path / "report")


def test_different_images_are_refused(tmp_path: Path) -> None:
    store = Store(tmp_path, images=4)
    store.add(make_cell(GOOD), 0.9)
    store.truth = store.truth[:3]
    store.add(make_cell(WEAK), 0.8)
    with pytest.raises(StoreError, match="scored different images"):
        report.write(store.folder, tmp_path / "report")
