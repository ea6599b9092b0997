"""Bands, instances and categories against definitions written out slowly."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.core.schema import IGNORE_INDEX
from bench.data.transforms import resize_label
from bench.score.counts import (
    BAND_DIAGONAL,
    CATEGORIES,
    SIZE_LIMITS,
    Counts,
    stack_counts,
)
from bench.score.metrics import METRICS
from bench.score.prepared import count_all, prepare_truth
from bench.score.stats import replicates
from bench.store.folders import SuiteFolder
from tests.helpers.stores import Store, make_cell

CLASSES = ("sky", "person", "rider", "car")
THINGS = (1, 2, 3)
LABELS = arrays(np.uint8, (9, 14), elements=st.sampled_from([0, 1, 2, 3, IGNORE_INDEX]))
INSTANCES = arrays(np.uint16, (9, 14), elements=st.integers(0, 2))
DIMENSIONS = (
    *("IoU_category", "iIoU", "iIoU_category", "boundary_IoU"),
    *("mIoU_small", "mIoU_medium", "mIoU_large"),
)


def count(*images: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Counts:
    counted = [count_all(prepare_truth(t, len(CLASSES), instance), p) for t, p, instance in images]
    return stack_counts(counted, CLASSES)


def of_things(truth: np.ndarray, instance: np.ndarray) -> np.ndarray:
    return np.where(np.isin(truth, THINGS), instance, 0)


def near_edge(mask: np.ndarray, width: int) -> np.ndarray:
    """Pixels of a mask with something else, or the outside, within a Chebyshev distance."""
    padded = np.pad(mask, width)
    found = np.zeros_like(mask)
    for y, x in np.argwhere(mask):
        found[y, x] = not padded[y : y + 2 * width + 1, x : x + 2 * width + 1].all()
    return found


@given(truth=LABELS, predicted=LABELS)
@settings(deadline=None, max_examples=40)
def test_bands_mask_by_mask(truth: np.ndarray, predicted: np.ndarray) -> None:
    width = max(1, round(BAND_DIAGONAL * math.hypot(*truth.shape)))
    known = truth != IGNORE_INDEX
    expected = np.zeros((3, len(CLASSES)))
    for k in range(len(CLASSES)):
        real = near_edge(truth == k, width)
        said = near_edge((predicted == k) & known, width)
        expected[:, k] = (real & said).sum(), (said & ~real).sum(), (real & ~said).sum()
    found = count_all(prepare_truth(truth, len(CLASSES)), predicted).bands
    np.testing.assert_array_equal(found, expected)


def components(mask: np.ndarray) -> list[np.ndarray]:
    """Connected parts of a mask, eight neighbours, by flooding."""
    left, parts = {(int(y), int(x)) for y, x in np.argwhere(mask)}, []
    while left:
        wave, part = [left.pop()], np.zeros_like(mask)
        while wave:
            y, x = wave.pop()
            part[y, x] = True
            near = {(y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
            left -= near
            wave += near
        parts.append(part)
    return parts


@given(truth=LABELS, predicted=LABELS, instance=INSTANCES | st.none())
@settings(deadline=None, max_examples=40)
def test_sizes_object_by_object(
    truth: np.ndarray, predicted: np.ndarray, instance: np.ndarray | None
) -> None:
    owned = np.zeros_like(truth, bool) if instance is None else instance > 0
    size = np.zeros(truth.shape)
    for label in np.unique(truth):
        for part in components(truth == label):
            size[part & ~owned] = part.sum()
    for number in np.unique(instance[owned]) if instance is not None else ():
        size[instance == number] = (instance == number).sum()
    expected = np.zeros((3, 3, len(CLASSES)))
    for at, (low, high) in enumerate(pairwise((0, *SIZE_LIMITS, 1.1))):
        inside = (truth != IGNORE_INDEX) & (size / size.size >= low) & (size / size.size < high)
        for k in range(len(CLASSES)):
            real, said = inside & (truth == k), inside & (predicted == k)
            expected[at, :, k] = (real & said).sum(), (said & ~real).sum(), (real & ~said).sum()
    found = count_all(prepare_truth(truth, len(CLASSES), instance), predicted).sizes
    np.testing.assert_array_equal(found, expected)


@given(truth=LABELS, predicted=LABELS)
@settings(deadline=None)
def test_sizes_add_up_to_the_whole(truth: np.ndarray, predicted: np.ndarray) -> None:
    whole = count(*[(truth, predicted, np.zeros_like(truth))])
    assert whole.sizes is not None
    for at, each in enumerate((whole.tp, whole.fp, whole.fn)):
        np.testing.assert_array_equal(whole.sizes[0, :, at].sum(0), each[0])


def test_bands_are_a_share_of_the_diagonal() -> None:
    truth = np.zeros((300, 400), np.uint8)
    bands = count_all(prepare_truth(truth, 1), truth).bands
    assert bands is not None
    assert bands[0, 0] == 300 * 400 - (300 - 20) * (400 - 20)  # 2% of 500 pixels, on every side


@given(truth=LABELS, predicted=LABELS)
@settings(deadline=None, max_examples=40)
def test_the_right_answer_scores_one_whatever_is_said_of_void(
    truth: np.ndarray, predicted: np.ndarray
) -> None:
    right = np.where(truth == IGNORE_INDEX, predicted, truth)
    everywhere = np.ones_like(truth)
    counts = count((truth, right, of_things(truth, everywhere)))
    for name in DIMENSIONS:
        score = METRICS[name](counts)
        assert score == pytest.approx(1) or np.isnan(score), name


def slow_instance_iou(images: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> float:
    """As cityscapesScripts, one instance after the other, with mean sizes of these images."""
    members = [
        (t[here := (t == k) & (instance == i)], p[here], k)
        for t, p, instance in images
        for k in THINGS
        for i in (1, 2)
        if ((t == k) & (instance == i)).any()
    ]
    scores = []
    for k in THINGS:
        mine = [(truth, predicted) for truth, predicted, of in members if of == k]
        if not mine:
            continue
        mean_size = np.mean([truth.size for truth, _ in mine])
        hit = sum(mean_size / t.size * (p == k).sum() for t, p in mine)
        missed = sum(mean_size / t.size * (p != k).sum() for t, p in mine)
        wrong = sum(((p == k) & (t != k) & (t != IGNORE_INDEX)).sum() for t, p, _ in images)
        scores.append(hit / (hit + missed + wrong))
    return float(np.mean(scores)) if scores else float("nan")


@given(st.lists(st.tuples(LABELS, LABELS, INSTANCES), min_size=1, max_size=3))
@settings(deadline=None, max_examples=40)
def test_instance_iou_one_instance_at_a_time(
    images: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> None:
    images = [(t, p, of_things(t, instance)) for t, p, instance in images]
    found = METRICS["iIoU"](count(*images))
    assert found == pytest.approx(slow_instance_iou(images), nan_ok=True)


@given(truth=LABELS, predicted=LABELS)
@settings(deadline=None, max_examples=40)
def test_category_iou_is_miou_of_merged_classes(truth: np.ndarray, predicted: np.ndarray) -> None:
    merge = np.full(256, IGNORE_INDEX, np.uint8)
    merge[:4] = (0, 1, 1, 2)  # person and rider are human
    merged = stack_counts([count_all(prepare_truth(merge[truth], 3), merge[predicted])])
    found = METRICS["IoU_category"](count((truth, predicted, np.zeros_like(truth))))
    assert found == pytest.approx(METRICS["mIoU"](merged), nan_ok=True)


def test_category_instance_iou_forgives_confusion_within_a_category() -> None:
    truth = np.array([[1, 1, 1, 1, 2, 2, 3, 3]], np.uint8)
    predicted = np.array([[1, 1, 2, 2, 2, 2, 3, 0]], np.uint8)
    instance = np.array([[1, 1, 2, 2, 3, 3, 4, 4]])
    counts = count((truth, predicted, instance))
    assert METRICS["iIoU_category"](counts) == pytest.approx((1 + 1 / 2) / 2)
    assert METRICS["iIoU"](counts) == pytest.approx((1 / 2 + 2 / 4 + 1 / 2) / 3)


def test_small_instances_weigh_as_much_as_large_ones() -> None:
    truth = np.array([[3] * 8 + [3] * 2 + [0] * 2], np.uint8)
    instance = np.array([[1] * 8 + [2] * 2 + [0] * 2])
    missed = np.array([[3] * 8 + [0] * 4], np.uint8)  # the small one
    counts = count((truth, missed, instance))
    assert METRICS["iIoU"](counts) == pytest.approx(1 / 2)
    assert METRICS["mIoU"](counts) == pytest.approx((2 / 4 + 8 / 10) / 2)


def test_instances_follow_a_label_through_a_resize() -> None:
    instance = np.repeat(np.arange(600, dtype=np.uint16)[None], 4, axis=0)
    resized = resize_label(instance, (2, 300))
    assert resized.dtype == np.uint16
    assert set(np.diff(resized[0].astype(int))) == {2}


def test_categories_are_known_of_cityscapes_classes_only() -> None:
    assert len(CATEGORIES) == 19
    assert len(set(CATEGORIES.values())) == 7
    confusion = np.eye(3, dtype=np.int64)
    assert stack_counts([confusion], ("road", "sky")).categories is not None
    assert stack_counts([confusion], ("road", "heaven")).categories is None
    assert stack_counts([confusion]).categories is None


@pytest.mark.parametrize("name", DIMENSIONS)
def test_what_old_records_lack_is_unknown_and_nothing_else_is(name: str, tmp_path: Path) -> None:
    """Counts of before bands, instances and categories still load; the rest is as it was."""
    store = Store(tmp_path)
    record = store.add(make_cell("GSS-FF"), 0.8)
    counts = store.folder.counts(record.key)
    store.folder.cells.write(record, Counts(*counts[:7]), None)
    loaded = SuiteFolder(store.folder.path).counts(record.key)
    metric = METRICS[name]
    assert not metric.is_stored(loaded)
    assert np.isnan(metric(loaded))
    assert np.isnan(replicates(metric, [loaded], resamples=10)).all()
    assert METRICS["mIoU"](loaded) == METRICS["mIoU"](counts)
