import numpy as np
import pytest

from bench.schema import IGNORE_INDEX
from bench.segments import Segments, average_precision, panoptic_quality

THINGS = {1}


def street(shift=0, cars=2, score=None):
    """A road of class 0 with cars of class 1, 4 x 4 pixels each."""
    label = np.zeros((16, 32), dtype=np.int64)
    instance = np.zeros_like(label)
    for n in range(cars):
        label[4:8, 10 * n + shift : 10 * n + 4 + shift] = 1
        instance[4:8, 10 * n + shift : 10 * n + 4 + shift] = n + 1
    confidence = np.full(label.shape, 0.9) if score is None else score
    return Segments(label, instance, confidence)


def test_the_truth_scores_one():
    truth = [street(), street(cars=1)]
    quality = panoptic_quality(truth, truth, 2, THINGS)
    assert quality == pytest.approx((1, 1, 1, 1, 1))
    assert average_precision(truth, truth, 2, THINGS) == pytest.approx((1, 1))


def test_numbers_of_instances_do_not_matter():
    truth = street()
    renamed = truth._replace(instance=np.where(truth.instance > 0, 7 - truth.instance, 0))
    assert panoptic_quality([renamed], [truth], 2, THINGS).pq == pytest.approx(1)


def test_panoptic_quality_agrees_with_hand_counts():
    """One of two cars is found, a pixel too far right: IoU 12 / 20."""
    found = street(shift=1, cars=1)
    quality = panoptic_quality([found], [street()], 2, THINGS)
    assert quality.pq_things == pytest.approx(12 / 20 * 1 / 1.5)
    road = np.sum((found.label == 0) & (street().label == 0)) / np.sum(
        (found.label == 0) | (street().label == 0)
    )
    assert quality.pq_stuff == pytest.approx(road)
    assert quality.pq == pytest.approx((quality.pq_things + quality.pq_stuff) / 2)


def test_two_cars_taken_for_one_are_no_match():
    truth = street()
    merged = truth._replace(instance=np.minimum(truth.instance, 1))
    assert panoptic_quality([merged], [truth], 2, THINGS).pq_things == 0
    assert average_precision([merged], [truth], 2, THINGS).ap < 0.6


def test_average_precision_ranks_by_confidence():
    truth = street(cars=1)
    found = street(cars=2)
    sure_of_the_wrong_one = np.where(found.instance == 2, 0.9, 0.1)
    sure_of_the_right_one = np.where(found.instance == 1, 0.9, 0.1)
    best = average_precision([found._replace(score=sure_of_the_right_one)], [truth], 2, THINGS)
    worst = average_precision([found._replace(score=sure_of_the_wrong_one)], [truth], 2, THINGS)
    assert best.ap == pytest.approx(1)
    assert worst.ap == pytest.approx(0.5, abs=0.01)


def test_ignored_truth_counts_for_nothing():
    truth = street()
    truth.label[:, 20:] = IGNORE_INDEX
    found = street()
    found.label[10:14, 24:28] = 1
    found.instance[10:14, 24:28] = 9
    assert panoptic_quality([found], [truth], 2, THINGS).pq == pytest.approx(1)


def test_no_instances_give_zero():
    empty = street(cars=0)
    assert average_precision([empty], [street()], 2, THINGS) == (0, 0)


def test_average_precision_needs_scores():
    with pytest.raises(ValueError, match="no scores"):
        average_precision([street()._replace(score=None)], [street()], 2, THINGS)
