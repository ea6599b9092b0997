"""The published definitions of a score, made from the counts per image.

Sums are stored and division happens here, so every dialect of a score comes from the
same stored numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from bench.score.counts import BAND_DIAGONAL, SIZE_LIMITS, SIZES, Counts


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


def pixels(counts: Counts) -> Sums:
    """Return the counts of all pixels of each class, float64 [N, K]."""
    return Sums(*(array.astype(np.float64) for array in counts[:3]))


def decided_pixels(counts: Counts) -> Sums:
    """Return the counts of the pixels that are void on neither side, float64 [N, K].

    As detectron2, which cuts void off both sides of its confusion matrix before any sum.
    """
    whole = pixels(counts)
    undecided = np.zeros_like(whole.fn)
    void = (counts.predicted == counts.num_classes) & (counts.truth < counts.num_classes)
    np.add.at(undecided, (counts.image[void], counts.truth[void]), counts.pixels[void])
    return whole._replace(fn=whole.fn - undecided)


def bands(counts: Counts) -> Sums | None:
    """Return the counts within the bands at the edges of segments, float64 [N, K]."""
    if counts.bands is None:
        return None
    return Sums(*counts.bands.astype(np.float64).transpose(1, 0, 2))


def of_size(counts: Counts, size: int) -> Sums | None:
    """Return the counts among pixels of objects of one of ``SIZES``, float64 [N, K]."""
    if counts.sizes is None:
        return None
    return Sums(*counts.sizes[:, size].astype(np.float64).transpose(1, 0, 2))


def categories(counts: Counts) -> Sums | None:
    """Return the counts of categories in place of classes, float64 [N, G].

    A pixel that is given another class of its own category is right.
    """
    if counts.categories is None:
        return None
    groups, classes = counts.categories.max() + 1, counts.num_classes
    of = np.append(counts.categories, groups)  # void is a category of its own
    confusion = np.zeros((counts.num_images, groups, groups + 1))
    known = counts.truth < classes
    places = (counts.image, of[counts.truth], of[counts.predicted])
    np.add.at(confusion, tuple(each[known] for each in places), counts.pixels[known])
    tp = np.einsum("ngg->ng", confusion[..., :groups]).copy()
    return Sums(tp, confusion[..., :groups].sum(axis=1) - tp, confusion.sum(axis=2) - tp)


def instances(counts: Counts) -> Sums | None:
    """Return counts in which every instance of a class weighs the same, float64 [N, K].

    True positives and misses of an instance are multiplied by the mean size of its class's
    instances over its own size; false positives belong to no instance and stay as they
    are. Classes without instances count nothing. Deviation: cityscapesScripts has the mean
    sizes of Cityscapes as constants; here they are those of the images that are scored.
    """
    if counts.instances is None:
        return None
    return _weighted(counts, pixels(counts), np.arange(counts.num_classes))


def category_instances(counts: Counts) -> Sums | None:
    """Return the same of categories, float64 [N, G]; the mean sizes stay those of classes."""
    whole = categories(counts)
    if whole is None or counts.instances is None or counts.categories is None:
        return None
    return _weighted(counts, whole, counts.categories)


def _weighted(counts: Counts, plain: Sums, group: np.ndarray) -> Sums:
    """Weigh instances equally within their classes, and sum them by group of classes."""
    assert counts.instances is not None, "the callers have looked"
    image, number, truth, predicted, size = counts.instances.T
    most = number.max(initial=0) + 1  # within one image
    _, member = np.unique(image * most + number, return_inverse=True)
    whole = np.bincount(member, size)  # pixels of each instance
    owner = np.zeros(len(whole), int)
    owner[member] = truth
    classes = counts.num_classes
    number_of = np.bincount(owner, minlength=classes).astype(np.float64)
    mean_size = _ratio(np.bincount(owner, whole, classes), number_of)
    weight = mean_size[truth] / whole[member]
    right = np.append(group, -1)[predicted] == group[truth]
    shape = plain.tp.shape
    tp, fn = np.zeros(shape), np.zeros(shape)
    np.add.at(tp, (image[right], group[truth[right]]), (weight * size)[right])
    np.add.at(fn, (image[~right], group[truth[~right]]), (weight * size)[~right])
    held = np.isin(np.arange(shape[1]), group[truth])
    return Sums(tp, np.where(held, plain.fp, 0), fn)


def segments(counts: Counts) -> Sums | None:
    """Return counts of segments such that IoU of classes is panoptic quality, float64 [N, K].

    PQ = (sum of IoU) / (TP + FP / 2 + FN / 2) (arXiv:1801.00868 equation 1). So ``tp`` is the
    sum of the IoU of matched segments, ``fp`` what they lack of a perfect match, and ``fn``
    half the number of unmatched ones on either side.
    """
    if counts.segments is None:
        return None
    iou, tp, fp, fn = counts.segments.transpose(1, 0, 2)
    return Sums(iou, tp - iou, (fp + fn) / 2)


def segments_of(things: bool) -> Callable[[Counts], Sums | None]:
    """Return :func:`segments` of the classes with instances, or of the others, alone."""

    def of_some(counts: Counts) -> Sums | None:
        whole = segments(counts)
        if whole is None or counts.things is None:
            return None
        return Sums(*(each * (counts.things == things) for each in whole))

    return of_some


def segmentation_quality(sums: Sums) -> np.ndarray:
    """Return the mean IoU of matched segments, [..., K]; 0 where all are unmatched."""
    quality = np.nan_to_num(class_precision(sums))
    return np.where(sums.tp + sums.fp + sums.fn > 0, quality, np.nan)


def recognition_quality(sums: Sums) -> np.ndarray:
    """Return the F1 score of segments, [..., K]."""
    return _ratio(sums.tp + sums.fp, sums.tp + sums.fp + sums.fn)


class Metric(NamedTuple):
    """One published definition of a score: a fraction, higher is better."""

    definition: str
    """In one line."""
    absent: str
    """What becomes of a class that neither truth nor prediction holds."""
    source: str
    score: Callable[[Sums], np.ndarray]
    published: str = ""
    """Which of the papers printed this one, and what they call it."""
    counted: Callable[[Counts], Sums | None] = pixels
    """What is counted; None where the counts of a cell lack it."""
    per_image: bool = False
    """Whether each image is scored and the scores averaged, instead of the pixels summed."""

    def of_classes(self, classes: Sequence[int]) -> Metric:
        """Return the same score of some classes alone, by their numbers."""
        chosen = list(classes)
        return self._replace(score=lambda s: self.score(Sums(*(each[..., chosen] for each in s))))

    def is_stored(self, counts: Counts) -> bool:
        """Whether the counts hold what the score is made from."""
        return self.counted(counts) is not None

    def parts(self, counts: Counts) -> np.ndarray:
        """Return what is summed over images before the score is taken, float64 [N, F].

        All NaN where the counts lack it: so is every score made from them.
        """
        each = self.counted(counts)
        if each is None:
            return np.full((counts.num_images, 3), np.nan)
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
        """Score a data set; NaN if it has no labelled pixel, or the counts lack what is needed."""
        return float(self.of_parts(self.parts(counts).sum(axis=0)))


_LEFT_OUT = "absent classes are left out of the mean"
_ZERO = "absent classes count as 0"
_PANOPTIC = "arXiv:1801.00868 section 4.2; cocodataset/panopticapi, panopticapi/evaluation.py"
_NO_SEGMENT = "classes without any segment are left out of the mean"
_NO_WEIGHT = "absent classes have no weight"

METRICS: Mapping[str, Metric] = {
    "mIoU": Metric(
        "mean over classes of intersection over union, pixels summed over all images",
        _LEFT_OUT,
        "mmsegmentation 0.x, mmseg/core/evaluation/metrics.py and datasets/custom.py (nanmean);"
        " so is the class IoU of cityscapesScripts, evalPixelLevelSemanticLabeling.py",
        lambda sums: _mean_of_present(class_iou(sums)),
        "GSS: mIoU",
    ),
    "mIoU_mseg": Metric(
        "mIoU with every class of the label space in the mean",
        _ZERO,
        "mseg-semantic, mseg_semantic/utils/avg_meter.py (its 1e-10 in the denominator left out)",
        lambda sums: _mean_of_all(class_iou(sums)),
        "MSeg: mIoU",
    ),
    "mIoU_detectron2": Metric(
        "mIoU over the classes that the truth has; pixels predicted void are left out",
        "classes absent from the truth are left out of the mean, predicted or not",
        "detectron2, detectron2/evaluation/sem_seg_evaluation.py",
        lambda sums: _mean_of_present(np.where(sums.tp + sums.fn > 0, class_iou(sums), np.nan)),
        "Seg-VAR: mIoU (presumably: it has Mask2Former's recipe, which evaluates so)",
        counted=decided_pixels,
    ),
    "mIoU_image": Metric(
        "mIoU of each image over the classes it holds, then the mean over images",
        _LEFT_OUT,
        "arXiv:1307.8405 section 3, there for the Jaccard index",
        lambda sums: _mean_of_present(class_iou(sums)),
        per_image=True,
    ),
    "IoU_category": Metric(
        "mean over Cityscapes' categories of IoU; confusion within a category is right",
        "absent categories are left out of the mean",
        "cityscapesScripts, evalPixelLevelSemanticLabeling.py",
        lambda sums: _mean_of_present(class_iou(sums)),
        counted=categories,
    ),
    "iIoU": Metric(
        "mean over classes with instances of IoU in which each instance weighs the same",
        _LEFT_OUT,
        "cityscapesScripts, evalPixelLevelSemanticLabeling.py (mean instance sizes of these"
        " images in place of its constants)",
        lambda sums: _mean_of_present(class_iou(sums)),
        counted=instances,
    ),
    "iIoU_category": Metric(
        "iIoU of Cityscapes' categories with instances",
        "absent categories are left out of the mean",
        "cityscapesScripts, evalPixelLevelSemanticLabeling.py (mean instance sizes as for iIoU)",
        lambda sums: _mean_of_present(class_iou(sums)),
        counted=category_instances,
    ),
    "boundary_IoU": Metric(
        f"mIoU within bands at the edges of segments, {BAND_DIAGONAL:.0%} of the diagonal wide",
        _LEFT_OUT,
        "arXiv:2103.16562 equation 2, summed over images as mIoU is",
        lambda sums: _mean_of_present(class_iou(sums)),
        counted=bands,
    ),
    **{
        f"mIoU_{name}": Metric(
            f"mIoU among the pixels that lie in {name} objects of the truth (instances or"
            f" connected components; the limits are {SIZE_LIMITS[0]:.2%} and"
            f" {SIZE_LIMITS[1]:.1%} of the image)",
            _LEFT_OUT,
            "sizes: COCO's, cocoapi, pycocotools/cocoeval.py, of its usual 640 x 480 pixels",
            lambda sums: _mean_of_present(class_iou(sums)),
            counted=partial(of_size, size=at),
        )
        for at, name in enumerate(SIZES)
    },
    "mAcc": Metric(
        "mean over classes of recall",
        "classes absent from the truth are left out of the mean",
        "mmsegmentation 0.x, mmseg/core/evaluation/metrics.py",
        lambda sums: _mean_of_present(class_accuracy(sums)),
        'GSS: mAcc, in its text "pixel-level accuracy"',
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
        "GSS: aAcc",
    ),
    "fwIoU": Metric(
        "mean IoU weighted by each class's share of the labelled pixels",
        _NO_WEIGHT,
        "arXiv:1411.4038 section 5",
        frequency_weighted_iou,
    ),
    "precision_camseg": Metric(
        "mean over classes of precision, void dropped on both axes",
        "classes never predicted count as 0",
        "mahmed10/CAMSS, validation.ipynb cell 7",
        lambda sums: _mean_of_all(class_precision(sums)),
        "CAM-Seg: AP",
    ),
    "PQ": Metric(
        "panoptic quality: IoU of matched segments over matched and half the unmatched ones",
        _NO_SEGMENT,
        _PANOPTIC,
        lambda sums: _mean_of_present(class_iou(sums)),
        "Seg-VAR: PQ",
        counted=segments,
    ),
    "SQ": Metric(
        "segmentation quality: mean IoU of matched segments, a factor of PQ",
        _NO_SEGMENT,
        _PANOPTIC,
        lambda sums: _mean_of_present(segmentation_quality(sums)),
        counted=segments,
    ),
    "RQ": Metric(
        "recognition quality: F1 score of segments, the other factor of PQ",
        _NO_SEGMENT,
        _PANOPTIC,
        lambda sums: _mean_of_present(recognition_quality(sums)),
        counted=segments,
    ),
    "PQ_things": Metric(
        "PQ of the classes whose instances are told apart",
        _NO_SEGMENT,
        _PANOPTIC,
        lambda sums: _mean_of_present(class_iou(sums)),
        "Seg-VAR: PQ_Th",
        counted=segments_of(things=True),
    ),
    "PQ_stuff": Metric(
        "PQ of the other classes, each one segment an image",
        _NO_SEGMENT,
        _PANOPTIC,
        lambda sums: _mean_of_present(class_iou(sums)),
        "Seg-VAR: PQ_St",
        counted=segments_of(things=False),
    ),
}
"""Every definition by name; each can be had from the counts of any finished cell."""


def per_class_iou(counts: Counts) -> np.ndarray:
    """Return the IoU of each class over all images, float64 [K]; NaN where absent."""
    return class_iou(Sums(*(array.sum(axis=0).astype(np.float64) for array in counts[:3])))
