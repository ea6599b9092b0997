"""Rate against distortion, and what perturbed latents cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from bench.core.schema import CLEAN, Condition
from bench.corruptions.latents import CATALOGUE
from bench.report.block import PRIMARY, Block
from bench.report.codecs import RATE
from bench.report.plots import STYLE, Plot, draw_panels, inline_svg, looks
from bench.score.metrics import METRICS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def codec_plots(block: Block) -> Iterator[Plot]:
    """Draw what the block's reconstructions allow; codecs of one rate make no curve."""
    rates = {record.measured[RATE] for record in block.finished if RATE in record.measured}
    with mpl.rc_context(STYLE):
        if len(rates) > 1:
            yield rate_distortion(block)
        if perturbed(block):
            yield latents(block)


def perturbed(block: Block) -> tuple[Condition, ...]:
    """Return the conditions under which latents were perturbed."""
    cells = [record.cell for record in block.finished if record.cell.task == "reconstruct"]
    return tuple(dict.fromkeys(c.condition for c in cells if c.condition != CLEAN))


def rate_distortion(block: Block) -> Plot:
    """Draw the score against the rate: a point a codec and seed.

    What loses nothing would leave the others no room on the axis: its rate is a line.
    """
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axis = figure.subplots()
    lossless: list[str] = []
    for label, look in looks(block).items():
        cells = [r for r in block.of(label, task="reconstruct") if RATE in r.measured]
        rates = [record.measured[RATE] for record in cells]
        scores = [METRICS[PRIMARY](block.counts(record.key)) for record in cells]
        if scores and min(scores) == 1:
            axis.axvline(rates[0], color=look.colour, linestyle=":", label=label)
            lossless.append(label)
            continue
        axis.plot(
            rates,
            [100 * score for score in scores],
            look.marker or ".",
            color=look.colour,
            markersize=5,
            alpha=0.8,
            label=label,
        )
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlabel("rate (bits per pixel)")
    axis.set_ylabel(f"{PRIMARY} (%)")
    panel = inline_svg(figure)  # beside which the page has the looks
    axis.legend(fontsize=8, ncols=2)
    caption = f"{block.data_note}{PRIMARY} of the truth after encoding and decoding against the"
    caption += " rate of the latents; one point a codec and seed. Up and left is better."
    if lossless:
        caption += f" Dotted: the rate of what loses nothing ({', '.join(lossless)})."
    return Plot("rate", "Rate and distortion", caption, figure, (panel,))


def latents(block: Block) -> Plot:
    """Draw the score against the strength of a perturbation, a panel each."""
    names = list(dict.fromkeys(condition.corruption for condition in perturbed(block)))
    whole, panels = draw_panels(
        names, lambda axis, name: _curve(axis, block, name), f"{PRIMARY} (%)", legend=True
    )
    what = "; ".join(
        f"{name.replace('_', ' ')}: {CATALOGUE[name].summary}, strength in"
        f" {CATALOGUE[name].parameter}"
        for name in names
    )
    caption = f"{block.data_note}{PRIMARY} of reconstructions from perturbed latents. {what}."
    caption += " Shaded: 95% interval."
    return Plot("latents", "What perturbed latents cost", caption, whole, panels)


def _curve(axis: Axes, block: Block, name: str) -> None:
    conditions = [c for c in perturbed(block) if c.corruption == name]
    for label, look in looks(block).items():
        points = [
            (0.0 if c == CLEAN else CATALOGUE[name].grid[c.severity - 1], score)
            for c in (CLEAN, *conditions)
            if (score := block.score(label, condition=c, task="reconstruct")) is not None
        ]
        if len(points) < 2:
            continue
        strengths = [strength for strength, _ in points]
        bounds = np.array([score.interval() for _, score in points])
        low, high = 100 * bounds.T
        axis.fill_between(strengths, low, high, color=look.colour, alpha=0.14, lw=0)
        axis.plot(
            strengths,
            [100 * score.value for _, score in points],
            look.dash,
            color=look.colour,
            marker=look.marker,
            markersize=4,
            lw=1.6,
            label=label,
        )
    axis.set_title(name.replace("_", " "))
    axis.set_ylim(0, 100)
