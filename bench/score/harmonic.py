"""The harmonic mean over test sets, by which MSeg ranks methods.

Source: mseg-dataset/mseg-semantic, ``mseg_semantic/scripts/collect_results.py``,
``harmonic_mean``. A set with a score of zero makes it zero, one near zero dominates it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bench.core.seeding import key, numpy_generator
from bench.score.stats import Estimate, combine


def harmonic_mean(estimates: Sequence[Estimate]) -> Estimate:
    """Average a method's scores on different test sets, one estimate per set.

    Resamples of two sets of equally many images have the same indices, which are of
    different images: each set's replicates are put in an order of their own, the same for
    every method, so that sets vary independently and methods stay paired.
    """
    apart = [
        replace(each, draws=_reorder(each.draws, place)) for place, each in enumerate(estimates)
    ]
    return combine(lambda *scores: _harmonic(np.stack(scores)), apart, same_trainings=True)


def _reorder(draws: np.ndarray, place: int) -> np.ndarray:
    generator = numpy_generator(key("independent test sets", place, draws.size))
    return np.asarray(draws[generator.permutation(draws.size)])


def _harmonic(scores: np.ndarray) -> np.ndarray:
    """Average over the first axis; zero where a score is zero."""
    inverse = np.full_like(scores, np.inf)
    np.divide(1, scores, out=inverse, where=scores != 0)
    return np.asarray(len(scores) / inverse.sum(axis=0))
