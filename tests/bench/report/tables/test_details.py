"""Definitions, ceilings and policies of absent classes in the tables."""

import csv
import re

import pytest

from bench.score.metrics import METRICS
from tests.helpers.made import Made
from tests.helpers.reports import GOOD, WEAK, read_tables
from tests.helpers.stores import FLOOR


def test_ceiling_is_reported(made: Made) -> None:
    places = read_tables(made.destination)
    share = float(places["ceilings", GOOD, "Share of ceiling_fraction"])
    ceiling = float(places["ceilings", GOOD, "Ceiling_fraction"])
    assert share == pytest.approx(float(places["scores", GOOD, "mIoU_fraction"]) / ceiling)
    assert ("ceilings", WEAK, "Ceiling_fraction") not in places


def test_definitions_name_who_published_which(made: Made) -> None:
    with (made.destination / "tables" / "definitions.csv").open() as file:
        rows = {row["Score"]: row for row in csv.DictReader(file)}
    assert rows.keys() == METRICS.keys()
    for paper, name in (("GSS", "mIoU"), ("MSeg", "mIoU_mseg"), ("CAM-Seg", "precision_camseg"),
                        ("Seg-VAR", "mIoU_detectron2")):  # fmt: skip
        assert rows[name]["Published"].startswith(paper)
    assert all(row["Absent"] for row in rows.values())
    assert rows["iIoU"][f"{GOOD}_status"] == "not stored"
    assert float(rows["boundary_IoU"][f"{GOOD}_fraction"]) > 0


def test_cost_is_of_the_model_alone_and_says_what_it_starts_from(made: Made) -> None:
    places = read_tables(made.destination)
    assert float(places["cost", GOOD, "GFLOPs"]) == 2.5
    assert float(places["cost", GOOD, "Latency (ms)"]) == 20
    assert places["cost", GOOD, "Spread (ms)"] == "18–31"
    assert float(places["cost", GOOD, "Images/s"]) == 80
    assert places["cost", GOOD, "Memory (MiB)_status"] == "–"
    assert places["cost", GOOD, "Starts from"] == "random"
    assert places["cost", FLOOR, "GFLOPs_status"] == "not measured"
    text = (made.destination / "tables" / "cost.md").read_text()
    assert "of the model alone on 12 x 24 pixels" in text
    assert "Measured on cpu" in text


def test_every_table_of_scores_names_its_policy_for_absent_classes(
    made: Made,
) -> None:
    for path in (made.destination / "tables").glob("*.md"):
        if path.stem not in ("cost", "calibration", "failures", "claims", "findings"):
            assert re.search(r"[Aa]bsent (classes )?.*(left out|count as 0|no weight)",
                             path.read_text()), path.stem  # fmt: skip
