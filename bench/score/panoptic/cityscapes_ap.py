"""Cityscapes' average precision of instances, which is not COCO's.

After cityscapesScripts, ``evaluation/evalInstanceLevelSemanticLabeling.py``: the whole
precision-recall curve is integrated instead of 101 points of it, predictions that lie mostly
on void or on unnumbered groups are left out, and small objects of the truth are not asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from bench.score.panoptic.overlaps import Overlaps

THRESHOLDS = np.arange(0.5, 1.0, 0.05)
MIN_PIXELS = 100
"""Objects of the truth with fewer pixels are not asked for; at 1024 x 2048, as released."""


class _InstanceOutcomes:
    """What became of one class's predictions, at one threshold, over all images."""

    def __init__(self) -> None:
        self.right: list[float] = []  # confidences
        self.wrong: list[float] = []
        self.missed = 0


def cityscapes_precision(images: Sequence[Overlaps], things: Collection[int]) -> np.ndarray:
    """Compute AP and AP at an IoU of 50%, over the thing classes that the truth has.

    Args:
        images: of each image, its segments.
        things: the classes with instances.

    Returns:
        float64 [2], in 0..1; 0 where the truth has no object.
    """
    precision = np.array(
        [[_class_precision(images, k, threshold, things) for threshold in THRESHOLDS]
         for k in things]
    )  # fmt: skip
    known = precision[~np.isnan(precision).all(axis=1)] if len(precision) else precision
    return np.array([known.mean(), known[:, 0].mean()]) if known.size else np.zeros(2)


def _class_precision(
    images: Sequence[Overlaps], k: int, threshold: float, things: Collection[int]
) -> float:
    """Return one class's AP at one threshold; NaN where the truth has no such object."""
    outcomes = _InstanceOutcomes()
    predicted = 0
    for image in images:
        predicted += int((image.predicted.label == k).sum())
        _match(image, k, threshold, things, outcomes)
    if not outcomes.right and not outcomes.missed:
        return float("nan")
    return area_under(outcomes.right, outcomes.wrong, outcomes.missed) if predicted else 0.0


def _match(
    image: Overlaps, k: int, threshold: float, things: Collection[int], outcomes: _InstanceOutcomes
) -> None:
    ours, theirs = image.predicted.label == k, image.truth.label == k
    shared = image.shared[ours][:, theirs]
    near = shared / image.union[ours][:, theirs] > threshold
    score, pixels = image.predicted.score[ours], image.truth.pixels[theirs]
    group, small = image.groups(things)[theirs], pixels < MIN_PIXELS
    for matches in near[:, ~group & ~small].T:
        confidences = np.sort(score[matches])
        outcomes.missed += not matches.any()
        outcomes.right += confidences[-1:].tolist()
        outcomes.wrong += confidences[:-1].tolist()
    # A small group counts twice, as released.
    excused = image.void[ours] + shared @ (group.astype(int) + small)
    unexcused = excused / image.predicted.pixels[ours] <= threshold
    outcomes.wrong += score[~near.any(axis=1) & unexcused].tolist()


def area_under(right: Sequence[float], wrong: Sequence[float], missed: int) -> float:
    """Integrate a precision-recall curve in steps, as released.

    Args:
        right: confidences of the predictions that match.
        wrong: confidences of those that do not.
        missed: how many objects of the truth no prediction matches.
    """
    if not right:
        return 0.0
    thresholds = np.unique([*right, *wrong])
    hits = (np.asarray(right)[:, None] >= thresholds).sum(axis=0)
    all_said = hits + (np.asarray(wrong).reshape(-1, 1) >= thresholds).sum(axis=0)
    precision = hits / all_said
    recall = hits / (len(right) + missed)
    curve = np.concatenate([recall[:1], recall, [0, 0]])
    widths = (curve[:-2] - curve[2:]) / 2
    return float(np.append(precision, precision[-1]) @ widths)
