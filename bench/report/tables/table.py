"""One model of a table, and its Markdown and CSV forms.

Numbers are stored as fractions in full precision; per cent and rounding happen here.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from bench.score.significance import Decision, decide
from bench.score.stats import Estimate

Unit = Literal["text", "percent", "points", "count", "seconds", "p", "plain"]

_CSV_SUFFIX: dict[Unit, str] = {"percent": "_fraction", "points": "_fraction"}


class Entry(NamedTuple):
    """What stands in one place of a table: text, or a number with what it rests on."""

    text: str = ""
    unit: Unit = "text"
    value: float | None = None
    low: float | None = None
    high: float | None = None
    spread: float | None = None
    """Standard deviation over training seeds."""
    seeds: int = 1
    keys: tuple[str, ...] = ()
    """Cells that the number rests on."""
    decimals: int = 1
    """Of a number in per cent or points."""
    best: bool = False
    """Best of its group, and the paired test separates it from every other."""

    @property
    def number(self) -> str:
        """The rounded number, or the text where there is none."""
        if self.value is None or math.isnan(self.value):
            return self.text or "–"
        if self.unit in ("percent", "points"):
            return _rounded(100 * self.value, self.unit == "points", self.decimals)
        if self.unit == "p":
            return self.text or "–"
        if self.unit == "plain":
            return f"{self.value:.3g}"
        return f"{self.value:,.0f}" if self.unit == "count" else f"{self.value:,.1f}"

    @property
    def extent(self) -> str:
        """Spread over seeds and interval, as far as they are known."""
        if self.value is not None and math.isnan(self.value):
            return ""
        parts = []
        if self.spread is not None and not math.isnan(self.spread):
            parts.append(f"± {100 * self.spread:.1f}")
        if self.low is not None and self.high is not None and not math.isnan(self.low):
            signed = self.unit == "points"
            low, high = (
                _rounded(100 * end, signed, self.decimals) for end in (self.low, self.high)
            )
            parts.append(f"[{low}, {high}]")
        return " ".join(parts)

    @property
    def phrase(self) -> str:
        """The rounded number with its unit, as a sentence has it."""
        return self.number + {"percent": "%", "points": " points"}.get(self.unit, "")

    def __str__(self) -> str:
        return f"{self.number} {self.extent}".strip()


Sentence = tuple[str | Entry, ...]
"""Words and the numbers between them, which keep what they rest on."""


def plain(sentence: Sentence) -> str:
    """Write a sentence as text, with the intervals of its numbers."""
    return "".join(
        part if isinstance(part, str) else f"{part.phrase} {part.extent}".strip()
        for part in sentence
    )


def number(
    estimate: Estimate | None,
    unit: Unit = "percent",
    *,
    interval: bool = True,
    best: bool = False,
    missing: str = "not run",
    decimals: int = 1,
) -> Entry:
    """Make the entry of an estimate, or of one that does not exist.

    Intervals of differences are those by which they are decided (``bench.score.significance``).
    """
    if estimate is None:
        return Entry(text=missing, unit=unit)
    low, high = None, None
    if interval:
        decided = unit == "points" and estimate.draws.size > 1
        low, high = decide([estimate])[0].interval if decided else estimate.interval()
    spread, seeds = estimate.spread, len(estimate.by_seed)
    return Entry("", unit, estimate.value, low, high, spread, seeds, estimate.keys, decimals, best)


def p_value(decision: Decision, difference: Estimate) -> Entry:
    """Make the entry of a corrected p value; of one training each there is none."""
    value = None if math.isnan(decision.p) else decision.p
    return Entry(decision.p_text, "p", value, keys=difference.keys)


class Table(NamedTuple):
    """A table with its caption; every row has one entry per column."""

    slug: str
    title: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    tinted: bool = False
    """Whether the page shades its numbers by value."""

    def units(self) -> tuple[Unit, ...]:
        """Return the unit of each column, which its entries share."""
        columns = zip(*self.rows, strict=True) if self.rows else ((),) * len(self.columns)
        return tuple(next((entry.unit for entry in column), "text") for column in columns)

    def markdown(self) -> str:
        """Write a pipe table, numbers to the right, below its caption."""
        rule = ["---" if unit == "text" else "---:" for unit in self.units()]
        rows = [[_markdown(entry) for entry in row] for row in self.rows]
        head = [name.replace("|", "\\|") for name in self.columns]
        lines = [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]
        return "\n".join([f"**{self.title}.** {self.caption}", "", *lines, ""])

    def csv(self) -> str:
        """Write full precision, with fractions named so and one column per quantity."""
        columns = (
            [
                _csv_column(name, unit, entries)
                for name, unit, entries in zip(
                    self.columns, self.units(), zip(*self.rows, strict=True), strict=True
                )
            ]
            if self.rows
            else [{name: []} for name in self.columns]
        )
        flat = {name: values for column in columns for name, values in column.items()}
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(flat)
        writer.writerows(zip(*flat.values(), strict=True))
        return text.getvalue()


def _rounded(value: float, signed: bool, decimals: int) -> str:
    text = f"{value:{'+' if signed else ''}.{decimals}f}"
    return text[1:] if float(text) == 0 and text[0] in "+-" else text.replace("-", "−")


def _markdown(entry: Entry) -> str:
    text = entry.number.replace("|", "\\|").replace("\n", " ")
    return f"{f'**{text}**' if entry.best else text} {entry.extent}".strip()


def _csv_column(name: str, unit: Unit, entries: Sequence[Entry]) -> dict[str, list[object]]:
    name = name.removesuffix(" ↑").removesuffix(" ↓")
    if unit == "text":
        return {name: [entry.text for entry in entries]}
    is_number = [entry.value is not None for entry in entries]
    columns: dict[str, list[object]] = {
        name + _CSV_SUFFIX.get(unit, ""): [entry.value for entry in entries]
    }
    if any(entry.low is not None for entry in entries):
        columns[f"{name}_low"] = [entry.low for entry in entries]
        columns[f"{name}_high"] = [entry.high for entry in entries]
    if any(entry.seeds > 1 for entry in entries):
        columns[f"{name}_sd_over_seeds"] = [entry.spread for entry in entries]
    if not all(is_number):
        columns[f"{name}_status"] = [
            "ok" if numeric else entry.text
            for numeric, entry in zip(is_number, entries, strict=True)
        ]
    return columns
