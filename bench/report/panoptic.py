"""The table of segments: panoptic quality, instance AP and semantic mIoU of one pass."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.report.block import PRIMARY, Block
from bench.report.clean import absent_note, missing
from bench.report.table import Entry, Table, number
from bench.score.lookup import PRECISIONS

_SCORES = ("PQ", "SQ", "RQ", "PQ_things", "PQ_stuff")


def panoptic_tables(block: Block) -> Iterator[Table]:
    """Yield the table if the suite's protocol counts segments."""
    if not block.first.protocol.segments:
        return
    rows = [
        (
            Entry(label),
            *(
                number(block.score(label, name), missing=missing(block, label))
                for name in (PRIMARY, *_SCORES)
            ),
            *_precision(block, label),
        )
        for label in block.labels
    ]
    caption = f"{block.data_note}All of one pass. {absent_note(PRIMARY, *_SCORES)}"
    caption += " Methods that tell no instances have connected components in their place, all"
    caption += f" of one rank. {block.interval_note} AP is no sum over images: it has none."
    caption += " AP_cityscapes asks for no object below 100 pixels, and leaves out what lies on"
    caption += " void or on unnumbered groups."
    names = ("Method", *(f"{name} ↑" for name in (PRIMARY, *_SCORES, *PRECISIONS)))
    yield Table("panoptic", "Panoptic quality and instances", caption, names, tuple(rows))


def _precision(block: Block, label: str) -> tuple[Entry, ...]:
    """Return the kinds of AP, averaged over the cells of all seeds."""
    records = block.of(label)
    found = [block.folder.counts(record.key).precision for record in records]
    keys = tuple(record.key for record in records)
    whole = [each for each in found if each is not None and len(each) == len(PRECISIONS)]
    if not whole:
        return (Entry(missing(block, label), "percent"),) * len(PRECISIONS)
    return tuple(Entry("", "percent", float(value), keys=keys) for value in np.mean(whole, axis=0))
