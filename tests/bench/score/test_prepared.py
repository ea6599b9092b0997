"""What is counted by runs of pixels against the same counted pixel by pixel, bit for bit."""

import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.schema import IGNORE_INDEX
from bench.score.counts import (
    BAND_DIAGONAL,
    SIZE_LIMITS,
    ImageCounts,
    count_image,
    nonzero,
    stack_counts,
)
from bench.score.prepared import count_all, prepare_truth


def slow_confusion(truth, predicted, classes):
    index = [np.where(x == IGNORE_INDEX, classes, x).astype(int) for x in (truth, predicted)]
    size = classes + 1
    flat = (index[0] * size + index[1]).ravel()
    return np.bincount(flat, minlength=size * size).reshape(size, size)


def slow_band(label):
    width = max(1, round(BAND_DIAGONAL * float(np.hypot(*label.shape))))
    padded = cv2.copyMakeBorder(label, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=IGNORE_INDEX)
    window = np.ones((3, 3), np.uint8)
    least = cv2.erode(padded, window, iterations=width)
    most = cv2.dilate(padded, window, iterations=width)
    return (least != most)[1:-1, 1:-1]


def slow_bands(truth, predicted, classes):
    said = np.where(truth == IGNORE_INDEX, IGNORE_INDEX, predicted).astype(np.uint8)
    inside = [np.where(slow_band(x), x, IGNORE_INDEX) for x in (truth, said)]
    was, told = (np.bincount(x.ravel(), minlength=256)[:classes] for x in inside)
    both = np.bincount(inside[0][inside[0] == inside[1]], minlength=256)[:classes]
    return np.stack([both, told - both, was - both])


def slow_instances(truth, instance, predicted, classes):
    inside = (instance > 0) & (truth != IGNORE_INDEX)
    said = np.where(predicted == IGNORE_INDEX, classes, predicted)
    size = classes + 1
    owner = instance[inside].astype(np.int64) * size + truth[inside]
    outcomes, pixels = np.unique(owner * size + said[inside], return_counts=True)
    _, number = np.unique(outcomes // size, return_inverse=True)
    return np.column_stack([number, outcomes // size % size, outcomes % size, pixels])


def slow_object_pixels(truth, instance):
    pixels = np.zeros(truth.shape, np.int64)
    for label in np.unique(truth):
        _, member, stats, _ = cv2.connectedComponentsWithStats((truth == label).astype(np.uint8))
        stats[0] = 0  # what is around the components
        pixels += stats[:, cv2.CC_STAT_AREA][member]
    if instance is not None:
        pixels = np.where(instance > 0, np.bincount(instance.ravel())[instance], pixels)
    return pixels


def slow_sizes(truth, predicted, classes, instance):
    size = np.digitize(slow_object_pixels(truth, instance) / truth.size, SIZE_LIMITS)
    found = []
    for number in range(3):
        inside = (truth != IGNORE_INDEX) & (size == number)
        was, said = truth[inside], predicted[inside]
        right, told, real = (
            np.bincount(x, minlength=256)[:classes] for x in (said[was == said], said, was)
        )
        found.append([right, told - right, real - right])
    return np.array(found)


def slow(truth, predicted, classes, instance, unmapped):
    return ImageCounts(
        classes,
        nonzero(slow_confusion(truth, predicted, classes)),
        slow_bands(truth, predicted, classes),
        None if instance is None else slow_instances(truth, instance, predicted, classes),
        slow_sizes(truth, predicted, classes, instance),
        int((unmapped & (truth != IGNORE_INDEX)).sum()),
    )


def draw(seed, classes=None):
    """A truth in blocks, a prediction that shares most of it, instances, and what is unmapped."""
    draws = np.random.default_rng(seed)
    height, width = draws.integers(1, 120, 2).tolist()
    classes = classes or int(draws.integers(1, 9))
    labels = np.append(np.arange(classes), IGNORE_INDEX).astype(np.uint8)
    truth, other = (
        cv2.resize(draws.choice(labels, (6, 6)), (width, height), interpolation=cv2.INTER_NEAREST)
        for _ in range(2)
    )
    predicted = np.where(np.roll(other, 1) % 3 == 0, other, np.roll(truth, 1))
    spoilt = draws.random(truth.shape) < 0.05
    predicted = np.where(spoilt, draws.choice(labels, truth.shape), predicted)
    instance = draws.integers(0, 4, (6, 6)) * 24_001
    instance = cv2.resize(instance.astype(np.int32), (width, height), interpolation=0)
    return truth, predicted, instance, draws.random(truth.shape) < 0.1, classes


@given(
    seed=st.integers(0, 10**6),
    owned=st.booleans(),
    dtype=st.sampled_from(["uint8", "int32", "int64"]),
)
@settings(deadline=None, max_examples=60)
def test_equals_the_counts_of_every_pixel(seed, owned, dtype):
    truth, predicted, instance, unmapped, classes = draw(seed)
    instance = instance if owned else None
    prepared = prepare_truth(truth.astype(dtype), classes, instance)
    ours = count_all(prepared, predicted.astype(dtype), unmapped)
    expected = slow(truth, predicted, classes, instance, unmapped)
    for name, values, wanted in zip(ours._fields, ours, expected, strict=True):
        np.testing.assert_array_equal(values, wanted, err_msg=name)
    confusion = count_image(truth.astype(dtype), predicted.astype(dtype), classes)
    np.testing.assert_array_equal(confusion, slow_confusion(truth, predicted, classes))


def test_one_prepared_truth_serves_many_predictions():
    truth, predicted, instance, unmapped, classes = draw(5)
    prepared = prepare_truth(truth, classes, instance)
    for answer in (predicted, truth, np.full_like(truth, IGNORE_INDEX)):
        ours = count_all(prepared, answer, unmapped)
        expected = slow(truth, answer, classes, instance, unmapped)
        for values, wanted in zip(ours, expected, strict=True):
            np.testing.assert_array_equal(values, wanted)


def test_a_prepared_truth_is_small():
    truth = np.zeros((512, 1024), np.uint8)
    truth[100:300, 200:500] = 1
    prepared = prepare_truth(truth, 2)
    kept = sum(part.nbytes for part in prepared if isinstance(part, np.ndarray))
    assert kept < truth.size / 4


@pytest.mark.parametrize("dtype", ["int64", "uint8", "int32"])
def test_values_that_are_no_class_are_named(dtype):
    label = np.array([[0, 1, IGNORE_INDEX, 0]], dtype)
    wrong = np.array([[0, 4, 3, 3]], dtype)
    message = r"prediction holds \[3, 4\]; classes are 0..1"
    with pytest.raises(ValueError, match=message):
        count_image(label, wrong, 2)
    with pytest.raises(ValueError, match=message):
        count_all(prepare_truth(label, 2), wrong)
    with pytest.raises(ValueError, match=r"label holds \[3, 4\]"):
        prepare_truth(wrong, 2)


@pytest.mark.parametrize("value", [-1, 256, 300, 2**32])
def test_values_that_do_not_fit_a_byte_do_not_wrap_to_a_class(value):
    wrong = np.array([[0, value]])
    with pytest.raises(ValueError, match=rf"holds \[{value}\]"):
        count_image(np.zeros((1, 2), np.uint8), wrong, 2)


def test_sizes_must_agree():
    with pytest.raises(ValueError, match=r"label is \(2, 3\), prediction \(3, 2\)"):
        count_all(prepare_truth(np.zeros((2, 3), np.uint8), 1), np.zeros((3, 2), np.uint8))


def test_stacking_equals_sums_of_confusion_matrices():
    drawn = [draw(seed, classes=6) for seed in range(5)]
    images = [count_all(prepare_truth(t, 6), p) for t, p, *_ in drawn]
    dense = np.stack([slow_confusion(t, p, 6) for t, p, *_ in drawn])
    counts = stack_counts(images)
    right = np.einsum("nkk->nk", dense)[:, :6]
    np.testing.assert_array_equal(counts.tp, right)
    np.testing.assert_array_equal(counts.fp, dense[:, :6, :6].sum(1) - right)
    np.testing.assert_array_equal(counts.fn, dense[:, :6].sum(2) - right)
    for number, confusion in enumerate(dense):
        np.testing.assert_array_equal(counts.confusion(number), confusion)


def test_memory_does_not_grow_with_classes_squared():
    """300 images of 150 classes have 55 MB of confusion matrices, and few pairs that occur."""
    images, classes = 300, 150
    label = np.repeat(np.arange(8, dtype=np.uint8), 40).reshape(16, 20)
    tracemalloc.start()
    stacked = stack_counts([count_all(prepare_truth(label, classes), label)] * images)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert stacked.num_classes == classes
    assert peak < 20 * 2**20
