"""What is counted of every image, and stored: integers that any score can be made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bench.core.schema import IGNORE_INDEX

BAND_DIAGONAL = 0.02
"""Width of the bands of boundary IoU as a fraction of the image's diagonal."""

SIZES = ("small", "medium", "large")
SIZE_LIMITS = (32**2 / (640 * 480), 96**2 / (640 * 480))
"""Least share of the image that makes an object of the truth medium, and large: COCO's 32 and
96 pixels squared (cocoapi, pycocotools/cocoeval.py) of its usual 640 x 480."""

CATEGORIES = {
    "road": "flat", "sidewalk": "flat",
    "building": "construction", "wall": "construction", "fence": "construction",
    "pole": "object", "traffic light": "object", "traffic sign": "object",
    "vegetation": "nature", "terrain": "nature",
    "sky": "sky",
    "person": "human", "rider": "human",
    "car": "vehicle", "truck": "vehicle", "bus": "vehicle", "train": "vehicle",
    "motorcycle": "vehicle", "bicycle": "vehicle",
}  # fmt: skip
"""Cityscapes' category of each of its evaluated classes (cityscapesScripts, helpers/labels.py)."""


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
    bands: np.ndarray | None = None
    """int64 [N, 3, K]: tp, fp and fn within the bands at the edges of segments; None in
    records of before they were counted."""
    instances: np.ndarray | None = None
    """int64 [J, 5], one row a kind of outcome within an instance of the truth: image, number
    of the instance within it, true class, predicted class (K: void), pixels. None where the
    truth has no instances."""
    categories: np.ndarray | None = None
    """int64 [K]: number of each class's category; None where classes have none."""
    segments: np.ndarray | None = None
    """float64 [N, 4, K]: sum of IoU, true and false positives and false negatives of segments
    (``bench.score.segments``); None where the protocol asks for no segments."""
    things: np.ndarray | None = None
    """bool [K]: whether the segments of a class are its instances."""
    precision: np.ndarray | None = None
    """float64 [4]: instance AP and AP50 of all images, COCO's and Cityscapes' (COCO's alone in
    records of before); no sum over images makes them."""
    sizes: np.ndarray | None = None
    """int64 [N, 3, 3, K]: tp, fp and fn among the pixels that lie in a small, a medium and a
    large object of the truth; None in records of before they were counted."""
    unmapped: np.ndarray | None = None
    """int64 [N]: pixels of labelled truth that are class 0 because nothing they were predicted
    to be has a class in the test set (``bench.engine.mapping``); None where nothing was mapped."""

    @property
    def num_images(self) -> int:
        """Number of images counted."""
        return int(self.tp.shape[0])

    @property
    def num_classes(self) -> int:
        """Number of classes K."""
        return int(self.tp.shape[1])

    def confusion(self, image: int) -> np.ndarray:
        """Return an image's confusion matrix as ``count_image`` does, int64 [K + 1, K + 1]."""
        found = np.zeros((self.num_classes + 1, self.num_classes + 1), np.int64)
        rows = self.image == image
        found[self.truth[rows], self.predicted[rows]] = self.pixels[rows]
        return found


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


class ImageCounts(NamedTuple):
    """What is counted of one image."""

    confusion: np.ndarray  # int64 [K + 1, K + 1], see count_image
    bands: np.ndarray | None = None  # int64 [3, K], see count_bands
    instances: np.ndarray | None = None  # int64 [j, 4], see count_instances
    sizes: np.ndarray | None = None  # int64 [3, 3, K], see count_sizes
    unmapped: int = 0  # labelled pixels that no mapping reached


def count_all(
    truth: np.ndarray,
    predicted: np.ndarray,
    num_classes: int,
    instance: np.ndarray | None = None,
    lost: np.ndarray | None = None,
) -> ImageCounts:
    """Count everything of one image that a score may need.

    Args:
        truth: integers [H, W], classes or IGNORE_INDEX.
        predicted: integers [H, W], classes or IGNORE_INDEX.
        num_classes: K.
        instance: integers [H, W], numbers of the truth's instances, 0 where there is none.
        lost: bool [H, W], where no mapping to the test set's classes reached.
    """
    return ImageCounts(
        count_image(truth, predicted, num_classes),
        count_bands(truth, predicted, num_classes),
        None if instance is None else count_instances(truth, instance, predicted, num_classes),
        count_sizes(truth, predicted, num_classes, instance),
        0 if lost is None else int((lost & (truth != IGNORE_INDEX)).sum()),
    )


def count_bands(truth: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Count within the bands of boundary IoU (Cheng et al. 2021, arXiv:2103.16562, equation 2).

    The band of a segment are its pixels whose Chebyshev distance to another class, to void or
    to the outside of the image is at most ``BAND_DIAGONAL`` of the diagonal, rounded, at
    least one pixel (bowenc0221/boundary-iou-api, utils/boundary_utils.py). Deviation: a
    prediction is made void where the truth is, so that the right answer around an ignored
    region scores 1.

    Returns:
        int64 [3, K]: pixels in both bands of the class, in that of the prediction alone, and
        in that of the truth alone.
    """
    ignored = truth == IGNORE_INDEX
    maps = [truth.astype(np.uint8), np.where(ignored, IGNORE_INDEX, predicted).astype(np.uint8)]
    inside = [np.where(_band(each), each, IGNORE_INDEX) for each in maps]
    sizes = [np.bincount(each.ravel(), minlength=256)[:num_classes] for each in inside]
    both = np.bincount(inside[0][inside[0] == inside[1]], minlength=256)[:num_classes]
    return np.stack([both, sizes[1] - both, sizes[0] - both])


def _band(label: np.ndarray) -> np.ndarray:
    """Find the pixels near another label: bool [H, W] from uint8 [H, W]."""
    import cv2  # slow to import, and a suite is read without it

    width = max(1, round(BAND_DIAGONAL * float(np.hypot(*label.shape))))
    padded = cv2.copyMakeBorder(label, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=IGNORE_INDEX)
    window = np.ones((3, 3), np.uint8)
    least = cv2.erode(padded, window, iterations=width)
    most = cv2.dilate(padded, window, iterations=width)
    return np.asarray((least != most)[1:-1, 1:-1])


def count_instances(
    truth: np.ndarray, instance: np.ndarray, predicted: np.ndarray, num_classes: int
) -> np.ndarray:
    """Count what is predicted within each instance of the truth.

    Returns:
        int64 [j, 4]: number of the instance from 0, true class, predicted class (K: void),
        pixels. Pixels of ignored truth belong to no instance.
    """
    inside = (instance > 0) & (truth != IGNORE_INDEX)
    said = np.where(predicted == IGNORE_INDEX, num_classes, predicted)
    size = num_classes + 1
    owner = instance[inside].astype(np.int64) * size + truth[inside]
    outcomes, pixels = np.unique(owner * size + said[inside], return_counts=True)
    _, number = np.unique(outcomes // size, return_inverse=True)
    return np.column_stack([number, outcomes // size % size, outcomes % size, pixels])


def count_sizes(
    truth: np.ndarray,
    predicted: np.ndarray,
    num_classes: int,
    instance: np.ndarray | None = None,
) -> np.ndarray:
    """Count by the size of the truth's object that a pixel lies in; see ``SIZE_LIMITS``.

    An object is an instance where the truth has one, else a connected component (of eight
    neighbours) of a class. A false positive is counted with the object it lies in, which is
    of another class: no object of its own class could own it.

    Returns:
        int64 [3, 3, K]: for small, medium and large objects tp, fp and fn.
    """
    size = np.digitize(_object_pixels(truth, instance) / truth.size, SIZE_LIMITS)
    found = np.zeros((len(SIZES), 3, num_classes), np.int64)
    known = truth != IGNORE_INDEX
    for at in range(len(SIZES)):
        inside = known & (size == at)
        sure, said = truth[inside], predicted[inside]
        tp, was, told = (
            np.bincount(each, minlength=IGNORE_INDEX + 1)[:num_classes]
            for each in (sure[sure == said], sure, said)
        )
        found[at] = tp, told - tp, was - tp
    return found


def _object_pixels(truth: np.ndarray, instance: np.ndarray | None) -> np.ndarray:
    """Return at each pixel the number of pixels of its object, int64 [H, W]."""
    import cv2  # slow to import, and a suite is read without it

    pixels = np.zeros(truth.shape, np.int64)
    for label in np.flatnonzero(np.bincount(truth.ravel())):
        own = (truth == label).astype(np.uint8)
        x, y, width, height = cv2.boundingRect(own)
        area = np.s_[y : y + height, x : x + width]
        _, member, stats, _ = cv2.connectedComponentsWithStats(own[area])
        stats[0] = 0  # what is around the components
        pixels[area] += stats[:, cv2.CC_STAT_AREA][member]
    if instance is not None:
        counts = np.bincount(instance.ravel().astype(np.int64))
        pixels = np.where(instance > 0, counts[instance], pixels)
    return pixels


def stack_counts(
    images: Sequence[ImageCounts | np.ndarray],
    classes: Sequence[str] = (),
    *,
    mapped: bool = False,
) -> Counts:
    """Put the counts of all images together, in sparse form.

    Args:
        images: of each image; a confusion matrix alone will do.
        classes: names of the classes, by which Cityscapes' categories are known.
        mapped: whether predictions were mapped to the test set's classes.
    """
    counted = [each if isinstance(each, ImageCounts) else ImageCounts(each) for each in images]
    dense = np.stack([each.confusion for each in counted])
    num_classes = dense.shape[1] - 1
    image, truth, predicted = np.nonzero(dense)
    labelled = dense[:, :num_classes]  # rows of ignored truth left out
    tp = np.einsum("nkk->nk", labelled[:, :, :num_classes]).copy()
    bands = [each.bands for each in counted if each.bands is not None]
    instances = [
        np.insert(each.instances, 0, at, axis=1)
        for at, each in enumerate(counted)
        if each.instances is not None
    ]
    sizes = [each.sizes for each in counted if each.sizes is not None]
    return Counts(
        tp=tp,
        fp=labelled[:, :, :num_classes].sum(axis=1) - tp,
        fn=labelled.sum(axis=2) - tp,
        image=image.astype(np.int32),
        truth=truth.astype(np.int16),
        predicted=predicted.astype(np.int16),
        pixels=dense[image, truth, predicted],
        bands=np.stack(bands) if len(bands) == len(counted) else None,
        instances=np.concatenate(instances) if len(instances) == len(counted) else None,
        categories=category_numbers(classes),
        sizes=np.stack(sizes) if len(sizes) == len(counted) else None,
        unmapped=np.array([each.unmapped for each in counted]) if mapped else None,
    )


def category_numbers(classes: Sequence[str]) -> np.ndarray | None:
    """Return the number of each class's category, int64 [K], if all are Cityscapes classes."""
    if not classes or not set(classes) <= CATEGORIES.keys():
        return None
    names = list(dict.fromkeys(CATEGORIES.values()))
    return np.array([names.index(CATEGORIES[name]) for name in classes])
