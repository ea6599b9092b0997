"""What several predictions of the same images, drawn from one method, say together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bench.core.schema import IGNORE_INDEX
from bench.score.counts import Counts


def count_agreement(truth: np.ndarray, predictions: Sequence[np.ndarray]) -> np.ndarray:
    """Count how often pairs of predictions of one image agree.

    Args:
        truth: integers [H, W]; pixels of IGNORE_INDEX are not counted.
        predictions: integers [H, W] each, at least two.

    Returns:
        int64 [2]: pairs of labels that are equal, and all pairs.

    Raises:
        ValueError: if there are fewer than two, or sizes differ.
    """
    if len(predictions) < 2:
        raise ValueError(f"{len(predictions)} prediction(s) of an image; pairs need two")
    if wrong := [p.shape for p in predictions if p.shape != truth.shape]:
        raise ValueError(f"prediction is {wrong[0]}, label {truth.shape}")
    drawn = np.stack(predictions)[:, truth != IGNORE_INDEX].astype(np.int64)
    equal = 0
    for label in np.unique(drawn):
        votes = (drawn == label).sum(axis=0)
        equal += int((votes * (votes - 1) // 2).sum())
    draws, pixels = drawn.shape
    return np.array([equal, draws * (draws - 1) // 2 * pixels])


class OfDraws(NamedTuple):
    """The mIoU of k draws of each image, fractions."""

    mean: float
    """Of the draws' own scores, each over all images."""
    best: float
    """Of the draw of each image that is best for it, over all images: what an oracle choosing
    among the draws would score."""


def of_draws(draws: Sequence[Counts]) -> OfDraws:
    """Score k sets of predictions of the same images.

    An image's best draw is the one of highest mIoU on that image, over the classes that its
    truth or that draw has; of equal ones the first.

    Args:
        draws: counts of the same images in the same order.

    Raises:
        ValueError: if there is none, or they have other numbers of images or classes.
    """
    if not draws:
        raise ValueError("no draws are given")
    if len({counts.tp.shape for counts in draws}) > 1:
        shapes = sorted({counts.tp.shape for counts in draws})
        raise ValueError(f"draws have {shapes} images and classes; they must be of the same")
    sums = [np.stack([counts.tp, counts.fp, counts.fn]) for counts in draws]  # [3, N, K] each
    quality = np.stack([_miou(each) for each in sums])  # [k, N]
    first = np.nan_to_num(quality, nan=-1.0).argmax(axis=0)
    images = np.arange(draws[0].num_images)
    chosen = np.stack(sums)[first, :, images].sum(axis=0)  # [3, K]
    return OfDraws(float(np.mean([_miou(each.sum(axis=1)) for each in sums])), float(_miou(chosen)))


def _miou(sums: np.ndarray) -> np.ndarray:
    """Return the mean IoU over the classes that occur, from tp, fp and fn [3, ..., K]."""
    union = sums.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        iou = np.where(union > 0, sums[0] / union, 0.0)
        return np.asarray(iou.sum(axis=-1) / (union > 0).sum(axis=-1))
