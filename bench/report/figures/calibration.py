"""Reliability: how often what a method is so sure of is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench.core.schema import CLEAN, Condition
from bench.report.captions import data_note, joined
from bench.report.figures.style import FLOOR_COLOUR, Plot, draw_panels, looks
from bench.report.statistics import Block
from bench.report.tables.uncertainty import calibrated
from bench.score.calibration import BINS, reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST = 0.001
"""Share of the pixels that a bin needs to be drawn: accuracy of a few pixels is noise."""


def calibration_plots(block: Block) -> Iterator[Plot]:
    """Draw the plot if a method has probabilities."""
    panels: dict[str, Sequence[Condition]] = {"clean": (CLEAN,)}
    if block.conditions:
        panels["corrupted"] = block.conditions
    sums = {name: _sums(block, conditions) for name, conditions in panels.items()}
    if sums["clean"]:
        yield _reliability(block, {name: each for name, each in sums.items() if each})


def _sums(block: Block, conditions: Sequence[Condition]) -> dict[str, np.ndarray]:
    found = {label: calibrated(block, label, conditions) for label in looks(block)}
    return {label: sums for label, sums in found.items() if sums is not None}


def _reliability(block: Block, sums: Mapping[str, Mapping[str, np.ndarray]]) -> Plot:
    """Draw accuracy against confidence, one line per method."""
    whole, panels = draw_panels(
        tuple(sums),
        lambda axis, name: _lines(axis, block, name, sums[name]),
        "Accuracy (%)",
        legend=True,
    )
    corrupted = f"Corrupted: pixels of all {len(block.conditions)} conditions together."
    caption = joined(
        data_note(block),
        "Share of right pixels among those predicted with a confidence, both in per cent, in"
        f" {BINS} bins; bins of less than {LEAST:.1%} of the pixels are left out. On the diagonal"
        " probabilities are frequencies; below it a method is overconfident.",
        corrupted if "corrupted" in sums else "",
        "Methods without class probabilities are left out.",
    )
    return Plot("reliability", "Reliability", caption, whole, panels, keyed=True)


def _lines(axis: Axes, block: Block, name: str, sums: Mapping[str, np.ndarray]) -> None:
    axis.plot([0, 100], [0, 100], color=FLOOR_COLOUR, lw=0.8)
    for label, look in looks(block).items():
        if label not in sums:
            continue
        drawn = sums[label][0] >= LEAST * sums[label][0].sum()
        confidence, accuracy = (100 * values[drawn] for values in reliability(sums[label]))
        axis.plot(
            confidence,
            accuracy,
            linestyle=look.dash,
            color=look.colour,
            marker=look.marker,
            markersize=3.5,
            lw=1.4,
            label=label,
        )
    axis.set_title(f"{name}, by confidence (%)")
    axis.set_xlim(0, 100)
    axis.set_ylim(0, 100)
