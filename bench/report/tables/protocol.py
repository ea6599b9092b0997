"""Tables about the protocol itself: what it makes of the truth, and what precision hides."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.report.captions import data_note, interval_note, joined
from bench.report.statistics import Block
from bench.report.tables.table import Entry, Sentence, Table, number
from bench.score.counts import Counts
from bench.score.metrics import METRICS
from bench.score.stats import Estimate

PRECISION, IOU = "precision_camseg", "mIoU"
"""The two that a suite asks for when it asks what precision hides."""


def protocol_tables(block: Block) -> Iterator[Table]:
    """Make the tables for which the suite has the cells and the metric."""
    if PRECISION in block.metrics:
        yield precision_gap(block)
    if any(record.cell.task == "label" for record in block.finished):
        yield label_changes(block)


def protocol_sentences(block: Block) -> list[Sentence]:
    """Say how far precision is from mIoU, and how much of the truth the protocol changes."""
    sentences: list[Sentence] = []
    if PRECISION in block.metrics:
        gaps = {
            label: precision - iou
            for label, (precision, iou) in _scored(block).items()
            if label in block.learned
        }
        if len(gaps) > 1:
            low, *_, high = sorted(gaps, key=lambda label: gaps[label].value)
            sentences.append((
                f"For the same predictions {PRECISION} minus {IOU} is ",
                number(gaps[low], "points"), f" ({low}) to ",
                number(gaps[high], "points"), f" ({high}).",
            ))  # fmt: skip
    for record in block.finished:
        if record.cell.task == "label":
            share = change_shares(block.counts(record.key))[0]
            entry = Entry(unit="percent", value=share, keys=(record.key,))
            text = " of the truth's pixels differ from the resized label."
            sentences.append((f"Under the {record.cell.protocol.eval_at} score ", entry, text))
    return sentences


def _scored(block: Block) -> dict[str, tuple[Estimate, Estimate]]:
    """Return precision and mIoU of each method that has both."""
    scores = {}
    for label in block.labels:
        precision, iou = block.score(label, PRECISION), block.score(label, IOU)
        if precision is not None and iou is not None:
            scores[label] = (precision, iou)
    return scores


def precision_gap(block: Block) -> Table:
    """Precision beside mIoU, from the same counts."""
    rows = [
        (Entry(label), number(precision), number(iou), number(precision - iou, "points"))
        for label, (precision, iou) in _scored(block).items()
    ]
    caption = joined(
        data_note(block),
        f"{PRECISION}: {METRICS[PRECISION].definition}. Missed pixels do not enter it, so it is"
        " at least the IoU of every predicted class.",
        "Gap in percentage points.",
        interval_note(block),
    )
    names = ("Method", f"{PRECISION} ↑", f"{IOU} ↑", "Gap")
    return Table("precision_gap", "Precision and mIoU", caption, names, tuple(rows))


def label_changes(block: Block) -> Table:
    """How the truth that is scored differs from labels resized by nearest neighbour."""
    rows = []
    for record in block.finished:
        if record.cell.task == "label":
            keys = (record.key,)
            counts = block.counts(record.key)
            shares = [Entry(unit="percent", value=v, keys=keys) for v in change_shares(counts)]
            score = Entry(unit="percent", value=METRICS[block.primary](counts), keys=keys)
            rows.append((Entry(f"{record.cell.protocol.eval_at} score"), *shares, score))
    caption = joined(
        data_note(block),
        "Per cent of all pixels of the scored truth, compared with the label resized to the input"
        " by nearest neighbour, on which methods are trained.",
        f"Limit: {block.primary} of that label, the best a method can reach at this input size.",
    )
    names = ("Truth", "Changed", "To another class", "To void", "From void", "Limit")
    return Table("label_changes", "Labels under the protocol", caption, names, tuple(rows))


def change_shares(counts: Counts) -> tuple[float, float, float, float]:
    """Return the shares of pixels changed: in all, between classes, to void, from void.

    Args:
        counts: of labels resized by nearest neighbour, taken as the prediction.
    """
    void = counts.num_classes
    differs = counts.truth != counts.predicted
    to_void, from_void = counts.truth == void, counts.predicted == void
    between = differs & ~to_void & ~from_void
    kinds = (differs, between, differs & to_void, differs & from_void)
    shares = [counts.pixels[kind].sum() / counts.pixels.sum() for kind in kinds]
    return tuple(np.array(shares).tolist())
