"""All methods at a glance: the clean score and mPC of each, with intervals."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.figure import Figure

from bench.report.captions import data_note, interval_note, joined
from bench.report.figures.style import Plot, inline_svg, looks
from bench.report.statistics import Block
from bench.report.tables.leaderboard import family_of
from bench.score.stats import Estimate

TITLE = "Clean score and mPC"


def glance_plots(block: Block) -> Iterator[Plot]:
    """Draw the figure where images were corrupted."""
    if block.conditions and block.learned:
        yield glance(block)


def glance(block: Block) -> Plot:
    """Draw a line per method, the highest clean score on top: filled clean, hollow corrupted."""
    scores = {label: score for label in block.labels if (score := block.score(label)) is not None}
    order = sorted(scores, key=lambda label: scores[label].value)
    figure = Figure(figsize=(6.4, 0.7 + 0.27 * len(order)), layout="constrained")
    axis = figure.subplots()
    styles = looks(block)
    for row, label in enumerate(order):
        look = styles[label]
        marker = look.marker or "|"
        for estimate, face in ((scores[label], look.colour), (block.mpc(label), "none")):
            if estimate is not None:
                low, high = _ends(estimate)
                axis.plot([low, high], [row, row], color=look.colour, lw=1.4, alpha=0.7)
                axis.plot(100 * estimate.value, row, marker, color=look.colour, mfc=face, ms=6)
    axis.set_yticks(range(len(order)), [f"{label} ({family_of(block, label)})" for label in order])
    axis.set_xlabel(f"{block.primary} (%): filled clean, hollow mPC")
    axis.set_xlim(left=0)
    axis.set_ylim(-0.6, len(order) - 0.4)
    axis.grid(visible=False, axis="y")
    caption = joined(
        data_note(block),
        f"Filled: clean {block.primary}. Hollow: mPC, its mean over {len(block.corruptions)}"
        " corruptions.",
        interval_note(block),
    )
    return Plot("glance", TITLE, caption, figure, (inline_svg(figure, TITLE),))


def _ends(estimate: Estimate) -> tuple[float, float]:
    low, high = estimate.interval()
    return 100 * low, 100 * high
