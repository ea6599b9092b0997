"""How sure a score is, given its images and training seeds; corrections for many comparisons.

Replicates of different methods and conditions on the same images are paired wherever they come
from (``bench.score.resampling``), and any arithmetic on them keeps the pairing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from bench.core.seeding import key, numpy_generator
from bench.score.counts import Counts
from bench.score.metrics import Metric
from bench.score.resampling import RESAMPLES as RESAMPLES
from bench.score.resampling import replicates as replicates
from bench.score.resampling import resampling

LEVEL = 0.95


class Interval(NamedTuple):
    """A percentile interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """A number with its bootstrap replicates and the cells it rests on.

    Differences, ratios and means of estimates are estimates: the replicates stay
    paired, and the keys of all cells are carried along.
    """

    value: float
    draws: np.ndarray  # float64 [R]
    keys: tuple[str, ...] = ()
    by_seed: tuple[float, ...] = ()
    """The number for each training seed alone; empty where seeds cannot be paired."""
    seeds: tuple[int, ...] = ()
    """The training seeds of ``by_seed``; only numbers of the same ones are paired."""
    unpaired: tuple[tuple[float, ...], ...] = ()
    """Where seeds cannot be paired: for each set of trainings that the number rests on, the
    number for each of its seeds, with the others at their mean."""
    units: int = 0
    """How many images, sequences or blocks were drawn for a replicate; 0 if that is unknown,
    and replicates are then taken as they are."""

    @property
    def trainings(self) -> tuple[tuple[float, ...], ...]:
        """The number by training seed, for each set of trainings independent of the others."""
        return (self.by_seed,) if self.by_seed else self.unpaired

    def uncertain(self) -> np.ndarray:
        """Return the replicates with the variance of training added, float64 [R].

        The mean over n training seeds is as uncertain as Student's t of n - 1 degrees of
        freedom, scaled by their standard deviation over the root of n (JCGM 101:2008, 6.4.9),
        independently of which images were drawn and of other trainings. One seed tells nothing
        of it: the replicates are then those of the images alone. Few units tell little of the
        variance of images: their replicates are spread as Student's t of units - 1.
        """
        draws = self.draws
        if self.units > 1 and draws.size:
            centre = np.nanmean(draws) if np.isfinite(draws).any() else np.nan
            draws = centre + (draws - centre) * _inflation(self.units, draws.size)
        for place, values in enumerate(self.trainings):
            if len(values) > 1:
                error = np.std(values, ddof=1) / math.sqrt(len(values))
                draws = draws + error * _student(len(values), self.draws.size, place)
        return draws

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the percentile interval (Efron & Tibshirani 1993, chapter 13)."""
        draws = self.uncertain()
        known = draws[~np.isnan(draws)]
        if known.size == 0:
            return Interval(np.nan, np.nan)
        low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
        return Interval(float(low), float(high))

    def p_value(self) -> float:
        """Return the two-sided bootstrap p value of "this is zero".

        One is added to both counts, so that no finite number of resamples gives 0
        (Davison & Hinkley 1997, equation 4.11). A replicate that is not a number makes it NaN.
        """
        draws = self.uncertain()
        if np.isnan(draws).any():
            return float("nan")
        beyond = min((draws <= 0).sum(), (draws >= 0).sum())
        return float(min(1.0, 2 * (beyond + 1) / (draws.size + 1)))

    @property
    def spread(self) -> float:
        """Standard deviation over training seeds (n - 1), NaN with fewer than two."""
        return float(np.std(self.by_seed, ddof=1)) if len(self.by_seed) > 1 else float("nan")

    @property
    def error(self) -> float:
        """Standard error over images and, where there are several, training seeds."""
        several = [values for values in self.trainings if len(values) > 1]
        seeds = sum(np.var(values, ddof=1) / len(values) for values in several)
        return float(math.hypot(self.image_error, math.sqrt(seeds)))

    @property
    def image_error(self) -> float:
        """Standard error over images, or over the sequences or blocks that were drawn.

        A bootstrap of n units underestimates the variance by (n - 1) / n, which is undone.
        """
        few = self.units / (self.units - 1) if self.units > 1 else 1.0
        return float(np.std(self.draws, ddof=1) * math.sqrt(few))

    def __sub__(self, other: Estimate) -> Estimate:
        return combine(np.subtract, [self, other])

    def __truediv__(self, other: Estimate) -> Estimate:
        return combine(_divide, [self, other])

    def interpolate(self, other: Estimate, share: float) -> Estimate:
        """Interpolate between this and another number, linearly."""
        return combine(lambda a, b: (1 - share) * a + share * b, [self, other])

    def complement(self) -> Estimate:
        """Return one minus the number: the error of an accuracy."""
        return combine(lambda a: 1 - a, [self])


def combine(
    apply: Callable[..., np.ndarray],
    estimates: Sequence[Estimate],
    *,
    same_trainings: bool = False,
) -> Estimate:
    """Apply arithmetic to estimates: to their values, replicate by replicate and seed by seed.

    Numbers of the same training seeds are paired seed by seed. Those of other seeds, or of
    another number of them, vary independently, and the result keeps the variance of each.

    Args:
        apply: takes one array, or scalar, per estimate.
        estimates: of the same images.
        same_trainings: all are of the same method and training set. Where a seed is missing
            from some, the variance of training is that of the seeds that all have.
    """
    if same_trainings:
        estimates = _of_common_seeds(estimates)
    values = [each.value for each in estimates]
    sources = _sources(estimates)
    by_source = [
        tuple(
            float(apply(*(np.float64(changes.get(i, value)) for i, value in enumerate(values))))
            for changes in source
        )
        for source in sources
    ]
    paired = len(sources) < 2 and not any(each.unpaired for each in estimates)
    known_units = [each.units for each in estimates if each.units]
    return Estimate(
        float(apply(*map(np.float64, values))),
        np.asarray(apply(*(each.draws for each in estimates))),
        tuple(dict.fromkeys(key for each in estimates for key in each.keys)),
        by_source[0] if paired and by_source else (),
        next((each.seeds for each in estimates if each.seeds), ()) if paired else (),
        () if paired else tuple(by_source),
        min(known_units, default=0),
    )


def _sources(estimates: Sequence[Estimate]) -> list[list[dict[int, float]]]:
    """Group estimates by the trainings that they share.

    Returns:
        Per group and training seed, which estimates have which values, by their numbers.
    """
    groups: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    sources = []
    for index, estimate in enumerate(estimates):
        if estimate.by_seed:
            seeds = estimate.seeds or tuple(range(len(estimate.by_seed)))
            groups.setdefault((len(estimate.by_seed), seeds), []).append(index)
        sources += [[{index: value} for value in values] for values in estimate.unpaired]
    for (count, _), members in groups.items():
        sources.append([{i: estimates[i].by_seed[seed] for i in members} for seed in range(count)])
    return sources


def _of_common_seeds(estimates: Sequence[Estimate]) -> list[Estimate]:
    """Leave each estimate the seeds that all of them have; as they are if these are unknown."""
    if not all(each.seeds for each in estimates):
        return list(estimates)
    common = [seed for seed in estimates[0].seeds if all(seed in e.seeds for e in estimates)]
    reduced = []
    for estimate in estimates:
        value_of = dict(zip(estimate.seeds, estimate.by_seed, strict=True))
        by_seed = tuple(value_of[seed] for seed in common)
        reduced.append(replace(estimate, by_seed=by_seed, seeds=tuple(common)))
    return reduced


@cache
def _inflation(units: int, resamples: int) -> np.ndarray:
    """Return factors, float64 [resamples], that turn a bootstrap of few units into Student's t.

    The root of n / (n - 1), as a bootstrap's variance is that much too small, times the root of
    n - 1 over chi-squared of n - 1 degrees of freedom, as the variance is itself uncertain.
    """
    from scipy.stats import chi2  # slow to load, and claims mostly do without

    variance = chi2.ppf((np.arange(resamples) + 0.5) / resamples, units - 1)
    order = numpy_generator(key("variance of images", units, resamples))
    return np.sqrt(units / order.permutation(variance))


@cache
def _student(seeds: int, resamples: int, source: int = 0) -> np.ndarray:
    """Return quantiles of Student's t of ``seeds - 1`` degrees of freedom, float64 [resamples].

    Evenly spaced in probability, as draws of so heavy tails would scatter, and in a random order
    that differs between independent sources.
    """
    from scipy.stats import t as student  # slow to load, and claims mostly do without

    quantiles = student.ppf((np.arange(resamples) + 0.5) / resamples, seeds - 1)
    further = (source,) if source else ()
    return numpy_generator(key("training seeds", seeds, resamples, *further)).permutation(quantiles)


def _divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    quotient = np.full_like(b, np.nan)
    np.divide(a, b, out=quotient, where=b != 0)
    return quotient


def mean(estimates: Sequence[Estimate]) -> Estimate:
    """Average a method's estimates with equal weight, as mPC does over conditions."""
    return combine(lambda *values: np.mean(values, axis=0), estimates, same_trainings=True)


def mean_over_seeds(estimates: Sequence[Estimate], seeds: Sequence[int]) -> Estimate:
    """Average a method's cells over training seeds, keeping each seed's value.

    Args:
        estimates: one per cell; cells of one training seed differ in their sampling seed and
            are averaged first.
        seeds: the training seed of each.
    """
    of_seed: dict[int, list[Estimate]] = {}
    for estimate, seed in zip(estimates, seeds, strict=True):
        of_seed.setdefault(seed, []).append(estimate)
    trained = [mean(each) for each in of_seed.values()]
    by_seed = tuple(each.value for each in trained)
    return replace(mean(trained), by_seed=by_seed, seeds=tuple(of_seed))


def score_cells(
    metric: Metric, cells: Sequence[Counts], keys: Sequence[str], sequences: Sequence[str]
) -> list[Estimate]:
    """Score cells on the same images, with paired replicates.

    Args:
        metric: what to score.
        cells: counts of the same N images, in the same order.
        keys: of each cell.
        sequences: of each image; they decide what is drawn (``bench.score.resampling``).

    Raises:
        ValueError: if the cells hold different numbers of images.
    """
    plan = resampling(sequences)
    rows = replicates(metric, cells, plan)
    return [
        Estimate(metric(counts), row, (key,), units=plan.drawn)
        for counts, row, key in zip(cells, rows, keys, strict=True)
    ]


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p values of one family for multiplicity (Holm 1979), in the given order.

    NaN is not a test: it stays, and the others are not corrected for it.
    """
    tests = [index for index, p in enumerate(p_values) if not math.isnan(p)]
    adjusted, largest = [float("nan")] * len(p_values), 0.0
    for rank, index in enumerate(sorted(tests, key=lambda index: p_values[index])):
        largest = max(largest, min(1.0, (len(tests) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


class Ranks(NamedTuple):
    """How stable the order of some methods is."""

    probability: np.ndarray
    """float64 [M, M]: of method i, the share of resamples in which its rank is j + 1."""
    low: np.ndarray
    """int64 [M]: end of the interval of ranks, 1 is best."""
    high: np.ndarray


def ranks(estimates: Sequence[Estimate], level: float = LEVEL) -> Ranks:
    """Rank methods in every resample; higher is better, and ties share the better rank.

    The interval holds the ranks between the tail probabilities of a percentile interval
    (Hall & Miller 2009, Annals of Statistics 37, on what a bootstrap of ranks can say).
    """
    draws = np.stack([estimate.draws for estimate in estimates])
    better = (draws[None] > draws[:, None]).sum(axis=1)  # [M, R]: methods above each
    places = np.arange(len(draws))
    probability = np.stack([(better == place).mean(axis=1) for place in places], axis=1)
    reached = np.cumsum(probability, axis=1)
    tail, rounding = (1 - level) / 2, 1e-12
    low = (reached <= tail + rounding).sum(axis=1) + 1
    high = (reached < 1 - tail - rounding).sum(axis=1) + 1
    return Ranks(probability, low, high)


class Spread(NamedTuple):
    """Standard deviations of one cell's number, by what it would change with."""

    training: float
    """The training seed; NaN with one."""
    sampling: float
    """The sampling seed; NaN with one."""
    images: float
    """The images, or their sequences."""


def spread(scores: np.ndarray, draws: np.ndarray) -> Spread:
    """Split the variance of a score into training seed, sampling seed and images.

    Sampling seeds are nested in training seeds: the components are those of a balanced
    one-way random-effects analysis (Searle, Casella & McCulloch 1992, section 3.5), the
    training one cut off at 0. That of images is the mean bootstrap variance of a cell.

    Args:
        scores: float64 [T, S], of each training seed and sampling seed.
        draws: float64 [T, S, R], their replicates.
    """
    trainings, samplings = scores.shape
    within = scores.var(axis=1, ddof=1).mean() if samplings > 1 else np.nan
    between = scores.mean(axis=1).var(ddof=1) if trainings > 1 else np.nan
    training = max(0.0, between - np.nan_to_num(within) / samplings) if trainings > 1 else np.nan
    images = draws.var(axis=-1, ddof=1).mean()
    return Spread(float(np.sqrt(training)), float(np.sqrt(within)), float(np.sqrt(images)))


def minimum_detectable(difference: Estimate, power: float = 0.8, level: float = LEVEL) -> float:
    """Return the smallest true difference that as many images and seeds would likely tell.

    Half the interval, which a difference must exceed, and ``z_power`` standard errors of the
    paired difference beyond it (normal approximation).
    """
    low, high = difference.interval(level)
    return (high - low) / 2 + NormalDist().inv_cdf(power) * difference.error
