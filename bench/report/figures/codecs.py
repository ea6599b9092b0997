"""Rate against distortion, and scores under perturbed latents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from bench.core.schema import CLEAN, Condition
from bench.report.captions import SHADED, data_note, joined
from bench.report.contrasts import RATE
from bench.report.figures.style import Plot, draw_curve, draw_panels, inline_svg, looks
from bench.report.statistics import Block
from bench.score.metrics import METRICS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def codec_plots(block: Block) -> Iterator[Plot]:
    """Draw what the block's reconstructions allow; codecs of one rate make no curve."""
    rates = {record.measured[RATE] for record in block.finished if RATE in record.measured}
    if len(rates) > 1:
        yield rate_distortion(block)
    if block.perturbations:
        yield latents(block)


def rate_distortion(block: Block) -> Plot:
    """Draw the score against the rate: one point per codec and seed.

    A codec without loss would leave the others no room on the axis: its rate is a line.
    """
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axis = figure.subplots()
    lossless: list[str] = []
    for label, look in looks(block).items():
        cells = [r for r in block.of(label, task="reconstruct") if RATE in r.measured]
        rates = [record.measured[RATE] for record in cells]
        scores = [METRICS[block.primary](block.counts(record.key)) for record in cells]
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
    axis.set_ylabel(f"{block.primary} (%)")
    panel = inline_svg(figure, "Rate and distortion")  # beside which the page has the looks
    axis.legend(fontsize=8, ncols=2)
    caption = joined(
        data_note(block),
        f"{block.primary} of the truth after encoding and decoding, against the rate of the"
        " latents; one point per codec and seed. Up and left is better.",
        f"Dotted: the rate of a codec without loss ({', '.join(lossless)})." if lossless else "",
    )
    return Plot("rate", "Rate and distortion", caption, figure, (panel,), keyed=True)


def latents(block: Block) -> Plot:
    """Draw the score against the strength of a perturbation, one panel each."""
    members: dict[str, list[Condition]] = {}
    for condition in block.perturbations:
        members.setdefault(condition.corruption, []).append(condition)
    whole, panels = draw_panels(
        list(members),
        lambda axis, name: _strengths(axis, block, name, members[name]),
        f"{block.primary} (%)",
        "strength",
        legend=True,
    )
    caption = joined(
        data_note(block),
        f"{block.primary} of reconstructions from perturbed latents.",
        *(_explained(block, conditions[0]) for conditions in members.values()),
        SHADED,
    )
    title = "Scores under perturbed latents"
    return Plot("latents", title, caption, whole, panels, keyed=True)


def _explained(block: Block, condition: Condition) -> str:
    """Say what a perturbation is and in what its strength is given."""
    facts = block.facts(condition)
    if facts is None:
        return ""
    name = condition.corruption.replace("_", " ").capitalize()
    return f"{name}: {facts.summary}, strength in {facts.parameters[0][0]}."


def _strength(block: Block, condition: Condition) -> float:
    """Return the first parameter; the severity where the records do not say it."""
    facts = block.facts(condition)
    return facts.parameters[0][1] if facts else float(condition.severity)


def _strengths(axis: Axes, block: Block, name: str, conditions: list[Condition]) -> None:
    for label, look in looks(block).items():
        points = [
            (_strength(block, condition), score)
            for condition in (CLEAN, *conditions)
            if (score := block.score(label, condition=condition, task="reconstruct")) is not None
        ]
        if len(points) > 1:
            draw_curve(axis, look, label, points)
    axis.set_title(name.replace("_", " "))
    axis.set_ylim(0, 100)
