"""Whether probabilities are frequencies: counts per image, from which calibration is computed.

Counts of images add up, so any subset or resample of images has its error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bench.core.schema import IGNORE_INDEX

BINS = 15
"""Of equal width, as in Guo et al., arXiv:1706.04599, section 5."""


class Calibration(NamedTuple):
    """Sums over the labelled pixels of an image, by the confidence of their prediction."""

    pixels: np.ndarray  # int64 [..., BINS]
    correct: np.ndarray  # int64 [..., BINS], of which the prediction is right
    confidence: np.ndarray  # float64 [..., BINS], sum of the largest probabilities


def count_calibration(truth: np.ndarray, probabilities: np.ndarray) -> Calibration:
    """Count one image.

    Args:
        truth: integers [H, W], classes or IGNORE_INDEX; such pixels are not counted.
        probabilities: floats [K, H, W] in [0, 1] with a sum of 1 over the classes.

    Raises:
        ValueError: if the sizes differ or a probability is out of range.
    """
    if truth.shape != probabilities.shape[1:]:
        raise ValueError(f"label is {truth.shape}, probabilities {probabilities.shape[1:]}")
    counted = truth != IGNORE_INDEX
    highest = probabilities.max(axis=0)[counted].astype(np.float64)
    if not np.all((highest >= 0) & (highest <= 1 + 1e-5)):
        raise ValueError(f"probabilities up to {highest.max()} are given; they end at 1")
    right = probabilities.argmax(axis=0)[counted] == truth[counted]
    # Bin m holds ((m - 1) / M, m / M], as published.
    bins = (np.ceil(highest * BINS).astype(np.int64) - 1).clip(0, BINS - 1)
    return Calibration(
        np.bincount(bins, minlength=BINS),
        np.bincount(bins[right], minlength=BINS),
        np.bincount(bins, weights=highest, minlength=BINS),
    )


def stack_calibration(images: Sequence[Calibration]) -> Calibration:
    """Put the counts of images together, [N, BINS] each."""
    return Calibration(*(np.stack(parts) for parts in zip(*images, strict=True)))


def calibration_error(counts: Calibration) -> np.ndarray:
    """Return the expected calibration error of sums, a fraction.

    Guo et al., equation 3: the mean distance of accuracy and confidence in a bin, weighted by
    the bin's share of the pixels. NaN where no pixel is labelled.

    Args:
        counts: sums over images, [..., BINS] each; leading axes, such as resamples, are kept.
    """
    gap = np.abs(counts.correct - counts.confidence).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(gap / counts.pixels.sum(axis=-1))


def reliability(counts: Calibration) -> tuple[np.ndarray, np.ndarray]:
    """Return mean confidence and accuracy of each bin, float64 [..., BINS]; NaN if empty."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return counts.confidence / counts.pixels, counts.correct / counts.pixels
