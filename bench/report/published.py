"""What a publication's curves retain beside what was measured here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import matplotlib as mpl

from bench.claims.reported import PAPERS, Reported, load_reported
from bench.core.manifest import Published
from bench.core.schema import Condition
from bench.corruptions.entry import Corruption
from bench.report.block import Block, catalogued, is_generated
from bench.report.clean import missing
from bench.report.plots import INK, STYLE, Plot, draw_panels, looks
from bench.report.table import Entry, Table, number
from bench.score.metrics import METRICS
from bench.score.stats import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SLUG, TITLE = "published", "Published retention beside measured"


class PublishedReading(NamedTuple):
    """A published score under a corruption as a share of the same figure's clean score."""

    corrupted: Reported
    clean: Reported

    @property
    def share(self) -> float:
        """The quotient as read."""
        return self.corrupted.value / self.clean.value

    @property
    def extent(self) -> tuple[float, float]:
        """Its least and greatest value within what the two readings may be off."""
        off, clean_off = self.corrupted.plus_minus, self.clean.plus_minus
        least = (self.corrupted.value - off) / (self.clean.value + clean_off)
        return least, (self.corrupted.value + off) / (self.clean.value - clean_off)


def read_curve(
    condition: Condition, numbers: Sequence[Reported], selection: Published
) -> PublishedReading | None:
    """Find the point of a publication's curve that a condition stands for.

    The catalogue says which curve a corruption is made for; the point is the one whose
    value on the axis equals the parameter.

    Returns:
        None if the publication has no curve of the corruption, or no such point on it.
    """
    entry = catalogued(condition)
    if entry is None or entry.curve is None or entry.curve.paper != selection.paper:
        return None
    points = dict(_points(entry, numbers, selection))
    wanted = (entry.grid[condition.severity - 1][0] * entry.curve.scale, entry.curve.clean)
    found = [
        next((each for at, each in points.items() if math.isclose(at, place)), None)
        for place in wanted
    ]
    corrupted, clean = found
    return PublishedReading(corrupted, clean) if corrupted and clean else None


def _points(
    entry: Corruption, numbers: Sequence[Reported], selection: Published
) -> Iterator[tuple[float, Reported]]:
    """Yield the points of a corruption's curve: the value on the axis, and the number."""
    assert entry.curve is not None, "the caller has looked"
    chosen = (selection.paper, selection.method, selection.metric, entry.curve.name)
    for each in numbers:
        name, _, setting = each.row["setting"].partition(" ")
        if (each.paper, each.row["method"], each.row["metric"], name) == chosen:
            yield float(setting.partition("=")[2]), each


class Comparison:
    """A block's conditions with the publication's readings and the measured shares."""

    def __init__(self, block: Block, selection: Published) -> None:
        self.block = block
        self.selection = selection
        self.metric = block.first.protocol.metrics[0]
        numbers = load_reported(PAPERS)
        self.readings = {c: read_curve(c, numbers, selection) for c in block.conditions}

    def measured(self, label: str, condition: Condition) -> Estimate | None:
        """Return a method's score under a condition as a share of its clean score."""
        clean = self.block.score(label, self.metric)
        score = self.block.score(label, self.metric, condition)
        return None if clean is None or score is None else score / clean

    def table(self) -> Table:
        """List every condition with its published and its measured shares."""
        rows = tuple(
            (
                Entry(condition.corruption),
                Entry(_parameters(condition)),
                _published(self.readings[condition]),
                *(
                    number(self.measured(label, condition), missing=missing(self.block, label))
                    for label in self.block.labels
                ),
            )
            for condition in self.block.conditions
        )
        columns = ("Corruption", "Parameter", f"Published: {self.selection.method}")
        caption = f"{self._origin()} {self._measured_on()} Corrupted / clean in per cent."
        caption += " Brackets of published values: how far the reading of the two points may be"
        caption += f" off. {self.block.interval_note}"
        return Table(SLUG, TITLE, caption, (*columns, *self.block.labels), rows)

    def plot(self) -> Plot:
        """Draw the shares against the parameter, a panel a corruption."""
        whole, panels = draw_panels(self.block.corruptions, self._draw, "% of clean", legend=True)
        caption = f"Dashed: published, bars for the reading's error. {self._origin()}"
        caption += f" {self._measured_on()} Corrupted / clean against the corruption's first"
        return Plot(SLUG, TITLE, f"{caption} parameter.", whole, panels)

    def _draw(self, axis: Axes, corruption: str) -> None:
        members = [c for c in self.block.conditions if c.corruption == corruption]
        known = [(c.severity, r) for c in members if (r := self.readings[c]) is not None]
        shares = [100 * reading.share for _, reading in known]
        ends = [[100 * end for end in reading.extent] for _, reading in known]
        off = [[share - low for share, (low, _) in zip(shares, ends, strict=True)],
               [high - share for share, (_, high) in zip(shares, ends, strict=True)]]  # fmt: skip
        at = [severity for severity, _ in known]
        axis.errorbar(at, shares, off, fmt="--", color=INK, lw=1.4, label="published")
        for label, look in looks(self.block).items():
            found = [(c.severity, s) for c in members if (s := self.measured(label, c))]
            x, y = [at for at, _ in found], [100 * share.value for _, share in found]
            axis.plot(x, y, look.dash, color=look.colour, marker=look.marker, ms=4, label=label)
        axis.set_title(corruption.replace("_", " "))
        axis.set_xticks([c.severity for c in members], [_first_value(c) for c in members])
        axis.set_ylim(0, self._top())
        axis.grid(visible=False, axis="x")

    def _top(self) -> float:
        """Return the end of the panels' common axis: all shares, in per cent, and some air."""
        known = [
            share.value
            for label in self.block.labels
            for condition in self.block.conditions
            if (share := self.measured(label, condition)) is not None
        ]
        return 105 * max([1.0, *known])

    def _origin(self) -> str:
        """Say where the published numbers stand."""
        rows = [reading.corrupted.row for reading in self.readings.values() if reading]
        selection = self.selection
        if not rows:
            return f"{selection.paper} has no {selection.metric} under these conditions."
        figures = ", ".join(dict.fromkeys(row["table"] for row in rows))
        first = rows[0]
        return (
            f"Published: {selection.metric} of {selection.method} ({selection.paper}) on"
            f" {first['dataset']} {first['split']}, {first['origin']} from {first['source']},"
            f" {figures}."
        )

    def _measured_on(self) -> str:
        """Say which data and score the measured numbers are of."""
        metric = METRICS[self.metric]
        note = f"Measured: {self.metric} ({metric.definition}; {metric.absent})."
        note += f" {self.block.data_note}".rstrip()
        if is_generated(self.block.first.test_on):
            note += " These data are a stand-in: only the shapes of the curves compare."
        return note


def make_comparison(block: Block) -> Comparison | None:
    """Compare a block of corrupted images with the publication its suite names, if any."""
    if block.published is None or not block.conditions:
        return None
    return Comparison(block, block.published)


def comparison_plots(comparison: Comparison | None) -> Iterator[Plot]:
    """Draw a comparison, in the style of all plots."""
    if comparison is not None:
        with mpl.rc_context(STYLE):
            yield comparison.plot()


def _published(reading: PublishedReading | None) -> Entry:
    if reading is None:
        return Entry("not published", "percent")
    low, high = reading.extent
    return Entry("", "percent", reading.share, low, high)


def _parameters(condition: Condition) -> str:
    entry = catalogued(condition)
    return entry.describe(condition.severity) if entry else str(condition.severity)


def _first_value(condition: Condition) -> str:
    entry = catalogued(condition)
    return f"{entry.grid[condition.severity - 1][0]:g}" if entry else str(condition.severity)
