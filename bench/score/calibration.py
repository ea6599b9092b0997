"""Whether probabilities are frequencies: counts per image, from which calibration is computed.

Counts of images add up, so any subset or resample of images has its error.
"""

from __future__ import annotations

import numpy as np

from bench.core.schema import IGNORE_INDEX
from bench.score.counts import Counts

BINS = 15
"""Of equal width, as in Guo et al., arXiv:1706.04599, section 5."""


def count_calibration(
    truth: np.ndarray, predicted: np.ndarray, confidence: np.ndarray
) -> np.ndarray:
    """Count one image's labelled pixels by the confidence of their prediction.

    Args:
        truth: integers [H, W], classes or IGNORE_INDEX; such pixels are not counted.
        predicted: integers [H, W], classes or IGNORE_INDEX.
        confidence: float32 [H, W] in [0, 1], probability of what is predicted.

    Returns:
        float64 [3, BINS]: per bin, the pixels, those of them that are right, and the sum of
        their confidence, rounded to float32 as that is what it was given in.

    Raises:
        ValueError: if the sizes differ or a probability is out of range.
    """
    if not truth.shape == predicted.shape == confidence.shape:
        shapes = f"prediction {predicted.shape}, confidence {confidence.shape}"
        raise ValueError(f"label is {truth.shape}, {shapes}")
    counted = truth != IGNORE_INDEX
    sure = confidence[counted]
    if not np.all((sure >= 0) & (sure <= 1 + 1e-5)):
        raise ValueError(f"probabilities up to {sure.max()} are given; they end at 1")
    # Bin m holds ((m - 1) / M, m / M], as published.
    bins = (np.ceil(sure * BINS).astype(np.int64) - 1).clip(0, BINS - 1)
    right = predicted[counted] == truth[counted]
    pixels = np.bincount(2 * bins + right, minlength=2 * BINS).reshape(BINS, 2)
    summed = np.bincount(bins, weights=sure, minlength=BINS).astype(np.float32)
    return np.stack([pixels.sum(axis=1), pixels[:, 1], summed]).astype(np.float64)


def calibration_error(counts: np.ndarray) -> np.ndarray:
    """Return the expected calibration error of sums, a fraction.

    Guo et al., equation 3: the mean distance of accuracy and confidence in a bin, weighted by
    the bin's share of the pixels. NaN where no pixel is labelled.

    Args:
        counts: sums over images, float64 [..., 3, BINS]; leading axes, such as resamples, are
            kept.
    """
    pixels, correct, confidence = np.moveaxis(counts, -2, 0)
    gap = np.abs(correct - confidence).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(gap / pixels.sum(axis=-1))


def mean_confidence(counts: np.ndarray) -> np.ndarray:
    """Return the mean confidence of sums as of :func:`calibration_error`, a fraction."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(counts[..., 2, :].sum(axis=-1) / counts[..., 0, :].sum(axis=-1))


def reliability(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean confidence and accuracy of each bin, float64 [..., BINS]; NaN if empty."""
    pixels, correct, confidence = np.moveaxis(counts, -2, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return confidence / pixels, correct / pixels


class CalibrationError:
    """The expected calibration error as what ``bench.score.resampling`` resamples."""

    def parts(self, counts: Counts) -> np.ndarray:
        """Return the sums of each image, float64 [N, 3 * BINS]; NaN where they are not stored."""
        if counts.calibration is None:
            return np.full((counts.num_images, 3 * BINS), np.nan)
        return counts.calibration.reshape(counts.num_images, -1)

    def of_parts(self, summed: np.ndarray) -> np.ndarray:
        """Return the error of sums float64 [..., 3 * BINS]."""
        return calibration_error(summed.reshape(*summed.shape[:-1], 3, BINS))
