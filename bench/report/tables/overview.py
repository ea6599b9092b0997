"""Tables over all blocks of a suite: every test set, failed cells, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.core.manifest import Manifest
from bench.report.captions import BOLD, tested_on
from bench.report.statistics import Block
from bench.report.tables.table import Entry, Table, number
from bench.score.metrics import METRICS
from bench.score.significance import leaders

OVERVIEW = "overview"


def overview(blocks: Sequence[Block]) -> Table:
    """The clean score of every method on every test set."""
    primary = blocks[0].primary
    labels = tuple(dict.fromkeys(label for block in blocks for label in block.labels))
    columns = [[block.score(label) for label in labels] for block in blocks]
    best = leaders(columns)
    rows = [
        (
            Entry(label),
            *(
                number(scores[row], best=(column, row) in best, missing=block.missing(label))
                for column, (block, scores) in enumerate(zip(blocks, columns, strict=True))
            ),
        )
        for row, label in enumerate(labels)
    ]
    caption = f"Clean {primary} in per cent ({METRICS[primary].absent}). "
    sizes = (f"{tested_on(block)} {block.num_images}" for block in blocks)
    caption += f"Images: {', '.join(sizes)}. "
    caption += BOLD
    names = ("Method", *(f"{block.title} ↑" for block in blocks))
    return Table(OVERVIEW, "All test sets, clean", caption, names, tuple(rows))


def failures(blocks: Sequence[Block]) -> Iterator[Table]:
    """List every failed cell with its error, if there are any."""
    rows = tuple(
        (
            Entry(record.cell.label),
            Entry(str(record.cell.test_on)),
            Entry(str(record.cell.condition)),
            Entry(record.cell.task),
            Entry(str(record.cell.seed)),
            Entry(record.error),
        )
        for block in blocks
        for record in block.records
        if record.status == "failed"
    )
    caption = "Cells without a result, and why. Running the suite again retries them."
    names = ("Method", "Test set", "Condition", "Task", "Seed", "Error")
    if rows:
        yield Table("failures", "Failed cells", caption, names, rows)


def needs(manifest: Manifest) -> Iterator[Table]:
    """List what a suite's cells need and did not find, if there is anything."""
    lacking = manifest.unavailable
    rows = tuple(
        (
            Entry(need.what),
            Entry(unit="count", value=sum(need in cell.needs for cell in lacking)),
            Entry(need.remedy),
        )
        for need in dict.fromkeys(need for cell in lacking for need in cell.needs)
    )
    caption = "What cells of this suite need and did not find, and where to get it."
    if rows:
        yield Table("needs", "What is missing", caption, ("Needed", "Cells", "Remedy"), rows)
