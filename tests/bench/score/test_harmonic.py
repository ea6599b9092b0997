"""The mean by which test sets are put together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hmean

from bench.score.harmonic import harmonic_mean
from bench.score.stats import Estimate


def estimate(value, draws=(), seeds=()):
    return Estimate(value, np.array(draws or [value] * 50), (f"{value}",), tuple(seeds))


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=8))
def test_it_is_the_harmonic_mean(values):
    found = harmonic_mean([estimate(value) for value in values])
    assert found.value == pytest.approx(hmean(values))
    np.testing.assert_allclose(found.draws, hmean(values))
    assert set(found.keys) == {f"{value}" for value in values}


def test_a_set_of_zero_makes_it_zero():
    found = harmonic_mean([estimate(0.5), estimate(0.0)])
    assert found.value == 0
    assert (found.draws == 0).all()


def test_sets_vary_independently_and_methods_stay_paired():
    """The same resamples of two sets would move together, though their images differ."""
    generator = np.random.default_rng(0)
    draws = list(generator.normal(0.5, 0.05, 2000))
    both = harmonic_mean([estimate(0.5, draws), estimate(0.5, draws)])
    assert np.std(both.draws) == pytest.approx(0.05 / np.sqrt(2), rel=0.1)
    better = [draw + 0.1 for draw in draws]
    other = harmonic_mean([estimate(0.6, better), estimate(0.6, better)])
    assert np.std((other - both).draws) < 0.005


def test_every_training_seed_has_its_own_mean():
    found = harmonic_mean([estimate(0.5, seeds=(0.4, 0.6)), estimate(0.2, seeds=(0.2, 0.2))])
    assert found.by_seed == pytest.approx((hmean([0.4, 0.2]), hmean([0.6, 0.2])))
