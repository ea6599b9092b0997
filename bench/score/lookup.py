"""Scores by name: those that are sums over images, and instance precision, which is none."""

from __future__ import annotations

from collections.abc import Sequence

from bench.score.counts import Counts
from bench.score.metrics import METRICS

PRECISIONS = ("AP", "AP50", "AP_cityscapes", "AP50_cityscapes")
"""Instance scores in the order of ``Counts.precision``: COCO's and Cityscapes'. They are no sums
over images, and so no :class:`Metric`."""


def score_of(name: str, counts: Counts, classes: Sequence[int] = ()) -> float:
    """Score a data set by any name of ``METRICS`` or ``PRECISIONS``; NaN where it was not counted.

    Args:
        name: of the score.
        counts: of the images.
        classes: numbers of the classes that it is taken of; all by default.
    """
    if name not in PRECISIONS:
        metric = METRICS[name]
        return (metric.of_classes(classes) if classes else metric)(counts)
    at = PRECISIONS.index(name)
    known = counts.precision is not None and len(counts.precision) > at
    return float(counts.precision[at]) if known and counts.precision is not None else float("nan")
