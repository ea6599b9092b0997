"""Calibration: by hand, against torchmetrics, and over any division into images."""

import numpy as np
import pytest
import torch

from bench.core.schema import IGNORE_INDEX
from bench.core.seeding import numpy_generator
from bench.score.calibration import (
    BINS,
    calibration_error,
    count_calibration,
    mean_confidence,
    reliability,
)


def draw(images=3, classes=4, size=(9, 11)):
    generator = numpy_generator(1)
    logits = generator.normal(size=(images, classes, *size)) * 2
    logits = logits.astype(np.float32)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = generator.integers(classes, size=(images, *size)).astype(np.uint8)
    truth[:, :2] = IGNORE_INDEX
    return truth, probabilities


def count(truth, probabilities):
    """Of [H, W] and [K, H, W], or of several images."""
    return count_calibration(truth, probabilities.argmax(-3), probabilities.max(-3))


def test_two_pixels_by_hand():
    probabilities = np.array([[[0.9, 0.6]], [[0.1, 0.4]]], np.float32)
    counts = count(np.array([[0, 1]]), probabilities)
    assert calibration_error(counts) == pytest.approx((0.1 + 0.6) / 2)
    assert mean_confidence(counts) == pytest.approx(0.75)
    confidence, accuracy = reliability(counts)
    filled = counts[0] > 0
    assert confidence[filled].tolist() == pytest.approx([0.6, 0.9])
    assert accuracy[filled].tolist() == [0.0, 1.0]


def test_a_void_prediction_is_wrong_however_sure():
    void = np.array([[IGNORE_INDEX]])
    counts = count_calibration(np.array([[1]]), void, np.array([[0.8]], np.float32))
    assert calibration_error(counts) == pytest.approx(0.8)


def test_the_error_is_torchmetrics_s():
    from bench.core.torchvision_ops import ensure_torchvision

    ensure_torchvision()
    from torchmetrics.functional.classification import multiclass_calibration_error

    truth, probabilities = draw()
    counts = np.stack([count(t, p) for t, p in zip(truth, probabilities, strict=True)])
    flat = torch.from_numpy(np.moveaxis(probabilities, 1, -1).reshape(-1, 4))
    expected = multiclass_calibration_error(
        flat, torch.from_numpy(truth.ravel()).long(), 4, BINS, "l1", ignore_index=IGNORE_INDEX
    )
    assert calibration_error(counts.sum(axis=0)) == pytest.approx(float(expected), rel=1e-5)


def test_counts_of_images_add_up_to_those_of_all():
    truth, probabilities = draw()
    parts = [count(t, p) for t, p in zip(truth, probabilities, strict=True)]
    np.testing.assert_allclose(sum(parts), count(truth, probabilities), rtol=1e-6)


def test_an_image_without_labels_has_no_error():
    counts = count(np.full((1, 3), IGNORE_INDEX), np.full((2, 1, 3), 0.5, np.float32))
    assert np.isnan(calibration_error(counts))
    assert np.isnan(mean_confidence(counts))


def test_what_are_no_probabilities_is_refused():
    with pytest.raises(ValueError, match="they end at 1"):
        count(np.zeros((1, 1), int), np.array([[[3.0]], [[1.0]]]))
    with pytest.raises(ValueError, match="label is"):
        count(np.zeros((1, 1), int), np.zeros((2, 2, 2)))
