"""The published table that a suite repeats: each number reported, measured and judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bench.claims.comparable import differences, flatten, training_differences
from bench.claims.reported import PAPERS, Reported, load_reported
from bench.claims.verdict import Verdict, training_interval, weigh
from bench.core.manifest import Manifest, PaperColumn, PaperRow, PaperTable
from bench.core.record import Record
from bench.report.captions import data_note, interval_note, joined
from bench.report.statistics import Block
from bench.report.tables.table import Entry, Sentence, Table, Unit, number
from bench.score.harmonic import harmonic_mean
from bench.score.lookup import score_of
from bench.score.metrics import METRICS
from bench.score.stats import Estimate, Interval, combine, mean_over_seeds
from bench.store.folders import SuiteFolder
from bench.suite.published_table import find_cell

SLUG = "paper"
COLUMNS_PER_TABLE = 2
"""Columns of the paper in one of our tables, where each has four."""
STAND_IN = "stand-in"


class PaperCell(NamedTuple):
    """One number of the published table."""

    row: PaperRow
    column: PaperColumn
    reported: Reported | None
    measured: Estimate | None
    verdict: str

    @property
    def difference(self) -> Estimate | None:
        """Measured less reported, unless something stands in for what was reported."""
        if self.reported is None or self.measured is None or self.verdict == STAND_IN:
            return None
        return _less(self.measured, self.reported.value)

    @property
    def decimals(self) -> int:
        """Digits after the point, as printed."""
        return len(self.reported.row["value"].partition(".")[2]) if self.reported else 1

    def entries(self) -> tuple[Entry, ...]:
        """Return one entry per heading of the column."""
        digits = self.decimals
        if self.column.missing:
            printed = _printed(self.reported)
            return (printed, Entry(self.verdict))
        return (
            _printed(self.reported),
            number(self.measured, missing="–", decimals=digits),
            number(self.difference, "points", missing="–", decimals=digits),
            Entry(self.verdict),
        )


class PaperReport:
    """A suite's results beside those of its paper."""

    def __init__(self, folder: SuiteFolder, paper: PaperTable, blocks: Sequence[Block]) -> None:
        self.folder, self.paper, self.blocks = folder, paper, blocks
        self.manifest: Manifest = folder.manifest()
        self.numbers = load_reported(PAPERS)
        self.paper_cells = [
            [self._paper_cell(row, column) for column in paper.columns] for row in paper.rows
        ]

    def _paper_cell(self, row: PaperRow, column: PaperColumn) -> PaperCell:
        reported = next(iter(find_cell(self.numbers, self.paper, row, column)), None)
        blocks = self._blocks(row, column)
        scores = [_score(block, row.method, column) for block in blocks]
        finished = [score for score in scores if score is not None]
        if len(finished) < max(1, len(column.test_on)) or column.missing:
            return PaperCell(row, column, reported, None, self._why_not(row, column, blocks))
        measured = harmonic_mean(finished) if len(finished) > 1 else finished[0]
        if self.manifest.stand_in:
            verdict = STAND_IN
        elif reported is None:
            verdict = "not published"
        else:
            cells = [record for block in blocks for record in block.finished]
            used = [record for record in cells if record.key in measured.keys]
            verdict = self._verdict(row, reported, measured, used)
        return PaperCell(row, column, reported, measured, verdict)

    def _blocks(self, row: PaperRow, column: PaperColumn) -> list[Block]:
        """Return the blocks of a column's test sets in which the method is."""
        wanted = column.test_on or tuple(str(block.first.test_on) for block in self.blocks[:1])
        having = {str(b.first.test_on): b for b in reversed(self.blocks) if row.method in b.labels}
        return [having[name] for name in wanted if name in having]

    def _verdict(
        self, row: PaperRow, reported: Reported, measured: Estimate, used: Sequence[Record]
    ) -> str:
        assert row.training is not None, "a reported row that a method repeats says its training"
        protocol = {**self.paper.protocol, "limit": None}
        differing = dict.fromkeys(
            f"{field} is {wanted} there, {here} here"
            for record in used
            for field, wanted, here in (
                *differences(flatten(record), protocol),
                *training_differences(record, row.training, {}),
            )
        )
        if differing:
            return f"{Verdict.NOT_COMPARABLE}: {'; '.join(differing)}"
        low, high = training_interval(measured.by_seed or (measured.value,), further_runs=1)
        margins = (
            Interval(low - reported.value, high - reported.value),
            Interval(reported.value - high, reported.value - low),
        )
        return weigh(margins, self.paper.tolerance + reported.plus_minus)

    def _why_not(self, row: PaperRow, column: PaperColumn, blocks: Sequence[Block]) -> str:
        if not row.method and not find_cell(self.numbers, self.paper, row, column):
            return "not in the paper"
        if not row.method or column.missing:
            return f"{Verdict.NOT_RUN}: {column.missing if row.method else row.missing}"
        reasons = dict.fromkeys(
            lacking.reason
            for lacking in self.manifest.unavailable
            if lacking.cell.label == row.method
            and (not column.test_on or str(lacking.cell.test_on) in column.test_on)
        )
        if reasons:
            return f"{Verdict.NOT_RUN}: {'; '.join(reasons)}"
        return "failed" if any(b.missing(row.method) == "failed" for b in blocks) else "not run"

    def tables(self) -> Iterator[Table]:
        """Make the published table, a few of its columns at a time."""
        columns = range(len(self.paper.columns))
        groups = [columns[start:][:COLUMNS_PER_TABLE] for start in columns[::COLUMNS_PER_TABLE]]
        for part, group in enumerate(groups, 1):
            slug = f"{SLUG}-{part}" if len(groups) > 1 else SLUG
            yield self._part(group, slug)

    def _part(self, group: Sequence[int], slug: str) -> Table:
        columns = [self.paper.columns[index] for index in group]
        names = [f"{column.name}: {what}" for column in columns for what in _headings(column)]
        trained = [_published_training(paper_cells) for paper_cells in self.paper_cells]
        facts = ("Published training",) if any(trained) else ()
        rows = tuple(
            (
                Entry(row.name),
                *(Entry(text or "–") for text in [published][: len(facts)]),
                *(entry for index in group for entry in paper_cells[index].entries()),
            )
            for row, paper_cells, published in zip(
                self.paper.rows, self.paper_cells, trained, strict=True
            )
        )
        headings = ("Method", *facts, *names)
        return Table(slug, self._title(columns), self._caption(columns), headings, rows)

    def _title(self, columns: Sequence[PaperColumn]) -> str:
        some = len(columns) < len(self.paper.columns)
        parts = f" ({', '.join(column.name for column in columns)})" if some else ""
        stand_in = f", {STAND_IN}" if self.manifest.stand_in else ""
        return f"{self.paper.title}{parts}, reported and measured{stand_in}"

    def _caption(self, columns: Sequence[PaperColumn]) -> str:
        notes = [self.paper.caption]
        sources = dict.fromkeys(
            paper_cell.reported.row["source"]
            for row in self.paper_cells
            for paper_cell in row
            if paper_cell.reported
        )
        if sources:
            notes.append(f"Reported: {'; '.join(sources)}.")
        if sources and any(not row.reported for row in self.paper.rows):
            notes.append("Rows without a reported number are not in the paper.")
        measured = [p for row in self.paper_cells for p in row if p.measured is not None]
        used = {p.column.metric: None for p in measured if p.column in columns}
        notes += [f"{m}: {METRICS[m].absent}." for m in used if m in METRICS]
        notes += [f"{data_note(block)} {interval_note(block)}" for block in self.blocks if measured]
        if measured and not self.manifest.stand_in:
            notes.append(_how_judged(self.paper.tolerance))
        return joined(*notes)

    @property
    def _verdicts(self) -> Counter[str]:
        """How often each verdict is on a reported number."""
        return Counter(
            paper_cell.verdict.partition(":")[0]
            for row in self.paper_cells
            for paper_cell in row
            if paper_cell.reported is not None
        )

    @property
    def outcome(self) -> bool | None:
        """Whether the reported numbers hold; None while that is undecided.

        They do not where one is refuted, and do where every measured one is reproduced.
        """
        counts = self._verdicts
        if counts[Verdict.REFUTED]:
            return False
        judged = {Verdict.REPRODUCED, Verdict.NOT_RUN, Verdict.NOT_COMPARABLE}
        return True if counts[Verdict.REPRODUCED] and set(counts) <= judged else None

    def answer(self) -> Sentence:
        """Say how many numbers of the table there are, and what became of them."""
        counts = self._verdicts
        if not counts:
            return (f"{self.paper.title}: the publication gives none of its numbers.",)
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        return (f"{self.paper.title}: of {counts.total()} reported numbers, {verdicts}.",)


def _score(block: Block, label: str, column: PaperColumn) -> Estimate | None:
    """Score a method as a column asks; of single classes, and of instances, without resamples."""
    if not column.classes and column.metric in METRICS:
        return block.score(label, column.metric, column.condition, column.task)
    records = block.of(label, column.condition, column.task)
    estimates = []
    for record in records:
        classes = [record.classes.index(name) for name in column.classes]
        score = score_of(column.metric, block.counts(record.key), classes)
        estimates.append(Estimate(score, np.empty(0), (record.key,)))
    seeds = [record.cell.seed for record in records]
    return mean_over_seeds(estimates, seeds) if estimates else None


def _headings(column: PaperColumn) -> tuple[str, ...]:
    if column.missing:
        return ("reported", "verdict")
    return ("reported", "measured", "difference", "verdict")


def _published_training(paper_cells: Sequence[PaperCell]) -> str:
    """Return what a row's number was trained with, as printed: pretraining and iterations."""
    rows = [each.reported.row for each in paper_cells if each.reported is not None]
    return next((row["training"] for row in rows if row["training"]), "")


def _less(estimate: Estimate, constant: float) -> Estimate:
    return combine(lambda value: value - constant, [estimate])


def _printed(reported: Reported | None) -> Entry:
    """Return a reported number as it is printed."""
    if reported is None:
        return Entry("–", "percent")
    unit: Unit = "percent" if reported.row["unit"] == "percent" else "text"
    if unit == "percent" and reported.row["relation"] == "=":
        decimals = len(reported.row["value"].partition(".")[2])
        return Entry("", unit, reported.value, decimals=decimals)
    sign = {"=": "", "<=": "≤ ", "~": "about "}[reported.row["relation"]]
    return Entry(f"{sign}{reported.row['value']}", unit)


def _how_judged(tolerance: float) -> str:
    return (
        "Difference: measured − reported, in percentage points. Reported numbers are of the same"
        f" images, so that training alone decides. {Verdict.REPRODUCED}: its interval over"
        f" training seeds, of one more training, lies within ±{100 * tolerance:g} points and the"
        f" rounding of the print; {Verdict.REFUTED}: wholly outside; {Verdict.WITHIN_NOISE}:"
        " neither. With one seed the tolerance alone stands for the variance of training."
    )
