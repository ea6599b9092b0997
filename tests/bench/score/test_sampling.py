"""Several draws of a prediction: agreement, mean and best."""

from itertools import combinations

import numpy as np
import pytest

from bench.core.schema import IGNORE_INDEX
from bench.core.seeding import numpy_generator
from bench.score.counts import count_image, stack_counts
from bench.score.metrics import METRICS
from bench.score.sampling import SAMPLES, agreement, of_draws, sample_labels

K = 3


def draw(draws=4, images=5):
    generator = numpy_generator(3)
    truth = generator.integers(K, size=(images, 6, 7))
    truth[:, 0] = IGNORE_INDEX
    wrong = generator.random((draws, *truth.shape)) < 0.4
    drawn = generator.integers(K, size=(draws, *truth.shape))
    return truth, np.where(wrong | (truth == IGNORE_INDEX), drawn, truth)


def counts_of(truth, predicted):
    return stack_counts([count_image(t, p, K) for t, p in zip(truth, predicted, strict=True)])


def sampled(truth, predicted):
    pairs = enumerate(zip(truth, predicted, strict=True))
    return np.stack([sample_labels(t, p, K, f"image {number}") for number, (t, p) in pairs])


def test_agreement_is_the_share_of_equal_pairs():
    """Of the sampled pixels exactly, and so about that of all labelled ones."""
    truth, predictions = draw(images=40)
    draws = [sampled(truth, each) for each in predictions]
    assert draws[0].shape == (40, SAMPLES)
    equal = [float(np.mean(a == b)) for a, b in combinations(draws, 2)]
    assert agreement(draws) == pytest.approx(np.mean(equal))
    labelled = truth != IGNORE_INDEX
    whole = [np.mean((a == b)[labelled]) for a, b in combinations(predictions, 2)]
    assert agreement(draws) == pytest.approx(np.mean(whole), abs=0.02)


def test_sampled_pixels_are_those_of_the_image_whatever_is_predicted():
    truth, predictions = draw()
    assert agreement([sampled(truth, predictions[0])] * 3) == 1
    places = np.arange(truth[0].size).reshape(truth[0].shape)
    assert (
        sample_labels(truth[0], places, K, "a") >= truth.shape[2]
    ).all()  # the first row is void
    assert (
        sample_labels(truth[0], places, K, "a") == sample_labels(truth[0], places, K, "a")
    ).all()
    assert (
        sample_labels(truth[0], places, K, "a") != sample_labels(truth[0], places, K, "b")
    ).any()


def test_void_is_a_prediction_and_an_image_without_labels_counts_for_nothing():
    truth = np.stack([np.zeros((2, 2)), np.full((2, 2), IGNORE_INDEX)])
    void, zero = np.full((2, 2, 2), IGNORE_INDEX), np.zeros((2, 2, 2))
    assert agreement([sampled(truth, void), sampled(truth, void)]) == 1
    assert agreement([sampled(truth, void), sampled(truth, zero)]) == 0
    nothing = sampled(truth[1:], void[1:])
    assert np.isnan(agreement([nothing, nothing]))


def test_draws_that_make_no_pairs_are_refused():
    one = np.zeros((2, SAMPLES), np.uint8)
    with pytest.raises(ValueError, match="pairs need two"):
        agreement([one])
    with pytest.raises(ValueError, match="of one shape"):
        agreement([one, one[:1]])


def test_mean_is_that_of_the_draws_own_scores():
    truth, predictions = draw()
    counted = [counts_of(truth, each) for each in predictions]
    expected = np.mean([METRICS["mIoU"](each) for each in counted])
    assert of_draws(counted).mean == pytest.approx(expected)


def test_best_takes_the_best_draw_of_each_image():
    truth, predictions = draw()
    counted = [counts_of(truth, each) for each in predictions]
    best = []
    for image, drawn in zip(truth, np.moveaxis(predictions, 1, 0), strict=True):
        scores = [METRICS["mIoU"](counts_of([image], [each])) for each in drawn]
        best.append(drawn[int(np.argmax(scores))])
    expected = METRICS["mIoU"](counts_of(truth, best))
    found = of_draws(counted)
    assert found.best == pytest.approx(expected)
    assert found.best > found.mean
    assert of_draws(counted[:1]).best == pytest.approx(of_draws(counted[:1]).mean)


def test_draws_of_other_images_are_refused():
    truth, predictions = draw()
    with pytest.raises(ValueError, match="of the same"):
        of_draws([counts_of(truth, predictions[0]), counts_of(truth[:2], predictions[0][:2])])
    with pytest.raises(ValueError, match="no draws"):
        of_draws([])
