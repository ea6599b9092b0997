"""The table of segments: panoptic quality, instance AP and the primary score of one pass."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.report.captions import absent_note, data_note, interval_note, joined
from bench.report.statistics import Block
from bench.report.tables.table import Entry, Table, number
from bench.score.lookup import PRECISIONS

_SCORES = ("PQ", "SQ", "RQ", "PQ_things", "PQ_stuff")


def panoptic_tables(block: Block) -> Iterator[Table]:
    """Yield the table if the suite's protocol counts segments."""
    if not block.first.protocol.segments:
        return
    metrics = tuple(dict.fromkeys((block.primary, *_SCORES)))
    rows = [
        (
            Entry(label),
            *(number(block.score(label, m), missing=block.missing(label)) for m in metrics),
            *_precision(block, label),
        )
        for label in block.labels
    ]
    caption = joined(
        data_note(block),
        "All scores are of one pass.",
        absent_note(*metrics),
        "For methods that predict no instances, connected components take their place, all with"
        " the same confidence.",
        interval_note(block),
        "AP is no sum over images, so it has no interval. AP_cityscapes asks for no object below"
        " 100 pixels, and leaves out predictions on void or on groups without a number.",
    )
    names = ("Method", *(f"{name} ↑" for name in (*metrics, *PRECISIONS)))
    yield Table("panoptic", "Panoptic quality and instances", caption, names, tuple(rows))


def _precision(block: Block, label: str) -> tuple[Entry, ...]:
    """Return the kinds of AP, averaged over the cells of all seeds."""
    records = block.of(label)
    precisions = [block.folder.counts(record.key).precision for record in records]
    keys = tuple(record.key for record in records)
    stored = [each for each in precisions if each is not None and len(each) == len(PRECISIONS)]
    if not stored:
        return (Entry(block.missing(label), "percent"),) * len(PRECISIONS)
    return tuple(Entry("", "percent", float(v), keys=keys) for v in np.mean(stored, axis=0))
