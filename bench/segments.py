"""Scores of segments: panoptic quality and instance average precision.

Thin calls of well-kept libraries, torchmetrics and pycocotools, on our label maps.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np


class Segments(NamedTuple):
    """A label map whose things are told apart."""

    label: np.ndarray  # integers [H, W], classes or IGNORE_INDEX
    instance: np.ndarray  # integers [H, W], 0 where there is no instance
    score: np.ndarray | None = None  # float [H, W], confidence; predictions for AP need it


class PanopticQuality(NamedTuple):
    """Averages over the classes that either side has, in 0..1; 0 where there are none."""

    pq: float
    sq: float
    """Segmentation quality: the mean IoU of matched segments."""
    rq: float
    """Recognition quality: the F1 score of segments."""
    pq_things: float
    pq_stuff: float


class AveragePrecision(NamedTuple):
    """COCO's instance scores, averages over thing classes of the truth, in 0..1."""

    ap: float
    """Over IoU thresholds 0.5 to 0.95."""
    ap50: float


def panoptic_quality(
    predicted: Sequence[Segments],
    truth: Sequence[Segments],
    num_classes: int,
    things: Collection[int],
) -> PanopticQuality:
    """Compute PQ (Kirillov et al., arXiv:1801.00868) with torchmetrics.

    Pixels whose truth is ignored count for nothing.

    Args:
        predicted: of each image.
        truth: of each image, of the same sizes.
        num_classes: K.
        things: the classes with instances; of the others the instance is disregarded.
    """
    import torch

    from bench.torchvision_ops import ensure_torchvision

    ensure_torchvision()
    from torchmetrics.detection import PanopticQuality as Metric

    metric = Metric(
        things=set(things),
        stuffs=set(range(num_classes)) - set(things),
        allow_unknown_preds_category=True,
        return_sq_and_rq=True,
        return_per_class=True,
    )
    for ours, theirs in zip(predicted, truth, strict=True):
        pair = (np.stack([s.label, s.instance], -1).astype(np.int64) for s in (ours, theirs))
        metric.update(*(torch.from_numpy(side)[None] for side in pair))
    seen = metric.true_positives + metric.false_positives + metric.false_negatives > 0
    is_thing = torch.tensor([k in things for k in metric.cat_id_to_continuous_id])
    quality = metric.compute()  # [K, 3]

    def average(column: int, rows: Any) -> float:
        values = quality[rows & seen, column]
        return float(values.mean()) if len(values) else 0.0

    everything = torch.ones_like(is_thing)
    return PanopticQuality(
        pq=average(0, everything),
        sq=average(1, everything),
        rq=average(2, everything),
        pq_things=average(0, is_thing),
        pq_stuff=average(0, ~is_thing),
    )


def average_precision(
    predicted: Sequence[Segments],
    truth: Sequence[Segments],
    num_classes: int,
    things: Collection[int],
) -> AveragePrecision:
    """Compute COCO's AP of instance masks with pycocotools.

    An instance is what has one class and one instance number; a predicted one is scored by
    its mean confidence.

    Args:
        predicted: of each image, with scores.
        truth: of each image, of the same sizes.
        num_classes: K.
        things: the classes with instances.

    Raises:
        ValueError: if a prediction has no scores.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    if any(image.score is None for image in predicted):
        raise ValueError("predicted segments have no scores; average precision ranks by them")
    found = [a for i, image in enumerate(predicted) for a in _annotations(i, image, things)]
    with contextlib.redirect_stdout(io.StringIO()):  # both classes report on standard output
        reference = COCO()
        reference.dataset = {
            "images": [
                {"id": i, "height": image.label.shape[0], "width": image.label.shape[1]}
                for i, image in enumerate(truth)
            ],
            "categories": [{"id": k} for k in range(num_classes) if k in things],
            "annotations": [
                {**annotation, "id": number}
                for number, annotation in enumerate(
                    (a for i, image in enumerate(truth) for a in _annotations(i, image, things)),
                    start=1,
                )
            ],
        }
        reference.createIndex()
        if not found or not reference.dataset["annotations"]:
            return AveragePrecision(0.0, 0.0)
        evaluation = COCOeval(reference, _results(reference, found), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return AveragePrecision(*(max(float(value), 0.0) for value in evaluation.stats[:2]))


def _results(reference: Any, found: list[dict[str, Any]]) -> Any:
    """Make the predictions' index beside the truth's."""
    from pycocotools.coco import COCO

    results = COCO()
    results.dataset = {
        "images": reference.dataset["images"],
        "categories": reference.dataset["categories"],
        "annotations": [{**a, "id": number} for number, a in enumerate(found, start=1)],
    }
    results.createIndex()
    return results


def _annotations(
    image: int, segments: Segments, things: Collection[int]
) -> Iterator[dict[str, Any]]:
    """Yield each instance as COCO has it."""
    from pycocotools import mask

    is_thing = (segments.instance > 0) & np.isin(segments.label, list(things))
    pairs = np.stack([segments.label, segments.instance], -1)[is_thing]
    for label, instance in np.unique(pairs, axis=0):
        pixels = (segments.label == label) & (segments.instance == instance)
        score = 1.0 if segments.score is None else float(segments.score[pixels].mean())
        yield {
            "image_id": image,
            "category_id": int(label),
            "segmentation": mask.encode(np.asfortranarray(pixels.astype(np.uint8))),
            "area": int(pixels.sum()),
            "iscrowd": 0,
            "score": score,
        }
