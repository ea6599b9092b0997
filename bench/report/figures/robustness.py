"""Degradation curves, and the heat map of what each corruption leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.core.schema import CLEAN
from bench.report.captions import SHADED, data_note, joined
from bench.report.figures.style import Plot, draw_curve, draw_panels, inline_svg, looks
from bench.report.statistics import Block

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def robustness_plots(block: Block) -> Iterator[Plot]:
    """Draw what the block's corrupted images allow."""
    if block.conditions and block.learned:
        yield degradation(block)
        if _compared(block):
            yield heat_map(block)


def degradation(block: Block) -> Plot:
    """Draw the score against severity, one panel per corruption and one line per method."""
    top = _top(block)
    whole, panels = draw_panels(
        block.corruptions,
        lambda axis, name: _severities(axis, block, name, top),
        f"{block.primary} (%)",
        "severity",
        legend=True,
    )
    caption = joined(
        data_note(block),
        f"{block.primary} in per cent against severity; 0 is the clean image.",
        SHADED,
    )
    return Plot("degradation", "Degradation with severity", caption, whole, panels, keyed=True)


def _top(block: Block) -> float:
    clean = [score.value for label in block.labels if (score := block.score(label)) is not None]
    return min(1.0, 1.15 * max(clean, default=1.0))


def _severities(axis: Axes, block: Block, corruption: str, top: float) -> None:
    for label, look in looks(block).items():
        points = [
            (float(condition.severity), score)
            for condition in (CLEAN, *block.members(corruption))
            if (score := block.score(label, condition=condition)) is not None
        ]
        draw_curve(axis, look, label, points)
    axis.set_title(corruption.replace("_", " "))
    axis.set_ylim(0, 100 * top)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(visible=False, axis="x")


def _compared(block: Block) -> list[str]:
    """Return the methods with a clean score, without the floor if there are others."""
    return [label for label in block.learned or block.labels if block.score(label) is not None]


def heat_map(block: Block) -> Plot:
    """Draw the share of the clean score each method keeps under each corruption."""
    labels = _compared(block)
    shares = np.array([[_share(block, label, name) for label in labels]
                       for name in block.corruptions])  # fmt: skip
    figure = Figure(
        figsize=(1.8 + 0.95 * len(labels), 1.1 + 0.34 * len(block.corruptions)),
        layout="constrained",
    )
    axis = figure.subplots()
    sns.heatmap(
        shares, ax=axis, annot=True, fmt=".0f", cmap="mako", vmin=0, vmax=100, linewidths=0,
        cbar=False, xticklabels=[label.replace(" ", "\n") for label in labels],
        yticklabels=[name.replace("_", " ") for name in block.corruptions],
    )  # fmt: skip
    for row, column in np.argwhere(np.isnan(shares)):
        axis.text(column + 0.5, row + 0.5, "–", ha="center", va="center")
    axis.tick_params(axis="x", labelrotation=0, labeltop=True, labelbottom=False)
    axis.tick_params(axis="y", labelrotation=0)
    axis.grid(visible=False)
    without = block.floor in block.labels and block.floor not in labels
    caption = joined(
        data_note(block),
        f"{block.primary} averaged over severities as a share of the clean {block.primary}, in per"
        " cent; darker means more is lost.",
        f"Without {block.floor}, which does not look at the image." if without else "",
    )
    title = "Share of the clean score per corruption"
    return Plot("heat_map", title, caption, figure, (inline_svg(figure, title),))


def _share(block: Block, label: str, corruption: str) -> float:
    """Return in per cent what a method retains; NaN where a result is missing."""
    share = block.retained(label, corruption)
    return np.nan if share is None else 100 * share.value
