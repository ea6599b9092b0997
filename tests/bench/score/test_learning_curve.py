"""The rule that says when a method is trained out."""

import pytest

from bench.score.learning_curve import STILL_RISES, gain, still_rises


@pytest.mark.parametrize(
    ("half", "whole", "rises"),
    [(0.30, 0.40, True), (0.39, 0.40, False), (0.45, 0.40, False), (0.381, 0.40, False)],
)
def test_a_curve_rises_if_the_second_half_adds_more_than_the_stated_share(half, whole, rises):
    curve = {0.25: 0.1, 0.5: half, 1.0: whole}
    assert gain(curve) == pytest.approx((whole - half) / whole)
    assert still_rises(curve) is rises
    assert STILL_RISES == 0.05


@pytest.mark.parametrize("curve", [{}, {1.0: 0.4}, {0.5: 0.4}, {0.5: 0.0, 1.0: 0.0}])
def test_a_curve_that_lacks_a_point_or_scores_nothing_tells_nothing(curve):
    assert gain(curve) is None
    assert still_rises(curve) is None
