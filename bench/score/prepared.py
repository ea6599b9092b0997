"""Counting an image in two parts: what the truth alone tells, and what a prediction adds.

Most of the cost is the truth's: its objects, their sizes and its bands. It is the same for
every method, seed and corruption, so :func:`prepare_truth` finds it once, as a few hundred
kilobytes that can be kept, and :func:`count_all` counts each prediction against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from bench.core.schema import IGNORE_INDEX
from bench.score.counts import (
    BAND_DIAGONAL,
    SIZES,
    ImageCounts,
    as_bytes,
    changes,
    class_index,
    histogram,
    run_lengths,
)
from bench.score.objects import object_sizes


class PreparedTruth(NamedTuple):
    """What a truth alone tells, by zones.

    A zone is the pixels that are alike in class, instance, size of their object, and being in
    their class's band or not. The map of zones is kept as runs along its rows.
    """

    shape: tuple[int, int]
    num_classes: int
    start: np.ndarray  # int32 [R], flat index of the first pixel of each run
    zone: np.ndarray  # int32 [R]
    void: np.ndarray  # uint8 [ceil(H W / 8)], bits that are set where the truth is ignored
    label: np.ndarray  # int64 [Z], class of each zone, K for void
    size: np.ndarray  # int64 [Z], 0..2, see SIZES
    band: np.ndarray  # bool [Z], whether it is in the band
    owner: np.ndarray | None
    """int64 [Z], number from 0 of each pair of instance and class, -1 where there is none;
    None where the truth has no instances."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return it as arrays by name, to be stored."""
        fields = {name: value for name, value in self._asdict().items() if value is not None}
        return {name: np.asarray(value) for name, value in fields.items()}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> PreparedTruth:
        """Return what :meth:`arrays` made arrays of."""
        height, width = arrays["shape"].tolist()
        whole = {"shape": (height, width), "num_classes": arrays["num_classes"].item()}
        return cls(**{"owner": None, **arrays, **whole})


def prepare_truth(
    label: np.ndarray, num_classes: int, instance: np.ndarray | None = None
) -> PreparedTruth:
    """Find all that the counts of any prediction need of a truth.

    Objects are those of :func:`bench.score.objects.object_sizes`, bands those of boundary IoU
    (Cheng et al. 2021, arXiv:2103.16562, equation 2): the band of a segment is its pixels
    whose Chebyshev distance to another class, to void or to the outside of the image is at
    most ``BAND_DIAGONAL`` of the diagonal, rounded, at least one pixel
    (bowenc0221/boundary-iou-api, utils/boundary_utils.py).

    Args:
        label: integers [H, W], classes or IGNORE_INDEX.
        num_classes: K.
        instance: integers [H, W], numbers of the truth's instances, 0 where there is none.

    Raises:
        ValueError: if a value is neither a class nor IGNORE_INDEX.
    """
    truth = as_bytes("label", label, num_classes)
    size, band = object_sizes(truth, instance), near_edges(truth)
    own = np.zeros(truth.shape, np.int32) if instance is None else instance.astype(np.int32)
    maps = [each.ravel() for each in (own, truth, size, band)]
    start = np.flatnonzero(changes(*maps))
    kinds, zone = np.unique(_zone_key(*(each[start] for each in maps)), return_inverse=True)
    instances, kind = np.divmod(kinds, 2**11)
    labels = kind >> 3
    owner = None
    if instance is not None:
        owned = (instances > 0) & (labels != IGNORE_INDEX)
        owner = np.full(len(kinds), -1)
        owner[owned] = np.unique(kinds[owned] >> 3, return_inverse=True)[1]
    return PreparedTruth(
        (truth.shape[0], truth.shape[1]),
        num_classes,
        start.astype(np.int32),
        zone.astype(np.int32),
        np.packbits(truth == IGNORE_INDEX),
        class_index(labels, num_classes),
        (kind >> 1) & 3,
        (kind & 1).astype(bool),
        owner,
    )


def _zone_key(
    instance: np.ndarray, label: np.ndarray, size: np.ndarray, band: np.ndarray
) -> np.ndarray:
    """Number kinds of pixels so that they sort by instance, then class: int64."""
    return ((instance.astype(np.int64) << 8 | label) << 2 | size) << 1 | band


def count_all(
    truth: PreparedTruth, predicted: np.ndarray, unmapped: np.ndarray | None = None
) -> ImageCounts:
    """Count everything of one prediction that a score may need.

    A false positive is counted with the object it lies in, which is of another class: no
    object of its own class could own it. Deviation from boundary IoU: a prediction is made
    void where the truth is, so that the right answer around an ignored region scores 1.

    Args:
        truth: of the image.
        predicted: integers [H, W], classes or IGNORE_INDEX; uint8 is the fastest.
        unmapped: bool [H, W], where no mapping to the test set's classes reached.

    Raises:
        ValueError: if the sizes differ or a value is neither a class nor IGNORE_INDEX.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"label is {truth.shape}, prediction {predicted.shape}")
    said = as_bytes("prediction", predicted, truth.num_classes)
    void = np.unpackbits(truth.void, count=said.size).reshape(said.shape)
    band = near_edges(said | void * np.uint8(IGNORE_INDEX))
    outcomes = _outcomes(truth, said.ravel(), band.ravel())
    return ImageCounts(
        truth.num_classes,
        _confusion(outcomes, truth.num_classes),
        _bands(truth, outcomes),
        None if truth.owner is None else _instances(truth.owner, outcomes, truth.num_classes),
        _sizes(truth, outcomes),
        0 if unmapped is None else int(np.count_nonzero(unmapped & (void == 0))),
    )


class _Outcomes(NamedTuple):
    """Kinds of pixels that occur, in ascending order of zone and prediction."""

    zone: np.ndarray  # int64 [M]
    truth: np.ndarray  # int64 [M], 0..K
    said: np.ndarray  # int64 [M], 0..K
    near: np.ndarray  # bool [M], whether in the prediction's band
    pixels: np.ndarray  # int64 [M]


def _outcomes(truth: PreparedTruth, said: np.ndarray, band: np.ndarray) -> _Outcomes:
    """Count the pixels of each zone by what is predicted of them, in the band and outside."""
    enters = np.zeros(said.size, bool)  # another run of zones
    enters[truth.start] = True
    start = np.flatnonzero(changes(said, band) | enters)
    zone = truth.zone[np.cumsum(enters[start]) - 1]
    answers = 2 * (truth.num_classes + 1)
    answer = 2 * class_index(said[start], truth.num_classes) + band[start]
    bins = len(truth.label) * answers
    counted = histogram(zone * answers + answer, run_lengths(start, said.size), bins)
    kinds = np.flatnonzero(counted)
    zones, answer = np.divmod(kinds, answers)
    return _Outcomes(zones, truth.label[zones], answer >> 1, answer % 2 > 0, counted[kinds])


def _confusion(outcomes: _Outcomes, num_classes: int) -> np.ndarray:
    pair = outcomes.truth * (num_classes + 1) + outcomes.said
    pairs, member = np.unique(pair, return_inverse=True)
    pixels = histogram(member, outcomes.pixels, len(pairs))
    return np.column_stack([*np.divmod(pairs, num_classes + 1), pixels])


def _bands(truth: PreparedTruth, outcomes: _Outcomes) -> np.ndarray:
    real = truth.band[outcomes.zone]
    return _matches(outcomes, truth.num_classes, real, outcomes.near)


def _sizes(truth: PreparedTruth, outcomes: _Outcomes) -> np.ndarray:
    size = truth.size[outcomes.zone]
    within = (size == number for number in range(len(SIZES)))
    return np.stack([_matches(outcomes, truth.num_classes, inside, inside) for inside in within])


def _matches(
    outcomes: _Outcomes, num_classes: int, real: np.ndarray, near: np.ndarray
) -> np.ndarray:
    """Count tp, fp and fn, int64 [3, K], among labelled pixels of some zones.

    Args:
        outcomes: of the image.
        num_classes: K.
        real: bool [M], which outcomes count for the truth's class.
        near: bool [M], which count for the predicted class; both are asked of a match.
    """
    labelled = outcomes.truth < num_classes
    right = labelled & real & near & (outcomes.truth == outcomes.said)
    tp, said, was = (
        histogram(of[which], outcomes.pixels[which], num_classes + 1)[:num_classes]
        for of, which in (
            (outcomes.said, right),
            (outcomes.said, labelled & near),
            (outcomes.truth, labelled & real),
        )
    )
    return np.stack([tp, said - tp, was - tp])


def _instances(owner: np.ndarray, outcomes: _Outcomes, num_classes: int) -> np.ndarray:
    """Count what is predicted within each instance: int64 [j, 4], see ``ImageCounts``."""
    number = owner[outcomes.zone]
    owned = number >= 0
    key = (number * (num_classes + 1) + outcomes.truth) * (num_classes + 1) + outcomes.said
    keys, member = np.unique(key[owned], return_inverse=True)
    pixels = histogram(member, outcomes.pixels[owned], len(keys))
    pairs, said = np.divmod(keys, num_classes + 1)
    return np.column_stack([*np.divmod(pairs, num_classes + 1), said, pixels])


def near_edges(label: np.ndarray) -> np.ndarray:
    """Find the pixels in the bands of :func:`prepare_truth`: bool [H, W] from uint8 [H, W].

    A pixel is in one unless the window around it is all of one label: unless no block of
    2 x 2 pixels within the window is mixed.
    """
    import cv2  # slow to import, and a suite is read without it

    width = max(1, round(BAND_DIAGONAL * float(np.hypot(*label.shape))))
    padded = cv2.copyMakeBorder(label, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=IGNORE_INDEX)
    across, down = padded[:, 1:] != padded[:, :-1], padded[1:] != padded[:-1]
    mixed = across[1:] | across[:-1] | down[:, 1:] | down[:, :-1]  # [H + 1, W + 1]
    blocks = np.pad(mixed, width - 1).view(np.uint8)
    near = np.packbits(_any_within(blocks.T, 2 * width).T, axis=1)
    near = np.unpackbits(_any_within(near, 2 * width), axis=1, count=label.shape[1])
    return near.view(bool)


def _any_within(values: np.ndarray, rows: int) -> np.ndarray:
    """Or bits over every window of so many rows: [n, m] to [n - rows + 1, m]."""
    covered = 1
    while covered < rows:
        step = min(covered, rows - covered)
        values = values[:-step] | values[step:]
        covered += step
    return values
