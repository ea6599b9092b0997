"""The decision rule: what it says of constructed differences, and how often it is wrong."""

import numpy as np
import pytest

from bench.score import significance
from bench.score.counts import Counts
from bench.score.metrics import METRICS
from bench.score.significance import (
    P_FLOOR,
    STILL_RISES,
    Decision,
    DecisionVerdict,
    curve_gain,
    decide,
    leaders,
    mean_of_methods,
    ranks,
    still_rises,
)
from bench.score.stats import Estimate, Interval, combine, score_cells

AHEAD, BEHIND, UNDECIDED, ONE = DecisionVerdict
IMAGES = 100
STEPS = (np.arange(200) + 0.5) / 200 - 0.5
SHAPE = STEPS / STEPS.std(ddof=1)
"""Replicates of standard deviation 1."""


def estimate(value, *by_seed, error=1.0, seeds=None, units=IMAGES) -> Estimate:
    """A score with a standard error over images and a value for each training seed."""
    own = tuple(range(len(by_seed))) if seeds is None else seeds
    draws = value + error * np.sqrt(1 - 1 / units) * SHAPE
    return Estimate(value, draws, (), tuple(by_seed), own, units=units)


def simulate(generator, truth, deviation, first, second, paired) -> Estimate:
    """A difference of two methods, its error over images 1 and estimated from 100 images.

    Args:
        deviation: of a method's score over training seeds.
        first, second: number of seeds of the two methods.
        paired: whether the seeds are the same ones.
    """
    spread = [generator.normal(0, deviation, seeds) for seeds in (first, second)]
    seeds = range(first), range(second) if paired else range(10, 10 + second)
    methods = [
        estimate(values.mean(), *values, error=0, seeds=tuple(own))
        for values, own in zip(spread, seeds, strict=True)
    ]
    error = np.sqrt(generator.chisquare(IMAGES - 1) / (IMAGES - 1))
    images = estimate(truth + generator.normal(), error=error)
    return combine(lambda a, b, c: a - b + c, [*methods, images])


def test_a_difference_far_beyond_its_errors_is_decided():
    up, down = estimate(20, 19, 20, 21), estimate(-20, -19, -20, -21)
    near = estimate(1, 0, 1, 2)
    assert [each.verdict for each in decide([up, down, near])] == [AHEAD, BEHIND, UNDECIDED]
    for decision, difference in zip(decide([up, down, near]), (up, down, near), strict=True):
        low, high = decision.interval
        assert (low + high) / 2 == pytest.approx(difference.value)
        assert high - low > 2 * 1.96


def test_one_training_each_has_no_p():
    (decision,) = decide([estimate(20, 20.0, error=0.01)])
    assert decision.verdict == ONE
    assert np.isnan(decision.p)
    assert decision.p_text == "–"
    assert decision.interval == pytest.approx((20 - 0.01984, 20 + 0.01984), rel=1e-4)


def test_one_training_of_either_side_is_too_few():
    several, once = estimate(20, 19, 21, 20), estimate(0, 0.0)
    assert decide([several - once, once - several])[0].verdict == ONE
    assert decide([once - several])[0].verdict == ONE


def test_seeds_that_differ_in_number_keep_their_variance():
    """From 5 and 3 trainings, +4.0 with deviations of 2 and 3 over seeds."""
    first = estimate(4.0, 2, 3, 4, 5, 6, error=0.1)
    second = estimate(0.0, -3, 0, 3, error=0.1)
    difference = first - second
    assert difference.by_seed == ()
    assert [len(values) for values in difference.trainings] == [5, 3]
    assert np.std(difference.trainings[1], ddof=1) == pytest.approx(3)
    (decision,) = decide([difference])
    assert decision.verdict == UNDECIDED
    assert decision.interval.low < -3
    assert difference.interval().low < -3


def test_p_values_are_not_bounded_by_resamples():
    """With 450 comparisons, what no resample contradicts is decided, and the floor is said."""
    clear = estimate(30, 30, 30, 30, error=0.5)
    decisions = decide([clear] + [estimate(0, -1, 0, 1)] * 449)
    assert decisions[0].verdict == AHEAD
    assert decisions[0].at_floor
    assert decisions[0].p == pytest.approx(450 * P_FLOOR)
    assert decisions[0].p_text == "≤ 0.00045"
    assert {decision.verdict for decision in decisions[1:]} == {UNDECIDED}


def test_what_is_not_a_number_is_not_decided_and_not_counted():
    draws = np.append(20 + SHAPE, np.nan)
    unknown = Estimate(20.0, draws, (), (19, 20, 21), (0, 1, 2), units=IMAGES)
    sure = estimate(3, 3, 3, 3)
    alone, (first, second) = decide([sure]), decide([unknown, sure])
    assert np.isnan(unknown.p_value())
    assert np.isnan(first.p)
    assert np.isnan(first.interval.low)
    assert first.verdict == UNDECIDED
    assert second == alone[0]
    nothing = Estimate(np.nan, np.full(5, np.nan), (), (np.nan, np.nan), (0, 1))
    assert np.isnan(decide([nothing])[0].p)


def test_equal_predictions_are_undecided():
    (decision,) = decide([estimate(0, 0, 0, error=0)])
    assert decision == Decision(UNDECIDED, 1.0, Interval(0, 0), False)


def test_ranks_hold_what_pairs_decide():
    best, middle, tied = (
        estimate(60, 59, 60, 61),
        estimate(30, 29, 30, 31),
        estimate(30, 30, 29, 31),
    )
    assert ranks([middle, best, tied]) == [(2, 3), (1, 1), (2, 3)]
    assert ranks([middle, tied]) == [(1, 2), (1, 2)]
    assert ranks([best, estimate(30, 30.0)]) is None


def test_bold_is_what_is_ahead_of_all_others():
    best, good, bad = estimate(60, 59, 60, 61), estimate(58, 57, 60, 57), estimate(1, 0, 1, 2)
    once = estimate(60, 60.0)
    rows = [[bad, best, None], [good, best, bad], [bad, once, None], [best, None, None]]
    assert leaders(rows) == {(0, 1)}


def test_families_are_means_of_their_methods():
    first, second = estimate(1, 0, 1, 2), estimate(3, 2, 3, 4)
    family = mean_of_methods([first, second])
    assert family.value == 2
    assert family.by_seed == pytest.approx((1, 2, 3))
    other = mean_of_methods([first, estimate(3, 2, 4, seeds=(5, 6))])
    assert [len(values) for values in other.trainings] == [3, 2]


CASES = {
    "2 paired": (2, 2, True),
    "3 paired": (3, 3, True),
    "5 paired": (5, 5, True),
    "3 unpaired": (3, 3, False),
    "5 and 2": (5, 2, False),
    "5 and 3": (5, 3, False),
}


@pytest.mark.slow
@pytest.mark.parametrize("deviation", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("case", CASES)
def test_coverage(case, deviation):
    """95% intervals hold the truth in 93% of cases or more, with any number of seeds.

    They are conservative where training and images weigh alike (docstring of the module).
    Without variance of training they are not above 97%.
    """
    generator = np.random.default_rng([*case.encode(), int(10 * deviation)])
    few_sources = CASES[case][2] or deviation == 0
    simulations, truth = 3000 if few_sources else 600, 2.0
    held = 0
    for _ in range(simulations):
        (decision,) = decide([simulate(generator, truth, deviation, *CASES[case])])
        held += decision.interval.low <= truth <= decision.interval.high
    assert held / simulations >= 0.93
    if deviation == 0:
        assert held / simulations <= 0.97


def frames(generator, simulations, correlation) -> list[Counts]:
    """Four sequences of 60 frames, whose shares of right pixels follow an AR(1) process."""
    noise = generator.normal(size=(60, simulations, 4))
    state = noise.copy()
    for frame in range(1, 60):
        state[frame] = correlation * state[frame - 1]
        state[frame] += np.sqrt(1 - correlation**2) * noise[frame]
    right = np.clip(np.rint(700 + 40 * state), 0, 1000).astype(np.int64)
    per_image = right.transpose(1, 2, 0).reshape(simulations, 240, 1)
    nothing = np.zeros(0, np.int64)
    return [
        Counts(tp, 0 * tp, 1000 - tp, *(nothing.astype(kind) for kind in KINDS), nothing)
        for tp in per_image
    ]


KINDS = (np.int32, np.int16, np.int16)


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8])
def test_coverage_of_four_sequences(correlation):
    """Blocks of consecutive frames hold the truth where frames resemble their neighbours."""
    generator = np.random.default_rng(int(10 * correlation))
    simulations = 1500
    cells = frames(generator, simulations, correlation)
    sequences = [name for name in "abcd" for _ in range(60)]
    keys = [f"{index}" for index in range(simulations)]
    scores = score_cells(METRICS["aAcc"], cells, keys, sequences)
    intervals = [decide([score])[0].interval for score in scores]
    held = np.mean([low <= 0.7 <= high for low, high in intervals])
    assert 0.93 <= held <= 0.97
    alone = score_cells(METRICS["aAcc"], cells, keys, [f"{index}" for index in range(240)])
    naive = [decide([score])[0].interval for score in alone]
    covered = np.mean([low <= 0.7 <= high for low, high in naive])
    assert covered >= 0.93 if correlation == 0 else covered <= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("case", ["2 paired", "3 paired", "5 paired", "5 and 2"])
def test_family_wise_error(case, monkeypatch):
    """Of 450 comparisons of equals, any is decided in at most 5% of cases.

    The variance of training is nine times that of the images, where lighter tails than those of
    the rule are wrong most often.
    """
    monkeypatch.setattr(significance, "half_width", lambda parts, level: 0.0)  # slow, not asked
    generator = np.random.default_rng([*case.encode()])
    families, wrong = 100, 0
    for _ in range(families):
        equals = [simulate(generator, 0.0, 3.0, *CASES[case]) for _ in range(450)]
        wrong += any(decision.verdict != UNDECIDED for decision in decide(equals))
    assert wrong / families <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(2, 2), (3, 3), (5, 5), (7, 3)])
def test_relabelled_seeds_of_one_method_are_not_told_apart(sizes):
    """Of 100 random splits of the trainings of one method, 'ahead' is said of at most 5."""
    generator = np.random.default_rng(sizes[0])
    for _ in range(5):
        trained = generator.normal(50, 2, 10)
        ahead = 0
        for _ in range(100):
            order = generator.permutation(10)
            one, two = order[: sizes[0]], order[sizes[0] : sum(sizes)]
            sets = [
                estimate(trained[own].mean(), *trained[own], error=0.1, seeds=tuple(own))
                for own in (one, two)
            ]
            ahead += decide([sets[0] - sets[1]])[0].verdict == AHEAD
        assert ahead <= 5


@pytest.mark.parametrize(
    ("half", "whole", "rises"),
    [(0.30, 0.40, True), (0.39, 0.40, False), (0.45, 0.40, False), (0.381, 0.40, False)],
)
def test_a_curve_rises_if_the_second_half_adds_more_than_the_stated_share(half, whole, rises):
    curve = {0.25: 0.1, 0.5: half, 1.0: whole}
    assert curve_gain(curve) == pytest.approx((whole - half) / whole)
    assert still_rises(curve) is rises
    assert STILL_RISES == 0.05


@pytest.mark.parametrize("curve", [{}, {1.0: 0.4}, {0.5: 0.4}, {0.5: 0.0, 1.0: 0.0}])
def test_a_curve_that_lacks_a_point_or_scores_nothing_tells_nothing(curve):
    assert curve_gain(curve) is None
    assert still_rises(curve) is None
