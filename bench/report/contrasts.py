"""The differences that a suite declares before its run, scored and put into sentences.

Knows no method: a codec is whatever has clean cells of the task ``reconstruct``, and what is
said of its latents is what it measured (``bench/core/method.py``, ``Method.measure``).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bench.core.manifest import Contrast
from bench.report.captions import trained_on, units
from bench.report.statistics import ALPHA, Block
from bench.report.tables.table import Sentence, number
from bench.score.robustness import above_floor
from bench.score.significance import mean_of_methods
from bench.score.stats import Estimate

RATE = "bits_per_pixel"


class Compared(NamedTuple):
    """A contrast, scored."""

    of: tuple[str, ...]
    """Whose score the first is, or the two between which it lies at the rate of the second."""
    first: Estimate
    second: Estimate
    rates: tuple[float, float]
    """Bits per pixel of the two; NaN where not measured."""

    @property
    def difference(self) -> Estimate:
        """First minus second."""
        return self.first - self.second

    @property
    def relative(self) -> Estimate:
        """The difference as a share of the first."""
        return (self.first - self.second) / self.first


def measured(block: Block, label: str) -> dict[str, float]:
    """Return what a codec measured, averaged over seeds; nothing if it measures nothing."""
    runs = [record.measured for record in block.of(label, task="reconstruct") if record.measured]
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: float(np.mean([run[name] for run in runs if name in run])) for name in names}


def compare(block: Block, contrast: Contrast, metric: str) -> Compared | str:
    """Score a contrast, or say why it has no score."""
    firsts, seconds = contrast.sides(block.families)
    labels = (*firsts, *seconds)
    scores: dict[str, Estimate] = {}
    for label in labels:
        if (score := _score(block, contrast, label, metric)) is not None:
            scores[label] = score
    if lacking := [label for label in labels if label not in scores]:
        return f"{', '.join(lacking)}: no result"
    rate = {label: measured(block, label).get(RATE, math.nan) for label in labels}
    if contrast.is_of_families:
        means = [mean_of_methods([scores[label] for label in side]) for side in (firsts, seconds)]
        return Compared((contrast.first_name,), means[0], means[1], (math.nan, math.nan))
    second, aim = scores[seconds[0]], rate[seconds[0]]
    if len(firsts) == 1:
        return Compared(firsts, scores[firsts[0]], second, (rate[firsts[0]], aim))
    ordered = sorted(firsts, key=lambda label: rate[label])
    for low, high in zip(ordered, ordered[1:], strict=False):
        if rate[low] <= aim <= rate[high]:
            share = math.log(aim / rate[low]) / math.log(rate[high] / rate[low])
            between = scores[low].interpolate(scores[high], share)
            return Compared((low, high), between, second, (aim, aim))
    span = f"{rate[ordered[0]]:.3g} to {rate[ordered[-1]]:.3g}"
    return f"{contrast.second} has {aim:.3g} bits/pixel, outside the {span} of the others"


def _score(block: Block, contrast: Contrast, label: str, metric: str) -> Estimate | None:
    """Return the score of a method that a contrast is about."""
    if contrast.measure == "clean":
        return block.score(label, metric)
    corrupted = block.mpc(label)
    if contrast.measure == "mPC" or corrupted is None:
        return corrupted
    clean, floor = block.score(label), block.score(block.floor) if block.floor else None
    return None if clean is None or floor is None else above_floor(corrupted, clean, floor)


def verdict(block: Block) -> list[Sentence]:
    """Answer with the declared contrasts; of codecs in one go, with what they do not cover."""
    of_codecs = block.task == "reconstruct"
    sentences = [_verdict(block, contrast, of_codecs) for contrast in block.contrasts]
    if not sentences or not of_codecs:
        return sentences
    limits = f"These are small codecs of similar size, trained here on {trained_on(block)}."
    limits += " Released weights, Cityscapes"
    limits += " and photographs are" if block.test_set.generated else " are"
    parts = (part for sentence in sentences for part in (*sentence, " "))
    return [(*parts, f"{limits} not covered.")]


def _verdict(block: Block, contrast: Contrast, of_codecs: bool) -> Sentence:
    compared = compare(block, contrast, block.primary)
    opening = f"{contrast.name[:1].upper()}{contrast.name[1:]}: "
    if isinstance(compared, str):
        return (f"{opening}no number ({compared}).",)
    difference = compared.difference
    sure = "" if difference.p_value() < ALPHA else f", within the noise of {units(block)}"
    rates = [f" at {rate:.3g} bits/pixel" if rate == rate else "" for rate in compared.rates]
    verbs = ("reconstructs", "reconstruct") if of_codecs else ("has", "have")
    subject = f"{compared.of[0]} {verbs[0]}"
    if len(compared.of) > 1:
        subject = f"{' and '.join(compared.of)}, interpolated, {verbs[1]}"
    return (
        f"{opening}{subject} {'with ' if of_codecs else ''}{block.primary} ",
        *(number(compared.first), f"{rates[0]}, {contrast.second} ", number(compared.second)),
        *(f"{rates[1]}: a difference of ", number(difference, "points"), " or "),
        *(number(compared.relative), f" of the first{sure}."),
    )
