"""Clean and corrupted scores in the tables, against counts by hand."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from bench import report
from bench.core.schema import CLEAN
from tests.helpers.made import Made
from tests.helpers.reports import ACCURACY, CONDITIONS, GOOD, WEAK, read_tables
from tests.helpers.stores import CLASSES, FLOOR, Store, make_cell, predict

CHANGED = CONDITIONS[1]


def iou_by_hand(truth: np.ndarray, predicted: np.ndarray) -> list[float]:
    valid = truth != 255
    return [
        float(((truth == k) & (predicted == k)).sum())
        / float((((truth == k) | (predicted == k)) & valid).sum())
        for k in range(len(CLASSES))
    ]


def test_cells_equal_hand_counts(
    made: Made,
) -> None:
    _, destination, records = made
    truth = Store(destination / "unused").truth
    places = read_tables(destination)
    scores = {}
    for (label, condition), record in records.items():
        clean, loss = ACCURACY[label]
        predicted = predict(truth, clean - loss * condition.severity, str(record.cell))
        scores[label, condition] = iou = iou_by_hand(truth, predicted)
        if condition == CLEAN:
            assert float(places["scores", label, "mIoU_fraction"]) == pytest.approx(np.mean(iou))
            for name, value in zip(CLASSES, iou, strict=True):
                place = places["classes", name, f"{label}_fraction"]
                assert float(place) == pytest.approx(value)
        else:
            row = f"{condition.corruption} {condition.severity}"
            place = places["conditions", row, f"{label}_fraction"]
            assert float(place) == pytest.approx(np.mean(iou))
    mean = {key: np.mean(iou) for key, iou in scores.items()}
    corrupted = np.mean([mean[GOOD, condition] for condition in CONDITIONS])
    found = {name: float(places["robustness", GOOD, f"{name}_fraction"]) for name in ("mPC", "rPC")}
    assert found["mPC"] == pytest.approx(corrupted)
    assert found["rPC"] == pytest.approx(corrupted / mean[GOOD, CLEAN])
    retained = mean[GOOD, CHANGED] / mean[GOOD, CLEAN]
    assert float(places["retention", "fog 3", f"{GOOD}_fraction"]) == pytest.approx(retained)
    ratios, beyond = [], []
    for name in ("fog", "motion_blur"):
        severities = [condition for condition in CONDITIONS if condition.corruption == name]
        error = {label: sum(1 - mean[label, c] for c in severities) for label in (GOOD, FLOOR)}
        extra = {
            label: error[label] - sum(1 - mean[label, CLEAN] for _ in severities)
            for label in (GOOD, FLOOR)
        }
        ratios.append(error[GOOD] / error[FLOOR])
        beyond.append(extra[GOOD] / extra[FLOOR])
        assert float(places["errors", GOOD, f"{name}_fraction"]) == pytest.approx(ratios[-1])
    assert float(places["errors", GOOD, "mCE_fraction"]) == pytest.approx(np.mean(ratios))
    relative = float(places["errors", GOOD, "relative mCE_fraction"])
    assert relative == pytest.approx(np.mean(beyond))
    assert float(places["errors", FLOOR, "mCE_fraction"]) == pytest.approx(1)
    lead = mean[GOOD, CLEAN] - mean[FLOOR, CLEAN]
    assert float(places["scores", GOOD, "mIoU over floor_fraction"]) == pytest.approx(lead)


def test_ranks_and_variance_are_reported(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for label, accuracy in ((GOOD, 0.9), (WEAK, 0.5)):
        for seed in (0, 1):
            for sampling in (0, 1):
                cell = make_cell(label, seed=seed, sampling_seed=sampling)
                store.add(cell, accuracy + seed / 50)
    report.write(store.folder, tmp_path / "report")
    tables = tmp_path / "report" / "tables"
    ranks, variance = (
        list(csv.DictReader((tables / f"{name}.csv").read_text().splitlines()))
        for name in ("ranks", "variance")
    )
    assert [row["Method"] for row in ranks] == [GOOD, WEAK]
    assert [(row["Best rank"], row["Worst rank"]) for row in ranks] == [("1", "1"), ("2", "2")]
    for row in variance:
        assert (row["Training seeds"], row["Sampling seeds"]) == ("2", "2")
        assert all(0 <= float(row[f"From {name}_fraction"]) < 0.1 for name in
                   ("training", "sampling", "images"))  # fmt: skip
        assert float(row["From training_fraction"]) > 0


def test_what_the_images_can_detect_is_said(made: Made, page: str) -> None:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))
    told = re.search(r"12 images detect differences of ([\d.]+) points or more", text)
    assert told is not None
    assert "one training each" in text
    caption = (made.destination / "tables" / "scores.md").read_text().splitlines()[0]
    assert f"12 images detect differences of {told[1]} points or more" in caption
    assert "cannot tell 68.0 from 68.1" in caption
