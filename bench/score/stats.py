"""How sure a score is, given its images and training seeds; corrections for many comparisons.

Resamples are drawn from the number of units alone, so two calls on the same images use
the same ones: replicates of different methods and conditions are paired wherever they
come from, and any arithmetic on them keeps the pairing.
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

RESAMPLES = 10_000
LEVEL = 0.95
MIN_CLUSTERS = 10
"""With fewer sequences than this a bootstrap over sequences says nothing; images are drawn."""
_BLOCK_FLOATS = 2_000_000  # bounds the memory of one block of resamples to about 16 MB


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

    def uncertain(self) -> np.ndarray:
        """Return the replicates with the variance of training added, float64 [R].

        The mean over n training seeds is as uncertain as Student's t of n - 1 degrees of
        freedom, scaled by their standard deviation over the root of n (JCGM 101:2008, 6.4.9),
        independently of which images were drawn. One seed tells nothing of it: the
        replicates are then those of the images alone.
        """
        if math.isnan(self.spread):
            return self.draws
        seeds = len(self.by_seed)
        return self.draws + self.spread / math.sqrt(seeds) * _student(seeds, self.draws.size)

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
        (Davison & Hinkley 1997, equation 4.11).
        """
        draws = self.uncertain()
        beyond = min((draws <= 0).sum(), (draws >= 0).sum())
        return float(min(1.0, 2 * (beyond + 1) / (draws.size + 1)))

    @property
    def spread(self) -> float:
        """Standard deviation over training seeds (n - 1), NaN with fewer than two."""
        return float(np.std(self.by_seed, ddof=1)) if len(self.by_seed) > 1 else float("nan")

    @property
    def error(self) -> float:
        """Standard error over images and, where there are several, training seeds."""
        seeds = 0.0 if math.isnan(self.spread) else self.spread / math.sqrt(len(self.by_seed))
        return float(np.hypot(np.std(self.draws, ddof=1), seeds))

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


def combine(apply: Callable[..., np.ndarray], estimates: Sequence[Estimate]) -> Estimate:
    """Apply arithmetic to estimates: to their values, replicate by replicate and seed by seed.

    Args:
        apply: takes one array, or scalar, an estimate.
        estimates: of the same images. Where they have different numbers of training seeds,
            these cannot be paired, and the result knows of none.
    """
    same_seeds = len({len(each.by_seed) for each in estimates}) == 1
    seeds = zip(*(each.by_seed for each in estimates), strict=True) if same_seeds else ()
    return Estimate(
        float(apply(*(np.float64(each.value) for each in estimates))),
        np.asarray(apply(*(each.draws for each in estimates))),
        tuple(dict.fromkeys(key for each in estimates for key in each.keys)),
        tuple(float(apply(*map(np.float64, values))) for values in seeds),
    )


@cache
def _student(seeds: int, resamples: int) -> np.ndarray:
    """Return quantiles of Student's t of ``seeds - 1`` degrees of freedom, float64 [resamples].

    Evenly spaced in probability, as draws of so heavy tails would scatter, and in random order.
    """
    from scipy.stats import t as student  # slow to load, and claims mostly do without

    quantiles = student.ppf((np.arange(resamples) + 0.5) / resamples, seeds - 1)
    return numpy_generator(key("training seeds", seeds, resamples)).permutation(quantiles)


def _divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    quotient = np.full_like(b, np.nan)
    np.divide(a, b, out=quotient, where=b != 0)
    return quotient


def mean(estimates: Sequence[Estimate]) -> Estimate:
    """Average estimates with equal weight, as mPC does over severities and corruptions."""
    return combine(lambda *values: np.mean(values, axis=0), estimates)


def mean_over_seeds(estimates: Sequence[Estimate], seeds: Sequence[int]) -> Estimate:
    """Average a method's cells over training seeds, keeping each seed's value.

    Args:
        estimates: one a cell; cells of one training seed differ in their sampling seed and
            are averaged first.
        seeds: the training seed of each.
    """
    of_seed: dict[int, list[Estimate]] = {}
    for estimate, seed in zip(estimates, seeds, strict=True):
        of_seed.setdefault(seed, []).append(estimate)
    trained = [mean(each) for each in of_seed.values()]
    return replace(mean(trained), by_seed=tuple(each.value for each in trained))


def replicates(
    metric: Metric,
    cells: Sequence[Counts],
    clusters: Sequence[str] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> np.ndarray:
    """Bootstrap a data-set-level metric of several cells on the same images.

    Images, or whole clusters of correlated images, are drawn with replacement; the
    counts of the drawn ones are summed and scored anew, which is what the metric does
    with the data set itself.

    Args:
        metric: what to score.
        cells: counts of the same N images, in the same order.
        clusters: of each image, the sequence or city it is drawn together with.
        resamples: R.
        seed: another set of resamples for another seed.

    Returns:
        float64 [len(cells), R], column r of every row from the same images.

    Raises:
        ValueError: if the cells hold different numbers of images.
    """
    sizes = {counts.num_images for counts in cells}
    if len(sizes) != 1:
        raise ValueError(f"cells of {sorted(sizes)} images cannot be paired")
    parts = np.stack([_by_cluster(metric.parts(counts), clusters) for counts in cells])
    count, units, width = parts.shape
    # float64 holds sums of pixel counts exactly, whatever order a BLAS adds them in
    flat = parts.transpose(1, 0, 2).reshape(units, count * width)
    generator = numpy_generator(key("bootstrap", seed, units, resamples))
    block = max(1, _BLOCK_FLOATS // max(units, count * width))
    found = np.empty((count, resamples))
    for start in range(0, resamples, block):
        stop = min(start + block, resamples)
        summed = (_weights(generator, stop - start, units) @ flat).reshape(-1, count, width)
        found[:, start:stop] = metric.of_parts(summed).T
    return found


def usable_clusters(clusters: Sequence[str]) -> tuple[str, ...] | None:
    """Return the sequence of each image if a bootstrap should draw sequences, else None.

    It should where images share sequences, and there are enough of these to draw from.
    """
    return tuple(clusters) if MIN_CLUSTERS <= len(set(clusters)) < len(clusters) else None


def _by_cluster(parts: np.ndarray, clusters: Sequence[str] | None) -> np.ndarray:
    """Sum float64 [N, F] over the images of each cluster, [G, F]."""
    if clusters is None:
        return parts
    names, member = np.unique(np.asarray(clusters), return_inverse=True)
    grouped = np.zeros((len(names), parts.shape[1]))
    np.add.at(grouped, member, parts)
    return grouped


def _weights(generator: np.random.Generator, rows: int, units: int) -> np.ndarray:
    """Draw how often each unit is in each resample, float64 [rows, units]."""
    drawn = generator.integers(units, size=(rows, units)) + units * np.arange(rows)[:, None]
    return np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units).astype(float)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p values of one table for multiplicity (Holm 1979), in the given order."""
    ordered = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(ordered):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
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
