from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.score.counts import Counts, count_image, stack_counts
from bench.score.metrics import METRICS
from bench.score.stats import (
    Estimate,
    holm,
    mean,
    mean_over_seeds,
    minimum_detectable,
    ranks,
    replicates,
    spread,
)

MIOU = METRICS["mIoU"]


def draw_counts(rng: np.random.Generator, images: int, hit_rate: float, classes: int = 3) -> Counts:
    """Make images of 200 pixels whose share of hits scatters around a rate."""
    confusions = []
    for _ in range(images):
        truth = rng.integers(classes, size=200)
        hit = rng.random(200) < np.clip(rng.normal(hit_rate, 0.15), 0, 1)
        predicted = np.where(hit, truth, (truth + 1) % classes)
        confusions.append(count_image(truth, predicted, classes))
    return stack_counts(confusions)


def estimate(counts: Counts, **settings: int) -> Estimate:
    return Estimate(MIOU(counts), replicates(MIOU, [counts], **settings)[0])


@pytest.fixture(scope="module")
def pair() -> tuple[Counts, Counts]:
    rng = np.random.default_rng(1)
    return draw_counts(rng, 40, 0.8), draw_counts(rng, 40, 0.7)


def test_replicates_are_scores_of_resampled_images(pair: tuple[Counts, Counts]) -> None:
    """Each replicate is the metric of some multiset of images; here of one image alone."""
    single = Counts(*(array[:1] for array in pair[0][:3]), *pair[0][3:])
    np.testing.assert_array_equal(replicates(MIOU, [single], resamples=5), MIOU(single))
    whole = replicates(MIOU, list(pair), resamples=2000)
    assert whole.mean(axis=1) == pytest.approx([MIOU(pair[0]), MIOU(pair[1])], abs=5e-3)


def test_replicates_are_paired_and_repeatable(pair: tuple[Counts, Counts]) -> None:
    together = replicates(MIOU, list(pair), resamples=300)
    apart = [replicates(MIOU, [counts], resamples=300)[0] for counts in pair]
    np.testing.assert_array_equal(together, apart)
    other = replicates(MIOU, list(pair), resamples=300, seed=1)
    assert not np.array_equal(together, other)


def test_clusters_are_drawn_whole(pair: tuple[Counts, Counts]) -> None:
    """Doubling every image within its cluster is no news, so the interval stays."""
    counts = pair[0]
    twice = Counts(*(np.repeat(array, 2, axis=0) for array in counts[:3]), *counts[3:])
    names = [f"{index:03d}" for index in range(40)]
    clustered = replicates(MIOU, [twice], np.repeat(names, 2).tolist(), resamples=300)
    np.testing.assert_allclose(clustered, replicates(MIOU, [counts], resamples=300))
    naive = replicates(MIOU, [twice], resamples=2000)
    assert naive.std() < 0.8 * clustered.std()


def test_different_images_cannot_be_paired(pair: tuple[Counts, Counts]) -> None:
    fewer = Counts(*(array[:3] for array in pair[1][:3]), *pair[1][3:])
    with pytest.raises(ValueError, match=r"\[3, 40\] images cannot be paired"):
        replicates(MIOU, [pair[0], fewer])


def test_coverage_of_a_known_difference() -> None:
    """Of 95% intervals for the difference of two methods, 93% to 97% hold the truth."""
    rates, simulations, images = (0.75, 0.7), 1000, 80
    population = [draw_counts(np.random.default_rng(s), 4000, r) for s, r in enumerate(rates)]
    truth = MIOU(population[0]) - MIOU(population[1])
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(simulations):
        chosen = rng.integers(4000, size=images)
        a, b = (Counts(*(x[chosen] for x in p[:3]), *p[3:]) for p in population)
        draws = replicates(MIOU, [a, b], resamples=1000)
        low, high = Estimate(MIOU(a) - MIOU(b), draws[0] - draws[1]).interval()
        covered += low <= truth <= high
    assert 0.93 <= covered / simulations <= 0.97


def test_coverage_where_training_seeds_vary() -> None:
    """Intervals hold the truth although few seeds were trained; those of images alone do not."""
    random, simulations, seeds = np.random.default_rng(3), 2000, 3
    held = {"both": 0, "images": 0}
    for _ in range(simulations):
        images, training = random.normal(0, 1), random.normal(0, 2, seeds)
        scores = images + training
        draws = scores.mean() + random.normal(0, 1, 1000)
        for name, by_seed in (("both", tuple(scores)), ("images", ())):
            low, high = Estimate(scores.mean(), draws, (), by_seed).interval()
            held[name] += low <= 0 <= high
    assert 0.94 <= held["both"] / simulations <= 0.98
    assert held["images"] / simulations < 0.85


def test_more_images_do_not_make_up_for_few_seeds() -> None:
    certain = Estimate(0.05, np.full(10_000, 0.05), (), (0.01, 0.05, 0.09))
    low, high = certain.interval()
    assert (low, high) == pytest.approx((0.05 - 0.0994, 0.05 + 0.0994), rel=0.01)  # t(2): 4.303
    assert certain.p_value() == pytest.approx(0.163, abs=0.01)
    agreeing = replace(certain, by_seed=(0.05, 0.05, 0.05))
    assert agreeing.interval() == pytest.approx((0.05, 0.05))


def test_sampling_seeds_are_averaged_within_their_training_seed() -> None:
    scores = [Estimate(value, np.full(3, value)) for value in (0.2, 0.4, 0.6)]
    found = mean_over_seeds(scores, [0, 0, 1])
    assert found.by_seed == pytest.approx((0.3, 0.6))
    assert found.value == pytest.approx(0.45)
    assert np.isnan(mean_over_seeds(scores, [0, 0, 0]).spread)


def test_arithmetic_keeps_pairing_keys_and_seeds() -> None:
    a = Estimate(0.6, np.array([0.5, 0.7]), ("a",), (0.5, 0.7))
    b = Estimate(0.3, np.array([0.2, 0.4]), ("b",), (0.2, 0.4))
    difference, ratio = a - b, a / b
    np.testing.assert_allclose(difference.draws, [0.3, 0.3])
    assert difference.keys == ("a", "b")
    assert difference.by_seed == pytest.approx((0.3, 0.3))
    assert ratio.value == pytest.approx(2)
    assert ratio.by_seed == pytest.approx((2.5, 1.75))
    both = mean([a, b])
    assert both.value == pytest.approx(0.45)
    assert both.by_seed == pytest.approx((0.35, 0.55))
    assert mean_over_seeds([a, b], [0, 1]).by_seed == (0.6, 0.3)
    assert mean_over_seeds([a, b], [0, 1]).spread == pytest.approx(np.std([0.6, 0.3], ddof=1))
    assert np.isnan(mean_over_seeds([a], [0]).spread)


def test_ratio_to_zero_is_unknown() -> None:
    zero = Estimate(0.0, np.zeros(4))
    ratio = Estimate(0.5, np.full(4, 0.5)) / zero
    assert np.isnan(ratio.value)
    assert all(np.isnan(ratio.interval()))


def test_p_value() -> None:
    sure = Estimate(1.0, np.linspace(0.5, 1.5, 999))
    assert sure.p_value() == pytest.approx(2 / 1000)
    unsure = Estimate(0.0, np.linspace(-1, 1, 999))
    assert unsure.p_value() == 1.0


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_between_raw_and_bonferroni(p_values: list[float]) -> None:
    for raw, adjusted in zip(p_values, holm(p_values), strict=True):
        assert raw <= adjusted <= min(1.0, len(p_values) * raw) + 1e-12


def test_minimum_detectable_difference_is_2_8_standard_errors() -> None:
    draws = np.random.default_rng(0).normal(size=20_000)
    assert minimum_detectable(Estimate(0.0, draws)) == pytest.approx(2.8016, rel=0.02)


def test_ranks_by_hand() -> None:
    """Three methods, four resamples: a wins thrice, b once; c is always last, once tied."""
    draws = ([5, 5, 5, 1], [3, 3, 1, 4], [1, 2, 1, 0])
    found = ranks([Estimate(float(np.mean(row)), np.array(row)) for row in draws])
    expected = [[0.75, 0.25, 0], [0.25, 0.75, 0], [0, 0.25, 0.75]]
    np.testing.assert_array_equal(found.probability, expected)
    assert found.low.tolist() == [1, 1, 2]
    assert found.high.tolist() == [2, 2, 3]


def test_rank_intervals_leave_out_the_tails() -> None:
    rare = np.where(np.arange(1000) < 24, 3.0, 1.0)  # first in 2.4% of the resamples
    found = ranks([Estimate(2.0, np.full(1000, 2.0)), Estimate(1.0, rare)])
    assert found.low.tolist() == found.high.tolist() == [1, 2]
    often = np.where(np.arange(1000) < 26, 3.0, 1.0)
    found = ranks([Estimate(2.0, np.full(1000, 2.0)), Estimate(1.0, often)])
    assert (found.low.tolist(), found.high.tolist()) == ([1, 1], [2, 2])


@given(st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=4))
def test_every_method_has_some_rank_in_every_resample(rows: list[list[int]]) -> None:
    found = ranks([Estimate(float(np.mean(row)), np.array(row)) for row in rows])
    np.testing.assert_allclose(found.probability.sum(axis=1), 1)
    assert (found.low <= found.high).all()
    assert (found.low >= 1).all()
    assert (found.high <= len(rows)).all()


def test_variance_is_split_into_its_sources() -> None:
    """Of scores made with known deviations, many simulations return these."""
    rng, trainings, samplings, simulations = np.random.default_rng(0), 4, 3, 3000
    training, sampling, images = 0.03, 0.02, 0.01
    found = []
    for _ in range(simulations):
        scores = rng.normal(0, training, (trainings, 1)) + rng.normal(
            0, sampling, (trainings, samplings)
        )
        draws = rng.normal(0, images, (trainings, samplings, 50))
        found.append(spread(scores, draws))
    variances = np.square(found).mean(axis=0)
    np.testing.assert_allclose(np.sqrt(variances), [training, sampling, images], rtol=0.05)


def test_a_source_with_one_seed_is_unknown() -> None:
    draws = np.zeros((2, 1, 5))
    found = spread(np.array([[0.5], [0.7]]), draws)
    assert found.training == pytest.approx(np.std([0.5, 0.7], ddof=1))
    assert np.isnan(found.sampling)
    assert np.isnan(spread(np.array([[0.5, 0.7]]), draws.reshape(1, 2, 5)).training)
    assert spread(np.array([[0.5, 0.7], [0.5, 0.7]]), np.zeros((2, 2, 5))).training == 0
