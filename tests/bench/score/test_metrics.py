import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.core.schema import IGNORE_INDEX
from bench.score.counts import Counts, count_image, stack_counts
from bench.score.metrics import METRICS, per_class_iou

CLASSES = 4
PIXELS = st.sampled_from([*range(CLASSES), IGNORE_INDEX])
LABELS = arrays(np.uint8, st.just((3, 5, 6)), elements=PIXELS)


def counts_of(truth: np.ndarray, predicted: np.ndarray, classes: int = CLASSES) -> Counts:
    return stack_counts([count_image(t, p, classes) for t, p in zip(truth, predicted, strict=True)])


def slow_classes(truth: np.ndarray, predicted: np.ndarray) -> list[tuple[float, float, float]]:
    """True positives, false positives and misses of each class, one pixel at a time."""
    found = []
    for k in range(CLASSES):
        pairs = [
            (t, p) for t, p in zip(truth.flat, predicted.flat, strict=True) if t != IGNORE_INDEX
        ]
        hits = sum(t == k and p == k for t, p in pairs)
        found.append(
            (hits, sum(p == k for _, p in pairs) - hits, sum(t == k for t, _ in pairs) - hits)
        )
    return found


@given(truth=LABELS, predicted=LABELS)
@settings(deadline=None, max_examples=50)
def test_against_pixel_by_pixel(truth: np.ndarray, predicted: np.ndarray) -> None:
    classes = slow_classes(truth, predicted)
    union = [sum(c) for c in classes]
    iou = [c[0] / u for c, u in zip(classes, union, strict=True) if u]
    recall = [tp / (tp + fn) for tp, _, fn in classes if tp + fn]
    precision = [tp / (tp + fp) if tp + fp else 0 for tp, fp, _ in classes]
    labelled = sum(tp + fn for tp, _, fn in classes)
    counts = counts_of(truth, predicted)
    expected = {
        "mIoU": np.mean(iou) if iou else np.nan,
        "mIoU_mseg": sum(iou) / CLASSES,
        "mAcc": np.mean(recall) if recall else np.nan,
        "mAcc_mseg": sum(recall) / CLASSES,
        "aAcc": sum(c[0] for c in classes) / labelled if labelled else np.nan,
        "fwIoU": sum((c[0] + c[2]) * c[0] / u for c, u in zip(classes, union, strict=True) if u)
        / labelled
        if labelled
        else np.nan,
        "precision_camseg": np.mean(precision),
    }
    for name, value in expected.items():
        assert METRICS[name](counts) == pytest.approx(value, nan_ok=True), name


@given(truth=LABELS, predicted=LABELS)
@settings(deadline=None, max_examples=50)
def test_mean_over_images_is_the_mean_of_their_scores(
    truth: np.ndarray, predicted: np.ndarray
) -> None:
    each = [METRICS["mIoU"](counts_of(truth[n : n + 1], predicted[n : n + 1])) for n in range(3)]
    scored = [score for score in each if not np.isnan(score)]
    expected = np.mean(scored) if scored else np.nan
    found = METRICS["mIoU_image"](counts_of(truth, predicted))
    assert found == pytest.approx(expected, nan_ok=True)


@given(truth=LABELS, predicted=LABELS)
@settings(deadline=None, max_examples=50)
def test_scores_are_fractions_and_iou_is_at_most_precision(
    truth: np.ndarray, predicted: np.ndarray
) -> None:
    counts = counts_of(truth, predicted)
    for name, metric in METRICS.items():
        value = metric(counts)
        assert np.isnan(value) or 0 <= value <= 1, name
    assert METRICS["mIoU_mseg"](counts) <= METRICS["precision_camseg"](counts) + 1e-12


def test_abstaining_raises_the_published_precision_but_not_iou() -> None:
    truth = np.array([[[0, 0, 1, 1]]], np.uint8)
    guessing = np.array([[[0, 1, 1, 0]]], np.uint8)
    abstaining = np.array([[[0, 255, 1, 255]]], np.uint8)
    scores = {
        name: (METRICS[name](counts_of(truth, guessing, 2)),
               METRICS[name](counts_of(truth, abstaining, 2)))
        for name in ("precision_camseg", "mIoU", "mAcc")
    }  # fmt: skip
    assert scores["precision_camseg"] == (0.5, 1.0)
    assert scores["mIoU"] == (pytest.approx(1 / 3), 0.5)
    assert scores["mAcc"] == (0.5, 0.5)


def test_per_class_iou_marks_absent_classes() -> None:
    truth = np.array([[[0, 0, 1, 255]]], np.uint8)
    predicted = np.array([[[0, 1, 1, 2]]], np.uint8)
    np.testing.assert_allclose(per_class_iou(counts_of(truth, predicted, 3)), [0.5, 0.5, np.nan])


@pytest.mark.parametrize("name", METRICS)
def test_definitions_are_one_line_and_sourced(name: str) -> None:
    metric = METRICS[name]
    assert metric.source
    assert metric.absent
    assert "\n" not in metric.definition


def test_detectron2_leaves_out_what_is_predicted_void() -> None:
    """By hand: its confusion matrix has rows of predictions, and void cut off either side."""
    truth = np.array([[[0, 0, 0, 1, 1, 2, 255]]], np.uint8)
    predicted = np.array([[[0, 0, 255, 1, 0, 255, 1]]], np.uint8)
    counts = counts_of(truth, predicted, 3)
    # Class 0: 2 of 3; class 1: 1 of 2; class 2 is only ever predicted void, and not asked for.
    assert METRICS["mIoU_detectron2"](counts) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert METRICS["mIoU"](counts) == pytest.approx((2 / 4 + 1 / 2 + 0) / 3)
