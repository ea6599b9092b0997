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
from bench.core.schema import Record
from bench.report.block import Block
from bench.report.clean import missing
from bench.report.table import Entry, Sentence, Table, Unit, number
from bench.score.harmonic import harmonic_mean
from bench.score.lookup import score_of
from bench.score.metrics import METRICS
from bench.score.stats import Estimate, Interval, combine, mean_over_seeds
from bench.store.folders import SuiteFolder
from bench.suite.published_table import find_cell

SLUG = "paper"
COLUMNS_ABREAST = 2
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
        """Return one entry a heading of the column."""
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
    """A suite's results in the place of its paper's."""

    def __init__(self, folder: SuiteFolder, paper: PaperTable, blocks: Sequence[Block]) -> None:
        self.folder, self.paper, self.blocks = folder, paper, blocks
        self.manifest: Manifest = folder.manifest()
        self.numbers = load_reported(PAPERS)
        self.places = [[self._place(row, column) for column in paper.columns] for row in paper.rows]

    def _place(self, row: PaperRow, column: PaperColumn) -> PaperCell:
        reported = next(iter(find_cell(self.numbers, self.paper, row, column)), None)
        blocks = self._blocks(row, column)
        scores = [_score(block, row.method, column) for block in blocks]
        known = [score for score in scores if score is not None]
        if not known or len(known) < max(1, len(column.test_on)) or column.missing:
            return PaperCell(row, column, reported, None, self._why_not(row, column, blocks))
        measured = harmonic_mean(known) if len(known) > 1 else known[0]
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
            f"{name} is {wanted} there, {found} here"
            for record in used
            for name, wanted, found in (
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
            each.reason
            for each in self.manifest.unavailable
            if each.cell.label == row.method
            and (not column.test_on or str(each.cell.test_on) in column.test_on)
        )
        if reasons:
            return f"{Verdict.NOT_RUN}: {'; '.join(reasons)}"
        return "failed" if any(missing(b, row.method) == "failed" for b in blocks) else "not run"

    def tables(self) -> Iterator[Table]:
        """Make the published table, so many of its columns at a time."""
        columns = range(len(self.paper.columns))
        groups = [columns[at:][:COLUMNS_ABREAST] for at in columns[::COLUMNS_ABREAST]]
        for part, group in enumerate(groups, 1):
            slug = f"{SLUG}-{part}" if len(groups) > 1 else SLUG
            yield self._part(group, slug)

    def _part(self, group: Sequence[int], slug: str) -> Table:
        columns = [self.paper.columns[at] for at in group]
        names = [f"{column.name}: {what}" for column in columns for what in _headings(column)]
        trained = [_published_training(places) for places in self.places]
        facts = ("Published training",) if any(trained) else ()
        rows = tuple(
            (
                Entry(row.name),
                *(Entry(text or "–") for text in [told][: len(facts)]),
                *(entry for at in group for entry in places[at].entries()),
            )
            for row, places, told in zip(self.paper.rows, self.places, trained, strict=True)
        )
        headings = ("Method", *facts, *names)
        return Table(slug, self._title(columns), self._caption(columns), headings, rows)

    def _title(self, columns: Sequence[PaperColumn]) -> str:
        some = len(columns) < len(self.paper.columns)
        parts = f" ({', '.join(column.name for column in columns)})" if some else ""
        stand_in = f", {STAND_IN}" if self.manifest.stand_in else ""
        return f"{self.paper.title}{parts}, reported and measured{stand_in}"

    def _caption(self, columns: Sequence[PaperColumn]) -> str:
        told = [self.paper.caption]
        sources = dict.fromkeys(
            place.reported.row["source"] for row in self.places for place in row if place.reported
        )
        if sources:
            told.append(f"Reported: {'; '.join(sources)}.")
        if sources and any(not row.reported for row in self.paper.rows):
            told.append("Rows without a reported number are not in the paper.")
        measured = [p for row in self.places for p in row if p.measured is not None]
        used = {p.column.metric: None for p in measured if p.column in columns}
        told += [f"{metric}: {METRICS[metric].absent}." for metric in used if metric in METRICS]
        told += [f"{block.data_note}{block.interval_note}" for block in self.blocks if measured]
        if measured and not self.manifest.stand_in:
            told.append(_how_judged(self.paper.tolerance))
        return " ".join(told)

    def answer(self) -> Sentence:
        """Say how many numbers of the table there are, and what became of them."""
        places = [place for row in self.places for place in row if place.reported is not None]
        if not places:
            return (f"{self.paper.title}: none of its numbers was to be had from the publication.",)
        counts = Counter(place.verdict.partition(":")[0] for place in places)
        told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        return (f"{self.paper.title}: of {len(places)} reported numbers, {told}.",)


def needs_table(manifest: Manifest) -> Table:
    """List what a suite's cells need and did not find."""
    lacking = manifest.unavailable
    needs = dict.fromkeys(need for each in lacking for need in each.needs)
    rows = tuple(
        (
            Entry(need.what),
            Entry(unit="count", value=sum(need in each.needs for each in lacking)),
            Entry(need.remedy),
        )
        for need in needs
    )
    caption = "What cells of this suite need and did not find, and where it is to be had."
    return Table("needs", "What is missing", caption, ("Needed", "Cells", "Remedy"), rows)


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


def _published_training(places: Sequence[PaperCell]) -> str:
    """Return what a row's number was trained with, as printed: pretraining and iterations."""
    rows = [place.reported.row for place in places if place.reported is not None]
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
