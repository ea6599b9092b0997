"""The differences that a suite declares before its run, scored, decided and put into sentences.

Knows no method: a codec is whatever has clean cells of the task ``reconstruct``, and what is
said of its latents is what it measured (``bench/core/method.py``, ``Method.measure``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bench.core.manifest import Contrast, FamilyOfMethods
from bench.report.statistics import Block
from bench.report.tables.table import Sentence, number
from bench.score.significance import Decision, DecisionVerdict, decide, mean_of_methods
from bench.score.stats import Estimate

RATE = "bits_per_pixel"
Scorer = Callable[[Contrast, str], Estimate | None]
"""The score that a contrast is about, of a method by its label; None where there is none."""


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


class DecidedContrast(NamedTuple):
    """A contrast with what can be said of it."""

    contrast: Contrast
    compared: Compared | str
    """Or why it has no score."""
    decision: Decision | None
    """None where it has no score."""

    @property
    def verdict(self) -> DecisionVerdict:
        """Whether the first is ahead; what has no score is undecided."""
        return self.decision.verdict if self.decision else DecisionVerdict.UNDECIDED


def contrasts_of(block: Block) -> tuple[Contrast, ...]:
    """Return the differences that a suite is about: those it declares, or else of its families."""
    if block.contrasts:
        return block.contrasts
    families = set(block.families.values())
    if block.task != "predict" or not {"generative", "discriminative"} <= families:
        return ()
    measures = ("clean", "mPC") if block.conditions else ("clean",)
    return tuple(
        Contrast(
            name=f"generative minus discriminative, {measure}",
            first=FamilyOfMethods(family="generative"),
            second=FamilyOfMethods(family="discriminative"),
            measure=measure,
        )
        for measure in measures
    )


def decide_contrasts(block: Block, score: Scorer | None = None) -> list[DecidedContrast]:
    """Score and decide a suite's contrasts, with one correction over all of them.

    Args:
        block: the cells.
        score: of a method; that on the block's test set if not given.
    """
    contrasts = contrasts_of(block)
    compared = [compare(block, contrast, score=score) for contrast in contrasts]
    scored = [c.difference for c in compared if isinstance(c, Compared)]
    decisions = iter(decide(scored))
    return [
        DecidedContrast(contrast, c, next(decisions) if isinstance(c, Compared) else None)
        for contrast, c in zip(contrasts, compared, strict=True)
    ]


def answering(decided: list[DecidedContrast]) -> list[DecidedContrast]:
    """Return the contrasts that the suite's question is about."""
    marked = [each for each in decided if each.contrast.answers]
    return marked or decided


def measured(block: Block, label: str) -> dict[str, float]:
    """Return what a codec measured, averaged over seeds; nothing if it measures nothing."""
    runs = [record.measured for record in block.of(label, task="reconstruct") if record.measured]
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: float(np.mean([run[name] for run in runs if name in run])) for name in names}


def compare(
    block: Block, contrast: Contrast, metric: str = "", score: Scorer | None = None
) -> Compared | str:
    """Score a contrast, or say why it has no score.

    Args:
        block: the cells.
        contrast: the difference.
        metric: in place of the contrast's own.
        score: of a method; that on the block's test set if not given.
    """
    firsts, seconds = contrast.sides(block.families)
    labels = (*firsts, *seconds)
    scores: dict[str, Estimate] = {}
    for label in labels:
        known = score(contrast, label) if score else score_on(block, contrast, label, metric)
        if known is not None:
            scores[label] = known
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


def score_on(block: Block, contrast: Contrast, label: str, metric: str = "") -> Estimate | None:
    """Return the score of a method that a contrast is about, on a block's test set."""
    if contrast.measure == "clean":
        return block.score(label, metric or contrast.metric)
    return block.mpc(label) if contrast.measure == "mPC" else block.above_floor(label)


def told(block: Block, each: DecidedContrast) -> Sentence:
    """Put a contrast into words, without the verdict: both scores and their difference."""
    contrast, compared = each.contrast, each.compared
    if isinstance(compared, str) or each.decision is None:
        return (f"no number ({compared})",)
    rates = [f" at {rate:.3g} bits/pixel" if rate == rate else "" for rate in compared.rates]
    subject = compared.of[0]
    if len(compared.of) > 1:
        subject = f"{' and '.join(compared.of)}, interpolated,"
    return (
        f"{subject} {_what(block, contrast, several=len(compared.of) > 1)} ",
        number(compared.first, interval=False),
        f"{rates[0]}, {contrast.second} ",
        number(compared.second, interval=False),
        f"{rates[1]}, a difference of ",
        number(compared.difference, "points"),
        f" ({reason(block, each.decision)})",
    )


def _what(block: Block, contrast: Contrast, *, several: bool) -> str:
    """Say what a method does with the score that a contrast is about: verb and score."""
    several = several or isinstance(contrast.first, FamilyOfMethods)
    metric = contrast.metric or block.primary
    if contrast.measure == "above floor":
        return "keep" if several else "keeps"
    if block.task == "reconstruct":
        return f"{'reconstruct' if several else 'reconstructs'} with {metric}"
    return f"{'have' if several else 'has'} {metric if contrast.measure == 'clean' else 'mPC'}"


def reason(block: Block, decision: Decision) -> str:
    """Say what a decision rests on."""
    if decision.verdict == DecisionVerdict.ONE_TRAINING:
        return "one training each"
    relation = "" if decision.p_text.startswith("≤") else "= "
    return f"p {relation}{decision.p_text}, {block.training_seeds} training seeds"
