"""Scores under corruptions, by hand."""

import numpy as np
import pytest

from bench.score.robustness import above_floor, mpc, rpc
from bench.score.stats import Estimate


def estimate(value, *seeds):
    return Estimate(value, np.full(4, value), (f"{value}",), seeds, tuple(range(len(seeds))))


def test_means_over_severities_come_first():
    found = mpc({"noise": [estimate(0.2), estimate(0.4)], "fog": [estimate(0.5)]})
    assert found.value == pytest.approx((0.3 + 0.5) / 2)


def test_a_method_that_sees_no_image_keeps_nothing_above_the_floor():
    floor, method = estimate(0.1), estimate(0.4)
    assert rpc(floor, floor).value == 1
    assert np.isnan(above_floor(floor, floor, floor).value)
    assert above_floor(floor, method, floor).value == 0
    assert above_floor(method, method, floor).value == 1
    half = above_floor(estimate(0.25), method, floor)
    assert half.value == pytest.approx(0.5)
    np.testing.assert_allclose(half.draws, 0.5)
    assert set(half.keys) == {"0.25", "0.4", "0.1"}


def test_every_seed_has_its_own_share():
    share = above_floor(estimate(0.2, 0.1, 0.3), estimate(0.4, 0.3, 0.5), estimate(0.1, 0.1, 0.1))
    assert share.by_seed == pytest.approx((0, 0.5))
