"""Several draws of a prediction: agreement, mean and best."""

from itertools import combinations

import numpy as np
import pytest

from bench.core.schema import IGNORE_INDEX
from bench.core.seeding import numpy_generator
from bench.score.counts import count_image, stack_counts
from bench.score.metrics import METRICS
from bench.score.sampling import count_agreement, of_draws

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


def test_agreement_is_the_share_of_equal_pairs():
    truth, predictions = draw()
    for image, drawn in zip(truth, np.moveaxis(predictions, 1, 0), strict=True):
        known = image != IGNORE_INDEX
        pairs = [(a == b)[known] for a, b in combinations(drawn, 2)]
        expected = [int(np.sum(pairs)), sum(pair.size for pair in pairs)]
        assert count_agreement(image, list(drawn)).tolist() == expected


def test_one_draw_has_no_pairs():
    with pytest.raises(ValueError, match="pairs need two"):
        count_agreement(np.zeros((2, 2)), [np.zeros((2, 2))])


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
