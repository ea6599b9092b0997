"""The declared differences under every score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bench.core.manifest import Contrast
from bench.report.captions import HOLM, absent_note, data_note, interval_note, joined
from bench.report.contrasts import Compared, compare, contrasts_of
from bench.report.statistics import Block
from bench.report.tables.table import Entry, Table, number, p_value
from bench.score.significance import Decision, decide

FURTHER = ("boundary_IoU", "mIoU_small", "mIoU_medium", "mIoU_large")
"""Scores beside the suite's own, where the counts hold them."""


class Line(NamedTuple):
    """A contrast under one metric."""

    name: str
    metric: str
    compared: Compared | str
    """Or why it has no score."""


def contrast_tables(block: Block) -> Iterator[Table]:
    """Yield the table if the suite declares contrasts of which anything is stored."""
    lines = [line for contrast in contrasts_of(block) for line in contrast_lines(block, contrast)]
    if lines:
        yield contrast_table(block, lines)


def contrast_lines(block: Block, contrast: Contrast) -> Iterator[Line]:
    """Score a contrast under every metric whose counts are stored."""
    own = contrast.metric or block.primary
    metrics = (own, *block.metrics, *FURTHER) if contrast.measure == "clean" else (own,)
    firsts, seconds = contrast.sides(block.families)
    for metric in dict.fromkeys(metrics):
        labels = (*firsts, *seconds)
        if all(block.is_stored(label, metric) for label in labels):
            yield Line(contrast.name, metric, compare(block, contrast, metric))


def contrast_table(block: Block, lines: Sequence[Line]) -> Table:
    """The declared differences, in points and relative."""
    decisions = iter(
        decide([line.compared.difference for line in lines if isinstance(line.compared, Compared)])
    )
    rows = [
        _without_score(line, line.compared)
        if isinstance(line.compared, str)
        else _scored(line, line.compared, next(decisions))
        for line in lines
    ]
    pairs = "; ".join(
        f"{contrast.name}: {contrast.first_name} minus {contrast.second}"
        + (", interpolated to its rate" if contrast.is_interpolated else "")
        for contrast in contrasts_of(block)
    )
    caption = joined(
        data_note(block),
        f"{pairs}.",
        absent_note(*dict.fromkeys(line.metric for line in lines)),
        "Difference in percentage points; relative: as a share of the first.",
        interval_note(block),
        HOLM,
        "Declared in the suite before the run." if block.contrasts else "",
        "The verdict corrects over the contrasts of the suite alone, this table over all its rows.",
    )
    columns = ("Contrast", "Score", "First", "Second", "Difference", "Relative", "p")
    return Table("contrasts", "Declared contrasts", caption, columns, tuple(rows))


def _scored(line: Line, compared: Compared, decision: Decision) -> tuple[Entry, ...]:
    difference = compared.difference
    return (
        Entry(line.name),
        Entry(line.metric),
        number(compared.first, interval=False),
        number(compared.second, interval=False),
        number(difference, "points"),
        number(compared.relative),
        p_value(decision, difference),
    )


def _without_score(line: Line, why: str) -> tuple[Entry, ...]:
    blank, points = number(None, missing="–"), number(None, "points", missing="–")
    head = (Entry(f"{line.name}: {why}"), Entry(line.metric))
    return (*head, blank, blank, points, blank, Entry("–", "p"))
