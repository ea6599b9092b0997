"""Calibration and several draws in tables: against what was stored."""

from pathlib import Path

import numpy as np
import pytest

from bench.report.statistics import make_blocks
from bench.report.tables.uncertainty import calibrated, uncertainty_tables
from bench.score.metrics import METRICS
from tests.helpers.made import Made
from tests.helpers.reports import CONFIDENCE, GOOD, WEAK, read_tables
from tests.helpers.stores import Store, make_cell


def test_calibration_is_that_of_the_counts(made: Made) -> None:
    """Every pixel is as sure as the next, so the error is the distance to the accuracy."""
    places = read_tables(made.destination)
    row = {c: v for (file, label, c), v in places.items() if (file, label) == ("calibration", GOOD)}
    accuracy = float(row["Accuracy_fraction"])
    gap = CONFIDENCE[GOOD] - accuracy
    assert 0 < gap < 0.1
    assert float(row["Confidence_fraction"]) == pytest.approx(CONFIDENCE[GOOD])
    assert float(row["ECE_fraction"]) == pytest.approx(gap, abs=1e-6)
    assert float(row["ECE_low"]) < gap < float(row["ECE_high"])
    assert float(row["Overconfidence_fraction"]) == pytest.approx(gap)
    # Under corruption the accuracy falls and the confidence does not.
    assert float(row["Corrupted: ECE_fraction"]) > gap
    assert float(row["Corrupted: overconfidence_fraction"]) > gap


def test_methods_without_probabilities_are_left_out(made: Made) -> None:
    places = read_tables(made.destination)
    assert not any(file == "calibration" and label == WEAK for file, label, _ in places)


def draws(tmp_path: Path, *, sampled: bool) -> Store:
    store = Store(tmp_path, images=20)
    for seed in (0, 1):
        for sampling_seed in (0, 1, 2):
            cell = make_cell(GOOD, seed=seed, sampling_seed=sampling_seed)
            store.add(cell, 0.8, sampled=sampled)
        store.add(make_cell("one draw", seed=seed), 0.7)
    return store


def test_several_draws_are_averaged_within_a_training(tmp_path: Path) -> None:
    store = draws(tmp_path, sampled=True)
    (block,) = make_blocks(store.folder)
    (table,) = uncertainty_tables(block)
    ((label, count, average, best, agreed),) = table.rows
    assert (label.text, count.value) == (GOOD, 3)
    scores = [METRICS["mIoU"](block.counts(r.key)) for r in block.of(GOOD)]
    assert average.value == pytest.approx(np.mean(scores))
    assert best.value is not None
    assert best.value > max(scores)
    # Two draws that are right at 0.8 of the pixels agree there, and by chance elsewhere.
    assert agreed.value == pytest.approx(0.8**2 + 0.2**2 / 3, abs=0.03)
    assert len(agreed.keys) == 6


def test_agreement_that_was_not_kept_is_said(tmp_path: Path) -> None:
    (block,) = make_blocks(draws(tmp_path, sampled=False).folder)
    (table,) = uncertainty_tables(block)
    assert table.rows[0][-1].number == "not stored"


def test_a_sum_that_lacks_a_cell_is_none(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(make_cell(GOOD, seed=0), 0.8, confidence=0.9)
    (block,) = make_blocks(store.folder)
    sums = calibrated(block, GOOD)
    assert sums is not None
    assert sums[0].sum() == (store.truth != 255).sum()
    store.add(make_cell(GOOD, seed=1), 0.8)
    (block,) = make_blocks(store.folder)
    assert calibrated(block, GOOD) is None
