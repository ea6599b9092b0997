"""Sums of Student's t: tails and widths that are known."""

import numpy as np
import pytest
from scipy.stats import cauchy, norm, t

from bench.score.student import VariancePart, half_width, two_sided

NORMAL = 10**6


@pytest.mark.parametrize("freedom", [1, 2, 9, NORMAL])
@pytest.mark.parametrize("distance", [0.1, 2, 20])
def test_one_part_is_student_s_t(freedom, distance):
    expected = 2 * t.sf(distance / 0.5, freedom)
    assert two_sided(distance, [VariancePart(0.5, freedom)]) == pytest.approx(expected)
    assert two_sided(-distance, [VariancePart(0.5, freedom), VariancePart(0, 3)]) == pytest.approx(
        expected
    )


@pytest.mark.parametrize("distance", [0.5, 3, 30, 3000])
def test_two_of_cauchy_add_their_errors(distance):
    """Of one degree of freedom, t is Cauchy's distribution, whose scales add up."""
    expected = 2 * cauchy.sf(distance, scale=1.5)
    found = two_sided(distance, [VariancePart(1, 1), VariancePart(0.5, 1)])
    assert found == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("distance", [0.5, 3, 6, 8])
def test_normal_errors_add_in_squares(distance):
    expected = 2 * norm.sf(distance, scale=1.5)
    parts = [VariancePart(1, NORMAL), VariancePart(1, NORMAL), VariancePart(0.5, NORMAL)]
    assert two_sided(distance, parts) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    "parts",
    [
        [VariancePart(1, 9), VariancePart(2, 2)],
        [VariancePart(1, 9), VariancePart(2, 2), VariancePart(1, 4)],
    ],
)
def test_draws_agree(parts):
    generator = np.random.default_rng(0)
    draws = sum(part.error * generator.standard_t(part.freedom, 400_000) for part in parts)
    for distance in (1, 4, 10):
        share = np.mean(np.abs(draws) >= distance)
        assert two_sided(distance, parts) == pytest.approx(share, abs=0.004)


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_width_and_tail_are_each_other_s_inverse(level):
    parts = [VariancePart(0.3, 9), VariancePart(0.2, 1), VariancePart(0.4, 2)]
    assert two_sided(half_width(parts, level), parts) == pytest.approx(1 - level, rel=1e-4)
    assert half_width([VariancePart(2, 4), VariancePart(0, 1)], level) == pytest.approx(
        2 * t.isf((1 - level) / 2, 4)
    )


def test_no_error_and_unknown_error():
    assert two_sided(0, []) == 1
    assert two_sided(0.1, [VariancePart(0, 4)]) == 0
    assert half_width([VariancePart(0, 4)], 0.95) == 0
    assert np.isnan(two_sided(0.1, [VariancePart(float("nan"), 4)]))
    assert np.isnan(two_sided(float("nan"), [VariancePart(1, 4)]))
    assert np.isnan(half_width([VariancePart(float("nan"), 4)], 0.95))


@pytest.mark.parametrize("parts", [1, 3, 6])
def test_many_heavy_tailed_parts_have_a_width(parts: int) -> None:
    """The search's bracket must hold the width of any number of parts."""
    several = [VariancePart(1.0, 1)] * parts
    width = half_width(several, 0.95)
    assert two_sided(width, several) == pytest.approx(0.05, abs=1e-3)
