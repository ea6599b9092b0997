"""What several predictions of the same images, drawn from one method, say together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bench.core import seeding
from bench.core.schema import IGNORE_INDEX
from bench.score.counts import Counts

SAMPLES = 256
"""Pixels of an image: over 100 images the agreement of two predictions is then off by 0.3
points at most, one time in three."""


def sample_labels(
    truth: np.ndarray, predicted: np.ndarray, num_classes: int, image: str
) -> np.ndarray:
    """Keep an image's prediction at a few pixels, drawn with replacement, for comparison.

    They are the same pixels whatever is predicted: draws depend on the image's id and labelled
    pixels alone.

    Args:
        truth: integers [H, W], classes or IGNORE_INDEX; such pixels are not drawn.
        predicted: integers [H, W], classes or IGNORE_INDEX.
        num_classes: K.
        image: its id.

    Returns:
        uint8 [SAMPLES]: the predicted class, K for void; IGNORE_INDEX if nothing is labelled.
    """
    labelled = np.flatnonzero(truth != IGNORE_INDEX)
    if not len(labelled):
        return np.full(SAMPLES, IGNORE_INDEX, np.uint8)
    random = seeding.numpy_generator(seeding.key("agreement", image))
    drawn = predicted.ravel()[labelled[random.integers(len(labelled), size=SAMPLES)]]
    return np.where(drawn == IGNORE_INDEX, num_classes, drawn).astype(np.uint8)


def agreement(draws: Sequence[np.ndarray]) -> float:
    """Return the share of equal labels among all pairs of draws, a fraction; NaN without any.

    Args:
        draws: uint8 [N, SAMPLES] each, of :func:`sample_labels`, of the same images.

    Raises:
        ValueError: if there are fewer than two, or they are of other images.
    """
    if len(draws) < 2:
        raise ValueError(f"{len(draws)} prediction(s) of each image; pairs need two")
    if len({draw.shape for draw in draws}) > 1:
        raise ValueError(f"draws are {[draw.shape for draw in draws]}; they must be of one shape")
    drawn = np.stack(draws)[:, draws[0] != IGNORE_INDEX]  # [k, P]
    if not drawn.size:
        return float("nan")
    labels, indices = np.unique(drawn, return_inverse=True)
    votes = (indices.reshape(drawn.shape) == np.arange(len(labels))[:, None, None]).sum(axis=1)
    pairs = len(draws) * (len(draws) - 1) // 2
    return float((votes * (votes - 1) // 2).sum() / (pairs * drawn.shape[1]))


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
