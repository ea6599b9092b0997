"""The rule by which one score counts as better than another: the same wherever it is said.

The model: a method's score is its mean over all trainings and all images; what is measured
differs from it by

- the images that were drawn: the standard error of the paired bootstrap, with one degree of
  freedom fewer than images, sequences or blocks were drawn (``bench.score.resampling``);
- the trainings: the standard deviation over training seeds, divided by the root of their number
  n, with n - 1 degrees of freedom. Two methods of the same seeds are compared seed by seed;
  otherwise each method's trainings are a source of their own.

The sources are independent, and each is a Student's t of its own; their sum is the distribution
that p values and intervals are read from (fiducial solution of Behrens and Fisher). It is never
anti-conservative (Robinson 1976, Annals of Statistics 4, 970-971; tests/bench/score): 95%
intervals hold the truth in 95% of cases where one source dominates, in up to 99.9% with two
seeds per method. Satterthwaite's degrees of freedom are nearer to 95% there, but their tails,
which a correction for many comparisons needs, are too light: with three paired seeds and a
training variance nine times that of the images, p < 0.0001 comes 50 times too often.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from bench.core.manifest import HALF
from bench.score.stats import LEVEL, Estimate, Interval, combine, holm
from bench.score.student import VariancePart, half_width, two_sided

ALPHA = 0.05
"""The rate of wrong decisions over all comparisons that are corrected together."""
P_FLOOR = 1e-6
"""The model is not to be trusted in tails below this; smaller p values are given as it."""
MIN_SEEDS = 2
"""With fewer trainings per method nothing is known of what another training would change."""
STILL_RISES = 0.05
"""Share of its score at all of the budget that a method may gain from half of it to all, and
still be trained out."""
_MANY = 10**6
"""Degrees of freedom where the number of drawn units is unknown."""


class DecisionVerdict(StrEnum):
    """What can be said of a difference."""

    AHEAD = "ahead"
    BEHIND = "behind"
    UNDECIDED = "undecided"
    ONE_TRAINING = "one training each"


class Decision(NamedTuple):
    """A difference, decided."""

    verdict: DecisionVerdict
    p: float
    """Two-sided, corrected over all differences decided together. NaN with fewer than two
    trainings, and where a replicate is not a number."""
    interval: Interval
    """95%, of this difference alone; over images alone with fewer than two trainings."""
    at_floor: bool
    """Whether the p value is an upper bound."""

    @property
    def p_text(self) -> str:
        """The p value for print: ``0.0312``, ``≤ 0.00045`` at the floor, ``–`` for none."""
        if math.isnan(self.p):
            return "–"
        return f"≤ {self.p:.2g}" if self.at_floor else f"{self.p:.3g}"


def decide(differences: Sequence[Estimate], alpha: float = ALPHA) -> list[Decision]:
    """Decide differences, first minus second, with one correction over all (Holm 1979).

    Args:
        differences: the family of comparisons; it should be fixed before anything is measured.
        alpha: family-wise error rate.
    """
    parts = [_parts(difference) for difference in differences]
    raw = [
        two_sided(difference.value, sources) if _is_repeated(difference) else math.nan
        for difference, sources in zip(differences, parts, strict=True)
    ]
    floored = [p if math.isnan(p) else max(p, P_FLOOR) for p in raw]
    return [
        _decision(difference, sources, p, p_alone <= P_FLOOR, alpha)
        for difference, sources, p, p_alone in zip(
            differences, parts, holm(floored), raw, strict=True
        )
    ]


def _decision(
    difference: Estimate, sources: list[VariancePart], p: float, at_floor: bool, alpha: float
) -> Decision:
    half = half_width(sources, LEVEL)
    interval = Interval(difference.value - half, difference.value + half)
    if not _is_repeated(difference):
        return Decision(DecisionVerdict.ONE_TRAINING, math.nan, interval, False)
    if not p < alpha:
        return Decision(DecisionVerdict.UNDECIDED, p, interval, at_floor)
    verdict = DecisionVerdict.AHEAD if difference.value > 0 else DecisionVerdict.BEHIND
    return Decision(verdict, p, interval, at_floor)


def _is_repeated(estimate: Estimate) -> bool:
    """Whether every method behind a number was trained at least twice."""
    return min(map(len, estimate.trainings), default=0) >= MIN_SEEDS


def _parts(difference: Estimate) -> list[VariancePart]:
    """Return the independent sources of error: images, and each set of trainings."""
    units = difference.units or _MANY
    images = VariancePart(difference.image_error, max(1, units - 1))
    several = [values for values in difference.trainings if len(values) >= MIN_SEEDS]
    return [images, *(VariancePart(_error_of_mean(values), len(values) - 1) for values in several)]


def _error_of_mean(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    squares = sum((value - mean) ** 2 for value in values)
    return math.sqrt(squares / (len(values) - 1) / len(values))


def ranks(scores: Sequence[Estimate], alpha: float = ALPHA) -> list[tuple[int, int]] | None:
    """Return the best and the worst rank that each score may have; 1 is the highest.

    All pairs are decided together. A method ranks behind those that are ahead of it and before
    those that are behind it, so that all intervals hold the true ranks at once with probability
    1 - alpha (Mogstad, Romano, Shaikh & Wilhelm 2024, Review of Economic Studies 91).

    Returns:
        None if a method was trained fewer than two times.
    """
    if not all(_is_repeated(score) for score in scores):
        return None
    pairs = [(i, j) for j in range(len(scores)) for i in range(j)]
    decisions = decide([scores[i] - scores[j] for i, j in pairs], alpha)
    best, worst = [1] * len(scores), [len(scores)] * len(scores)
    for (i, j), decision in zip(pairs, decisions, strict=True):
        if decision.verdict in (DecisionVerdict.AHEAD, DecisionVerdict.BEHIND):
            ahead, behind = (i, j) if decision.verdict == DecisionVerdict.AHEAD else (j, i)
            best[behind] += 1
            worst[ahead] -= 1
    return list(zip(best, worst, strict=True))


def leaders(
    rows: Sequence[Sequence[Estimate | None]], alpha: float = ALPHA
) -> set[tuple[int, int]]:
    """Find which scores of a table to print in bold: those ahead of all others of their row.

    One correction over the table. A row in which a method was trained fewer than two times has
    no bold, nor has a row of one score.

    Returns:
        (row, column) of each.
    """
    tests: list[tuple[tuple[int, int], Estimate]] = []
    for index, row in enumerate(rows):
        known = {
            column: score
            for column, score in enumerate(row)
            if score is not None and not math.isnan(score.value)
        }
        if len(known) > 1 and all(map(_is_repeated, known.values())):
            leader = max(known, key=lambda column: known[column].value)
            differences = [known[leader] - known[other] for other in known if other != leader]
            tests += [((index, leader), difference) for difference in differences]
    decisions = decide([difference for _, difference in tests], alpha)
    contest = list(zip((place for place, _ in tests), decisions, strict=True))
    lost = {place for place, decision in contest if decision.verdict != DecisionVerdict.AHEAD}
    return {place for place, _ in contest} - lost


def mean_of_methods(scores: Sequence[Estimate]) -> Estimate:
    """Average the scores of different methods, as of a family of methods.

    The uncertainty is about these methods on other images and with other trainings, not about
    other methods of the family.
    """
    return combine(lambda *values: sum(values) / len(values), scores)


def curve_gain(curve: Mapping[float, float]) -> float | None:
    """Return what the second half of a training budget added, as a share of the score at all of it.

    Args:
        curve: the score on held-out images by the share of the budget.

    Returns:
        None where a point that the rule needs is missing, or the whole budget scores nothing.
    """
    if HALF not in curve or 1.0 not in curve or not curve[1.0] > 0:
        return None
    return (curve[1.0] - curve[HALF]) / curve[1.0]


def still_rises(curve: Mapping[float, float]) -> bool | None:
    """Return whether a method is *not trained out*: no rank is given where one is not.

    Returns:
        Whether the gain is above ``STILL_RISES``; None where the curve cannot tell.
    """
    gain = curve_gain(curve)
    return None if gain is None else gain > STILL_RISES
