"""Published and measured retention, one panel per corruption."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.core.schema import Condition
from bench.report.figures.style import INK, Plot, draw_panels, looks
from bench.report.published import SLUG, TITLE, Comparison
from bench.report.statistics import Block

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def published_plots(comparison: Comparison | None) -> Iterator[Plot]:
    """Draw the shares against the first parameter of each corruption."""
    if comparison is None:
        return
    top = _top(comparison)
    whole, panels = draw_panels(
        comparison.block.corruptions,
        lambda axis, name: _draw(axis, comparison, name, top),
        "% of clean",
        "parameter",
        legend=True,
    )
    caption = "Dashed: published, with bars for the error of reading."
    caption += f" {comparison.note()} Corrupted / clean against the corruption's first parameter."
    yield Plot(SLUG, TITLE, caption, whole, panels, keyed=True)


def _draw(axis: Axes, comparison: Comparison, corruption: str, top: float) -> None:
    block = comparison.block
    members = block.members(corruption)
    readings = [(c.severity, r) for c in members if (r := comparison.readings[c]) is not None]
    shares = [100 * reading.share for _, reading in readings]
    ends = [[100 * end for end in reading.extent] for _, reading in readings]
    off = [[share - low for share, (low, _) in zip(shares, ends, strict=True)],
           [high - share for share, (_, high) in zip(shares, ends, strict=True)]]  # fmt: skip
    severities = [severity for severity, _ in readings]
    axis.errorbar(severities, shares, off, fmt="--", color=INK, lw=1.4, label="published")
    for label, look in looks(block).items():
        points = [(c.severity, s) for c in members if (s := comparison.measured(label, c))]
        x, y = [severity for severity, _ in points], [100 * share.value for _, share in points]
        axis.plot(
            x, y, linestyle=look.dash, color=look.colour, marker=look.marker, ms=4, label=label
        )
    axis.set_title(corruption.replace("_", " "))
    axis.set_xticks([c.severity for c in members], [_first_value(block, c) for c in members])
    axis.set_ylim(0, top)
    axis.grid(visible=False, axis="x")


def _first_value(block: Block, condition: Condition) -> str:
    facts = block.facts(condition)
    return f"{facts.parameters[0][1]:g}" if facts else str(condition.severity)


def _top(comparison: Comparison) -> float:
    """Return the end of the panels' common axis: all shares, in per cent, and some air."""
    shares = [
        share.value
        for label in comparison.block.labels
        for condition in comparison.block.conditions
        if (share := comparison.measured(label, condition)) is not None
    ]
    return 105 * max([1.0, *shares])
