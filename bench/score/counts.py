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
    (``bench.score.panoptic.segments``); None where the protocol asks for no segments."""
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
    to be has a class in the test set; None where nothing was mapped."""

    calibration: np.ndarray | None = None
    """float64 [N, 3, BINS]: pixels, right ones and their summed confidence by confidence
    (``bench.score.calibration``); None where the method gives no probabilities."""
    sampled: np.ndarray | None = None
    """uint8 [N, SAMPLES]: what is predicted at a few drawn pixels (``bench.score.sampling``);
    None unless the suite has several sampling seeds."""

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


class ImageCounts(NamedTuple):
    """What is counted of one image."""

    num_classes: int
    confusion: np.ndarray
    """int64 [m, 3]: true class, predicted class (K: void, on either side) and pixels, in
    ascending order; pairs without a pixel are left out."""
    bands: np.ndarray | None = None
    """int64 [3, K]: pixels in both bands of boundary IoU of the class, in that of the
    prediction alone, and in that of the truth alone."""
    instances: np.ndarray | None = None
    """int64 [j, 4]: number of the instance from 0, true class, predicted class (K: void),
    pixels. Pixels of ignored truth belong to no instance."""
    sizes: np.ndarray | None = None
    """int64 [3, 3, K]: tp, fp and fn among the pixels of small, medium and large objects."""
    unmapped: int = 0
    """Labelled pixels that no mapping reached."""
    calibration: np.ndarray | None = None
    """float64 [3, BINS]."""
    sampled: np.ndarray | None = None
    """uint8 [SAMPLES]."""


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
    label = as_bytes("label", truth, num_classes).ravel()
    said = as_bytes("prediction", predicted, num_classes).ravel()
    start = np.flatnonzero(changes(label, said))
    size = num_classes + 1
    index = class_index(label[start], num_classes) * size + class_index(said[start], num_classes)
    return histogram(index, run_lengths(start, label.size), size * size).reshape(size, size)


def as_bytes(name: str, values: np.ndarray, num_classes: int) -> np.ndarray:
    """Return classes or IGNORE_INDEX as uint8.

    Raises:
        ValueError: if there is any other value, naming a few.
    """
    small = values if values.dtype == np.uint8 else values.astype(np.uint8)
    wrong = (small >= num_classes) & (small != IGNORE_INDEX)
    if small is not values:
        wrong |= small != values  # did not fit
    if wrong.any():
        some = np.unique(values[wrong])[:5].tolist()
        raise ValueError(f"{name} holds {some}; classes are 0..{num_classes - 1}")
    return small


def class_index(values: np.ndarray, num_classes: int) -> np.ndarray:
    """Return classes as int64, void as ``num_classes``."""
    return np.where(values == IGNORE_INDEX, num_classes, values).astype(np.int64)


def changes(*maps: np.ndarray) -> np.ndarray:
    """Tell where any of some flat maps differs from its pixel before: bool [P].

    Label maps are flat but for edges, so that counting their runs costs a fraction of
    counting their pixels. The first pixel starts a run.
    """
    differs = np.empty(maps[0].size, bool)
    differs[:1] = True
    np.not_equal(maps[0][1:], maps[0][:-1], out=differs[1:])
    for other in maps[1:]:
        differs[1:] |= other[1:] != other[:-1]
    return differs


def run_lengths(start: np.ndarray, pixels: int) -> np.ndarray:
    """Return the lengths of runs from where they start, the last ending with the map."""
    return np.diff(start, append=pixels)


def histogram(index: np.ndarray, pixels: np.ndarray, bins: int) -> np.ndarray:
    """Sum pixels by index: int64 [bins]; float64 sums in between are exact below 2**53."""
    return np.bincount(index, pixels, bins).astype(np.int64)


def nonzero(confusion: np.ndarray) -> np.ndarray:
    """List the pairs of a confusion matrix that have pixels, as ``ImageCounts`` keeps them."""
    truth, predicted = np.nonzero(confusion)
    return np.column_stack([truth, predicted, confusion[truth, predicted]])


def stack_counts(
    images: Sequence[ImageCounts | np.ndarray],
    classes: Sequence[str] = (),
    *,
    mapped: bool = False,
) -> Counts:
    """Put the counts of all images together; no array has a number of elements of N K squared.

    Args:
        images: of each image; a confusion matrix as :func:`count_image` returns will do.
        classes: names of the classes, by which Cityscapes' categories are known.
        mapped: whether predictions were mapped to the test set's classes.
    """
    counted = [
        item if isinstance(item, ImageCounts) else ImageCounts(len(item) - 1, nonzero(item))
        for item in images
    ]
    image = np.repeat(np.arange(len(counted)), [len(item.confusion) for item in counted])
    truth, predicted, pixels = np.concatenate([item.confusion for item in counted]).T
    instances = [
        np.insert(item.instances, 0, number, axis=1)
        for number, item in enumerate(counted)
        if item.instances is not None
    ]
    tp, fp, fn = _class_counts(image, truth, predicted, pixels, counted)
    return Counts(
        tp=tp,
        fp=fp,
        fn=fn,
        image=image.astype(np.int32),
        truth=truth.astype(np.int16),
        predicted=predicted.astype(np.int16),
        pixels=pixels,
        bands=_stacked([item.bands for item in counted]),
        instances=np.concatenate(instances) if len(instances) == len(counted) else None,
        categories=category_numbers(classes),
        sizes=_stacked([item.sizes for item in counted]),
        unmapped=np.array([item.unmapped for item in counted]) if mapped else None,
        calibration=_stacked([item.calibration for item in counted]),
        sampled=_stacked([item.sampled for item in counted]),
    )


def _stacked(parts: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """Put the arrays of images together; None if any has none."""
    counted = [part for part in parts if part is not None]
    return np.stack(counted) if len(counted) == len(parts) else None


def _class_counts(
    image: np.ndarray,
    truth: np.ndarray,
    predicted: np.ndarray,
    pixels: np.ndarray,
    counted: Sequence[ImageCounts],
) -> np.ndarray:
    """Sum the pairs of all images to true and false positives and misses, int64 [3, N, K]."""
    size = counted[0].num_classes + 1  # void is counted, then dropped
    labelled = truth < counted[0].num_classes
    kept = [labelled & (truth == predicted), labelled, labelled]
    right, said, was = (
        histogram(image[which] * size + of[which], pixels[which], len(counted) * size)
        for which, of in zip(kept, (truth, predicted, truth), strict=True)
    )
    stacked = np.stack([right, said - right, was - right])
    return stacked.reshape(3, len(counted), size)[..., :-1]


def category_numbers(classes: Sequence[str]) -> np.ndarray | None:
    """Return the number of each class's category, int64 [K], if all are Cityscapes classes."""
    if not classes or not set(classes) <= CATEGORIES.keys():
        return None
    names = list(dict.fromkeys(CATEGORIES.values()))
    return np.array([names.index(CATEGORIES[name]) for name in classes])
