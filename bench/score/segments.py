"""What is counted of segments: for panoptic quality and instance average precision.

Thin calls of well-kept libraries, torchmetrics and pycocotools, on our label maps.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

from bench.score.counts import CATEGORIES, Counts

_COUNTABLE = {"human", "vehicle"}


class Segments(NamedTuple):
    """A label map whose things are told apart."""

    label: np.ndarray  # integers [H, W], classes or IGNORE_INDEX
    instance: np.ndarray  # integers [H, W]; of a thing, pixels of one number are one object
    score: np.ndarray | None = None  # float [H, W], confidence, 1 if there is none


class Objects(NamedTuple):
    """The objects of one image as COCO annotations; run lengths, small enough to be kept."""

    found: list[dict[str, Any]]
    known: list[dict[str, Any]]


class SegmentCounts(NamedTuple):
    """What is counted of one image's segments."""

    quality: np.ndarray  # float64 [4, K], see count_quality
    objects: Objects


class AveragePrecision(NamedTuple):
    """COCO's instance scores, averages over thing classes of the truth, in 0..1."""

    ap: float
    """Over IoU thresholds 0.5 to 0.95."""
    ap50: float


def things_of(classes: Sequence[str]) -> tuple[int, ...]:
    """Return the classes whose objects are counted: Cityscapes' humans and vehicles."""
    return tuple(k for k, name in enumerate(classes) if CATEGORIES.get(name) in _COUNTABLE)


def connected(label: np.ndarray, things: Collection[int]) -> Segments:
    """Tell things apart as connected components (by edges), for methods that do not.

    Args:
        label: integers [H, W].
        things: the classes with instances.
    """
    instance = np.zeros(label.shape, np.int32)
    for k in things:
        numbered, _ = ndimage.label(label == k)
        instance = np.where(numbered > 0, numbered + instance.max(), instance)
    return Segments(label, instance)


def count_segments(predicted: Segments, truth: Segments, classes: Sequence[str]) -> SegmentCounts:
    """Count all of one image's segments, both sides being of one size."""
    things = things_of(classes)
    return SegmentCounts(
        count_quality(predicted, truth, len(classes), things),
        Objects(objects_of(predicted, things), objects_of(truth, things)),
    )


def add_segments(counts: Counts, images: Sequence[SegmentCounts], classes: Sequence[str]) -> Counts:
    """Put what is counted of all images' segments beside their pixels."""
    return counts._replace(
        segments=np.stack([each.quality for each in images]),
        things=np.isin(np.arange(len(classes)), things_of(classes)),
        precision=np.array(average_precision([each.objects for each in images])),
    )


def count_quality(
    predicted: Segments, truth: Segments, num_classes: int, things: Collection[int]
) -> np.ndarray:
    """Count one image's matches of segments (Kirillov et al., arXiv:1801.00868) by torchmetrics.

    Pixels whose truth is ignored count for nothing. A segment is all of a class where the
    class has no instances.

    Args:
        predicted: of an image.
        truth: of the image, of the same size.
        num_classes: K.
        things: the classes with instances; of the others the instance is disregarded.

    Returns:
        float64 [4, K]: the sum of matched segments' IoU, true positives, false positives and
        false negatives of each class.
    """
    import torch

    from bench.core.torchvision_ops import ensure_torchvision

    ensure_torchvision()
    from torchmetrics.detection import PanopticQuality

    metric = PanopticQuality(
        things=set(things),
        stuffs=set(range(num_classes)) - set(things),
        allow_unknown_preds_category=True,
    )
    pair = (np.stack([s.label, s.instance], -1).astype(np.int64) for s in (predicted, truth))
    metric.update(*(torch.from_numpy(side)[None] for side in pair))
    states = (
        metric.iou_sum,
        metric.true_positives,
        metric.false_positives,
        metric.false_negatives,
    )
    counted = np.empty((4, num_classes))
    places = list(metric.cat_id_to_continuous_id)  # the class of each column
    counted[:, places] = torch.stack([state.double() for state in states]).numpy()
    return counted


def objects_of(segments: Segments, things: Collection[int]) -> list[dict[str, Any]]:
    """List an image's objects as COCO annotations.

    An object is what has one class and one instance number, its score its mean confidence.
    """
    from pycocotools import mask

    is_thing = np.isin(segments.label, list(things)) & (segments.instance > 0)
    pairs = np.stack([segments.label, segments.instance], -1)[is_thing]
    objects = []
    for label, instance in np.unique(pairs, axis=0):
        pixels = (segments.label == label) & (segments.instance == instance)
        objects.append(
            {
                "category_id": int(label),
                "segmentation": mask.encode(np.asfortranarray(pixels.astype(np.uint8))),
                "area": int(pixels.sum()),
                "iscrowd": 0,
                "score": 1.0 if segments.score is None else float(segments.score[pixels].mean()),
            }
        )
    return objects


def average_precision(images: Sequence[Objects]) -> AveragePrecision:
    """Compute COCO's AP of instance masks with pycocotools, from the objects of all images."""
    from pycocotools.cocoeval import COCOeval

    found, known = zip(*images, strict=True)
    if not any(found) or not any(known):
        return AveragePrecision(0.0, 0.0)
    kinds = sorted({each["category_id"] for image in known for each in image})
    with contextlib.redirect_stdout(io.StringIO()):  # both classes report on standard output
        evaluation = COCOeval(_index(known, kinds), _index(found, kinds), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return AveragePrecision(*(max(float(value), 0.0) for value in evaluation.stats[:2]))


def _index(images: Sequence[list[dict[str, Any]]], kinds: Sequence[int]) -> Any:
    """Make COCO's index of objects of some classes."""
    from pycocotools.coco import COCO

    index = COCO()
    listed = [
        {**each, "image_id": i}
        for i, image in enumerate(images)
        for each in image
        if each["category_id"] in kinds
    ]
    index.dataset = {
        # Run lengths hold their own size; COCO reads this one, and does not use it.
        "images": [{"id": i, "height": 0, "width": 0} for i in range(len(images))],
        "categories": [{"id": k} for k in kinds],
        "annotations": [{**each, "id": number} for number, each in enumerate(listed, start=1)],
    }
    index.createIndex()
    return index
