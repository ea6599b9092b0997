"""What is counted of segments: for panoptic quality and instance average precision."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

from bench.score.counts import Counts
from bench.score.panoptic.cityscapes_ap import cityscapes_precision
from bench.score.panoptic.overlaps import Overlaps, Segments, find_overlaps

MATCH = 0.5
"""A predicted segment is that of the truth with which its IoU is above this; at most one is."""


class Objects(NamedTuple):
    """The objects of one image as COCO annotations; run lengths, small enough to be kept."""

    found: list[dict[str, Any]]
    known: list[dict[str, Any]]


class SegmentCounts(NamedTuple):
    """What is counted of one image's segments."""

    quality: np.ndarray  # float64 [4, K], see count_quality
    objects: Objects
    overlaps: Overlaps


class AveragePrecision(NamedTuple):
    """Instance scores, averages over thing classes of the truth, in 0..1."""

    ap: float
    """COCO's, over IoU thresholds 0.5 to 0.95."""
    ap50: float
    cityscapes: float
    """Cityscapes', over the same thresholds (``bench.score.panoptic.cityscapes_ap``)."""
    cityscapes50: float


def thing_ids(classes: Sequence[str], things: Collection[str]) -> tuple[int, ...]:
    """Return the numbers of the classes whose objects are counted."""
    return tuple(k for k, name in enumerate(classes) if name in things)


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


def count_segments(
    predicted: Segments, truth: Segments, num_classes: int, things: Collection[int]
) -> SegmentCounts:
    """Count all of one image's segments, both sides being of one size."""
    overlaps = find_overlaps(predicted, truth, things)
    return SegmentCounts(
        count_quality(overlaps, num_classes, things),
        Objects(objects_of(predicted, things), objects_of(truth, things, groups=True)),
        overlaps,
    )


def add_segments(
    counts: Counts, images: Sequence[SegmentCounts], things: Collection[int]
) -> Counts:
    """Put what is counted of all images' segments beside their pixels."""
    coco = coco_precision([each.objects for each in images])
    cityscapes = cityscapes_precision([each.overlaps for each in images], things)
    return counts._replace(
        segments=np.stack([each.quality for each in images]),
        things=np.isin(np.arange(counts.num_classes), list(things)),
        precision=np.array(AveragePrecision(*coco, *cityscapes)),
    )


def count_quality(overlaps: Overlaps, num_classes: int, things: Collection[int]) -> np.ndarray:
    """Count one image's matches of segments (Kirillov et al., arXiv:1801.00868).

    As cocodataset/panopticapi, ``panopticapi/evaluation.py``: pixels of ignored truth are in
    no union; predicted void is no segment; unnumbered groups of the truth are not asked for,
    and a prediction that lies mostly on them or on ignored truth is not counted against it.

    Args:
        overlaps: of the image.
        num_classes: K.
        things: the classes with instances.

    Returns:
        float64 [4, K]: the sum of matched segments' IoU, true positives, false positives and
        false negatives of each class.
    """
    predicted, truth, shared = overlaps.predicted, overlaps.truth, overlaps.shared
    group, same = overlaps.groups(things), overlaps.same_class
    iou = shared / (overlaps.union - overlaps.void[:, None])
    matched = same & ~group & (iou > MATCH)
    excused = overlaps.void + (shared * (same & group)).sum(axis=1)
    wrong = ~matched.any(axis=1) & (excused / predicted.pixels <= MATCH)
    missed = ~matched.any(axis=0) & ~group
    ours, theirs = np.nonzero(matched)
    of_class = truth.label[theirs]
    return np.stack(
        [
            np.bincount(of_class, iou[ours, theirs], num_classes),
            np.bincount(of_class, minlength=num_classes),
            np.bincount(predicted.label[wrong], minlength=num_classes),
            np.bincount(truth.label[missed], minlength=num_classes),
        ]
    ).astype(np.float64)


def objects_of(
    segments: Segments, things: Collection[int], *, groups: bool = False
) -> list[dict[str, Any]]:
    """List an image's objects as COCO annotations.

    An object is what has one class and one instance number, its score its mean confidence.

    Args:
        segments: of the image.
        things: the classes with instances.
        groups: list things without a number too, as crowds; else they are left out.
    """
    from pycocotools import mask

    is_thing = np.isin(segments.label, list(things))
    if not groups:
        is_thing &= segments.instance > 0
    pairs = np.stack([segments.label, segments.instance], -1)[is_thing]
    objects = []
    for label, instance in np.unique(pairs, axis=0):
        pixels = (segments.label == label) & (segments.instance == instance)
        objects.append(
            {
                "category_id": int(label),
                "segmentation": mask.encode(np.asfortranarray(pixels.astype(np.uint8))),
                "area": int(pixels.sum()),
                "iscrowd": int(instance == 0),
                "score": 1.0 if segments.score is None else float(segments.score[pixels].mean()),
            }
        )
    return objects


def coco_precision(images: Sequence[Objects]) -> tuple[float, float]:
    """Compute COCO's AP and AP50 of instance masks with pycocotools, from all images' objects."""
    from pycocotools.cocoeval import COCOeval

    found, known = zip(*images, strict=True)
    kinds = sorted({a["category_id"] for image in known for a in image if not a["iscrowd"]})
    if not any(found) or not kinds:
        return 0.0, 0.0
    with contextlib.redirect_stdout(io.StringIO()):  # both classes report on standard output
        evaluation = COCOeval(_index(known, kinds), _index(found, kinds), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    ap, ap50 = (max(float(value), 0.0) for value in evaluation.stats[:2])
    return ap, ap50


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
