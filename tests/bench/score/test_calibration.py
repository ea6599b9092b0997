"""Calibration: by hand, against torchmetrics, and over any division into images."""

import numpy as np
import pytest
import torch

from bench.core.schema import IGNORE_INDEX
from bench.core.seeding import numpy_generator
from bench.score.calibration import (
    BINS,
    Calibration,
    calibration_error,
    count_calibration,
    reliability,
    stack_calibration,
)


def draw(images=3, classes=4, size=(9, 11)):
    generator = numpy_generator(1)
    logits = generator.normal(size=(images, classes, *size)) * 2
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = generator.integers(classes, size=(images, *size)).astype(np.uint8)
    truth[:, :2] = IGNORE_INDEX
    return truth, probabilities


def summed(counts):
    return Calibration(*(part.sum(axis=0) for part in counts))


def test_two_pixels_by_hand():
    probabilities = np.array([[[0.9, 0.6]], [[0.1, 0.4]]])
    counts = count_calibration(np.array([[0, 1]]), probabilities)
    assert calibration_error(counts) == pytest.approx((0.1 + 0.6) / 2)
    confidence, accuracy = reliability(counts)
    filled = counts.pixels > 0
    assert confidence[filled].tolist() == pytest.approx([0.6, 0.9])
    assert accuracy[filled].tolist() == [0.0, 1.0]


def test_the_error_is_torchmetrics_s():
    from bench.core.torchvision_ops import ensure_torchvision

    ensure_torchvision()
    from torchmetrics.functional.classification import multiclass_calibration_error

    truth, probabilities = draw()
    counts = stack_calibration(
        [count_calibration(t, p) for t, p in zip(truth, probabilities, strict=True)]
    )
    flat = torch.from_numpy(np.moveaxis(probabilities, 1, -1).reshape(-1, 4))
    expected = multiclass_calibration_error(
        flat, torch.from_numpy(truth.ravel()).long(), 4, BINS, "l1", ignore_index=IGNORE_INDEX
    )
    assert calibration_error(summed(counts)) == pytest.approx(float(expected), rel=1e-5)


def test_counts_of_images_add_up_to_those_of_all():
    truth, probabilities = draw()
    parts = [count_calibration(t, p) for t, p in zip(truth, probabilities, strict=True)]
    whole = count_calibration(
        truth.reshape(-1, truth.shape[-1]),
        np.moveaxis(probabilities, 1, 0).reshape(4, -1, truth.shape[-1]),
    )
    for together, alone in zip(summed(stack_calibration(parts)), whole, strict=True):
        np.testing.assert_allclose(together, alone)


def test_an_image_without_labels_has_no_error():
    probabilities = np.full((2, 1, 3), 0.5)
    counts = count_calibration(np.full((1, 3), IGNORE_INDEX), probabilities)
    assert np.isnan(calibration_error(counts))


def test_what_are_no_probabilities_is_refused():
    with pytest.raises(ValueError, match="they end at 1"):
        count_calibration(np.zeros((1, 1), int), np.array([[[3.0]], [[1.0]]]))
    with pytest.raises(ValueError, match="label is"):
        count_calibration(np.zeros((1, 1), int), np.zeros((2, 2, 2)))
