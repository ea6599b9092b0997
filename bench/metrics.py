"""Counts per image, and the published definitions of a score made from them.

Sums are stored and division happens here, so every dialect of a score comes from the
same stored numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bench.schema import IGNORE_INDEX

_NOT_MAPPED = np.zeros(0, dtype=np.int64)


class Counts(NamedTuple):
    """The confusion matrix of every image of a cell, in sparse form.

    Row r says: in image ``image[r]`` there are ``pixels[r]`` pixels of true class
    ``truth[r]`` that were predicted ``predicted[r]``. The index ``num_classes`` stands for
    void on either side, so definitions that differ in void can all be had.
    """

    tp: np.ndarray  # int64 [N, K] true positives; pixels with ignored truth left out of all three
    fp: np.ndarray  # int64 [N, K] false positives
    fn: np.ndarray  # int64 [N, K] false negatives; a void prediction counts here
    image: np.ndarray  # int32 [M]
    truth: np.ndarray  # int16 [M], 0..K
    predicted: np.ndarray  # int16 [M], 0..K
    pixels: np.ndarray  # int64 [M]
    fallen: np.ndarray = _NOT_MAPPED  # int64 [N], or [0] where predictions were not mapped
    """Pixels of labelled truth that are class 0 because nothing they were predicted to be has
    a class in the test set (``bench.mapping``)."""

    @property
    def num_images(self) -> int:
        """Number of images counted."""
        return int(self.tp.shape[0])

    @property
    def num_classes(self) -> int:
        """Number of classes K."""
        return int(self.tp.shape[1])


def count_image(truth: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Count one image's confusion matrix.

    Args:
        truth: integers [H, W], classes or IGNORE_INDEX.
        predicted: integers [H, W], classes or IGNORE_INDEX.
        num_classes: K.

    Returns:
        int64 [K + 1, K + 1], rows truth, columns prediction, index K void.

    Raises:
        ValueError: if the sizes differ or a value is neither a class nor IGNORE_INDEX.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"label is {truth.shape}, prediction {predicted.shape}")
    size = num_classes + 1
    index = []
    for name, values in (("label", truth), ("prediction", predicted)):
        values = values.astype(np.int64).ravel()
        void = values == IGNORE_INDEX
        if np.any(((values < 0) | (values >= num_classes)) & ~void):
            wrong = sorted(set(values[((values < 0) | (values >= num_classes)) & ~void].tolist()))
            raise ValueError(f"{name} holds {wrong[:5]}; classes are 0..{num_classes - 1}")
        index.append(np.where(void, num_classes, values))
    return np.bincount(index[0] * size + index[1], minlength=size * size).reshape(size, size)


def stack_counts(confusions: list[np.ndarray], fallen: Sequence[int] = ()) -> Counts:
    """Make the sparse form of a list of int64 [K + 1, K + 1] confusion matrices.

    Args:
        confusions: one an image.
        fallen: pixels of each image that no mapping reached, where predictions were mapped.
    """
    dense = np.stack(confusions)
    num_classes = dense.shape[1] - 1
    image, truth, predicted = np.nonzero(dense)
    counted = dense[:, :num_classes]  # rows of ignored truth left out
    tp = np.einsum("nkk->nk", counted[:, :, :num_classes]).copy()
    return Counts(
        tp=tp,
        fp=counted[:, :, :num_classes].sum(axis=1) - tp,
        fn=counted.sum(axis=2) - tp,
        image=image.astype(np.int32),
        truth=truth.astype(np.int16),
        predicted=predicted.astype(np.int16),
        pixels=dense[image, truth, predicted],
        fallen=np.array(fallen, dtype=np.int64),
    )


class Sums(NamedTuple):
    """Pixel sums per class; leading axes, such as images or resamples, are kept."""

    tp: np.ndarray  # float64 [..., K]
    fp: np.ndarray  # float64 [..., K]
    fn: np.ndarray  # float64 [..., K]


def class_iou(sums: Sums) -> np.ndarray:
    """Return intersection over union, float64 [..., K]; NaN where truth and prediction lack it."""
    return _ratio(sums.tp, sums.tp + sums.fp + sums.fn)


def class_accuracy(sums: Sums) -> np.ndarray:
    """Return recall per class, float64 [..., K]; NaN where the truth lacks the class."""
    return _ratio(sums.tp, sums.tp + sums.fn)


def class_precision(sums: Sums) -> np.ndarray:
    """Return precision per class, float64 [..., K]; NaN where it is never predicted."""
    return _ratio(sums.tp, sums.tp + sums.fp)


def pixel_accuracy(sums: Sums) -> np.ndarray:
    """Return the fraction of labelled pixels that are right, float64 [...]."""
    return _ratio(sums.tp.sum(axis=-1), (sums.tp + sums.fn).sum(axis=-1))


def frequency_weighted_iou(sums: Sums) -> np.ndarray:
    """Return the mean IoU weighted by each class's share of the labelled pixels, float64 [...]."""
    frequency = sums.tp + sums.fn
    return _ratio((frequency * np.nan_to_num(class_iou(sums))).sum(axis=-1), frequency.sum(axis=-1))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    quotient = np.full_like(whole, np.nan)
    np.divide(part, whole, out=quotient, where=whole > 0)
    return quotient


def _mean_of_present(values: np.ndarray) -> np.ndarray:
    present = ~np.isnan(values)
    return _ratio(np.where(present, values, 0).sum(axis=-1), present.sum(axis=-1, dtype=float))


def _mean_of_all(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.nan_to_num(values).mean(axis=-1))


class Metric(NamedTuple):
    """One published definition of a score: a fraction, higher is better."""

    definition: str
    """In one line."""
    absent: str
    """What becomes of a class that neither truth nor prediction holds."""
    source: str
    score: Callable[[Sums], np.ndarray]
    per_image: bool = False
    """Whether each image is scored and the scores averaged, instead of the pixels summed."""

    def parts(self, counts: Counts) -> np.ndarray:
        """Return what is summed over images before the score is taken, float64 [N, F]."""
        each = Sums(*(array.astype(np.float64) for array in counts[:3]))
        if not self.per_image:
            return np.concatenate(each, axis=1)  # [N, 3 * K]
        values = self.score(each)
        return np.stack([np.nan_to_num(values), ~np.isnan(values)], axis=1)  # [N, 2]

    def of_parts(self, summed: np.ndarray) -> np.ndarray:
        """Return scores float64 [...] from summed parts float64 [..., F]."""
        if self.per_image:
            return _ratio(summed[..., 0], summed[..., 1])
        return self.score(Sums(*np.split(summed, 3, axis=-1)))

    def __call__(self, counts: Counts) -> float:
        """Score a data set; NaN if it has no labelled pixel."""
        return float(self.of_parts(self.parts(counts).sum(axis=0)))


_LEFT_OUT = "absent classes are left out of the mean"
_ZERO = "absent classes count as 0"
_NO_WEIGHT = "absent classes have no weight"

METRICS: Mapping[str, Metric] = {
    "mIoU": Metric(
        "mean over classes of intersection over union, pixels summed over all images",
        _LEFT_OUT,
        "mmsegmentation 0.x, mmseg/core/evaluation/metrics.py and datasets/custom.py (nanmean)",
        lambda sums: _mean_of_present(class_iou(sums)),
    ),
    "mIoU_mseg": Metric(
        "mIoU with every class of the label space in the mean",
        _ZERO,
        "mseg-semantic, mseg_semantic/utils/avg_meter.py (its 1e-10 in the denominator left out)",
        lambda sums: _mean_of_all(class_iou(sums)),
    ),
    "mIoU_image": Metric(
        "mIoU of each image over the classes it holds, then the mean over images",
        _LEFT_OUT,
        "arXiv:1307.8405 section 3, there for the Jaccard index",
        lambda sums: _mean_of_present(class_iou(sums)),
        per_image=True,
    ),
    "mAcc": Metric(
        "mean over classes of recall",
        "classes absent from the truth are left out of the mean",
        "mmsegmentation 0.x, mmseg/core/evaluation/metrics.py (GSS calls it pixel-level accuracy)",
        lambda sums: _mean_of_present(class_accuracy(sums)),
    ),
    "mAcc_mseg": Metric(
        "mAcc with every class of the label space in the mean",
        "classes absent from the truth count as 0",
        "mseg-semantic, mseg_semantic/utils/avg_meter.py (its 1e-10 in the denominator left out)",
        lambda sums: _mean_of_all(class_accuracy(sums)),
    ),
    "aAcc": Metric(
        "fraction of labelled pixels that are right",
        _NO_WEIGHT,
        "mmsegmentation 0.x, mmseg/core/evaluation/metrics.py",
        pixel_accuracy,
    ),
    "fwIoU": Metric(
        "mean IoU weighted by each class's share of the labelled pixels",
        _NO_WEIGHT,
        "arXiv:1411.4038 section 5",
        frequency_weighted_iou,
    ),
    "precision_camseg": Metric(
        'mean over classes of precision, void dropped on both axes; published as "AP"',
        "classes never predicted count as 0",
        "mahmed10/CAMSS, validation.ipynb cell 7",
        lambda sums: _mean_of_all(class_precision(sums)),
    ),
}
"""Every definition by name; each can be had from the counts of any finished cell."""


def per_class_iou(counts: Counts) -> np.ndarray:
    """Return the IoU of each class over all images, float64 [K]; NaN where absent."""
    return class_iou(Sums(*(array.sum(axis=0).astype(np.float64) for array in counts[:3])))
