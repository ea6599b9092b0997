"""The segments of one image on both sides, and how many pixels each pair of them shares.

Panoptic quality and Cityscapes' average precision are both made from this one table.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from bench.core.schema import IGNORE_INDEX

_STEP = 1 << 32
"""Above every instance number: a segment's id is class times this, plus its number."""


class Segments(NamedTuple):
    """A label map whose things are told apart.

    In the truth a thing without a number, 0, is a group that nobody told apart: COCO's crowds
    and Cityscapes' ``cargroup``.
    """

    label: np.ndarray  # integers [H, W], classes or IGNORE_INDEX
    instance: np.ndarray  # integers [H, W]; of a thing, pixels of one number are one object
    score: np.ndarray | None = None  # float [H, W], confidence, 1 if there is none


class SegmentSide(NamedTuple):
    """The segments of a prediction or of the truth; void is none."""

    label: np.ndarray  # int64 [S], class
    number: np.ndarray  # int64 [S], of the instance; 0 of stuff and of groups
    pixels: np.ndarray  # int64 [S]
    score: np.ndarray  # float64 [S], mean confidence


class Overlaps(NamedTuple):
    """What a prediction's segments and the truth's have in common."""

    predicted: SegmentSide
    truth: SegmentSide
    shared: np.ndarray  # int64 [P, T], pixels
    void: np.ndarray  # int64 [P], pixels of a predicted segment whose truth is ignored

    @property
    def same_class(self) -> np.ndarray:
        """Which pairs are of one class, bool [P, T]."""
        return np.asarray(self.predicted.label[:, None] == self.truth.label)

    @property
    def union(self) -> np.ndarray:
        """Pixels of either segment of a pair, int64 [P, T]; those of ignored truth included."""
        return np.asarray(self.predicted.pixels[:, None] + self.truth.pixels - self.shared)

    def groups(self, things: Collection[int]) -> np.ndarray:
        """Return which segments of the truth are unnumbered groups of things, bool [T]."""
        return np.isin(self.truth.label, list(things)) & (self.truth.number == 0)


def find_overlaps(predicted: Segments, truth: Segments, things: Collection[int]) -> Overlaps:
    """Tabulate two segmentations of one image.

    Args:
        predicted: of the image.
        truth: of the image, of the same size.
        things: the classes with instances; of the others the instance is disregarded.
    """
    ours, our_index = np.unique(_ids(predicted, things), return_inverse=True)
    theirs, their_index = np.unique(_ids(truth, things), return_inverse=True)
    pairs = our_index.ravel() * len(theirs) + their_index.ravel()
    table = np.bincount(pairs, minlength=len(ours) * len(theirs)).reshape(len(ours), len(theirs))
    no_void, labelled = ours >= 0, theirs >= 0
    score = np.ones(len(ours))
    if predicted.score is not None:
        score = np.bincount(our_index.ravel(), predicted.score.ravel()) / table.sum(axis=1)
    return Overlaps(
        SegmentSide(*_names(ours[no_void]), table.sum(axis=1)[no_void], score[no_void]),
        SegmentSide(
            *_names(theirs[labelled]), table.sum(axis=0)[labelled], np.ones(labelled.sum())
        ),
        table[no_void][:, labelled],
        table[no_void][:, ~labelled].sum(axis=1),
    )


def _ids(segments: Segments, things: Collection[int]) -> np.ndarray:
    """Return the id of each pixel's segment, int64 [H, W]; -1 where it is void."""
    label = segments.label.astype(np.int64)
    number = np.where(np.isin(label, list(things)), segments.instance.astype(np.int64), 0)
    return np.where(label == IGNORE_INDEX, -1, label * _STEP + number)


def _names(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return ids // _STEP, ids % _STEP
