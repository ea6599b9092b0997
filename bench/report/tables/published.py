"""The table of published and measured retention."""

from __future__ import annotations

from collections.abc import Iterator

from bench.core.schema import Condition
from bench.report.captions import interval_note, joined
from bench.report.published import SLUG, TITLE, Comparison, PublishedReading
from bench.report.statistics import Block
from bench.report.tables.table import Entry, Table, number


def published_tables(comparison: Comparison | None) -> Iterator[Table]:
    """List every condition with its published and its measured shares."""
    if comparison is None:
        return
    block = comparison.block
    rows = tuple(
        (
            Entry(condition.corruption),
            Entry(_parameters(block, condition)),
            _published(comparison.readings[condition]),
            *(
                number(comparison.measured(label, condition), missing=block.missing(label))
                for label in block.labels
            ),
        )
        for condition in block.conditions
    )
    columns = ("Corruption", "Parameter", f"Published: {comparison.selection.method}")
    caption = joined(
        comparison.note(),
        "Corrupted / clean in per cent. Brackets of published values: the error of reading two"
        " points off the figure.",
        interval_note(block),
    )
    yield Table(SLUG, TITLE, caption, (*columns, *block.labels), rows)


def _published(reading: PublishedReading | None) -> Entry:
    if reading is None:
        return Entry("not published", "percent")
    low, high = reading.extent
    return Entry("", "percent", reading.share, low, high)


def _parameters(block: Block, condition: Condition) -> str:
    facts = block.facts(condition)
    if facts is None:
        return str(condition.severity)
    return "; ".join(f"{name}: {value:g}" for name, value in facts.parameters)
