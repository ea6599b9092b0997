"""Scores against those that mmsegmentation, mseg-semantic and CAM-Seg's notebook print."""

import numpy as np
import pytest

from bench.core.schema import IGNORE_INDEX
from bench.score.counts import Counts, count_image, stack_counts
from bench.score.metrics import METRICS, Sums, class_accuracy, class_iou, class_precision
from tests.helpers.parity import Fixture, load

TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def fixture() -> Fixture:
    return load("segmentation_metrics")


@pytest.fixture(scope="module")
def counts(fixture: Fixture) -> Counts:
    """Count the labels as published, the fixture's ignored label made ours."""
    return count(fixture, fixture.arrays["label"], fixture.arrays["prediction"], "ignore_index")


@pytest.fixture(scope="module")
def void_counts(fixture: Fixture) -> Counts:
    """Count CAM-Seg's labels, in which void is class 0 and may be predicted."""
    with_void = [
        np.where(array == 0, IGNORE_INDEX, array.astype(int) - 1)
        for array in (fixture.arrays["void_label"], fixture.arrays["void_prediction"])
    ]
    return count(fixture, *with_void)


def count(fixture: Fixture, truth: np.ndarray, predicted: np.ndarray, ignore: str = "") -> Counts:
    if ignore:
        truth = np.where(truth == fixture.config[ignore], IGNORE_INDEX, truth)
    classes = fixture.config["num_classes"]
    return stack_counts([count_image(t, p, classes) for t, p in zip(truth, predicted, strict=True)])


def totals(counts: Counts) -> Sums:
    return Sums(*(array.sum(axis=0).astype(float) for array in counts[:3]))


@pytest.mark.parametrize(
    ("metric", "published"),
    [
        ("mIoU", "mmseg_mIoU"),
        ("mAcc", "mmseg_mAcc"),
        ("aAcc", "mmseg_aAcc"),
        ("mIoU_mseg", "mseg_mIoU"),
        ("mAcc_mseg", "mseg_mAcc"),
        ("aAcc", "mseg_allAcc"),
    ],
)
def test_score(fixture: Fixture, counts: Counts, metric: str, published: str) -> None:
    assert METRICS[metric](counts) == pytest.approx(float(fixture.arrays[published]), abs=TOLERANCE)


def test_precision_published_as_ap(fixture: Fixture, void_counts: Counts) -> None:
    score = METRICS["precision_camseg"](void_counts)
    assert score == pytest.approx(float(fixture.arrays["camseg_AP"]), abs=TOLERANCE)


def test_classes(fixture: Fixture, counts: Counts, void_counts: Counts) -> None:
    iou, accuracy = class_iou(totals(counts)), class_accuracy(totals(counts))
    precision = class_precision(totals(void_counts))
    arrays = fixture.arrays
    close = {"atol": TOLERANCE, "rtol": 0, "equal_nan": True}
    np.testing.assert_allclose(iou, arrays["mmseg_IoU"], **close)
    np.testing.assert_allclose(np.nan_to_num(iou), arrays["mseg_IoU"], **close)
    np.testing.assert_allclose(accuracy, arrays["mmseg_Acc"], **close)
    np.testing.assert_allclose(np.nan_to_num(precision), arrays["camseg_precision"], **close)
