import numpy as np
import pytest

from bench.core.schema import IGNORE_INDEX
from bench.score.counts import Counts, stack_counts
from bench.score.metrics import METRICS
from bench.score.panoptic.overlaps import Segments, find_overlaps
from bench.score.panoptic.segments import (
    Objects,
    coco_precision,
    connected,
    count_quality,
    objects_of,
    thing_ids,
)

THINGS = {1}


def quality(predicted, truth):
    """Every panoptic score of two lists of images, from what is stored of them."""
    pairs = zip(predicted, truth, strict=True)
    counted = np.stack([count_quality(find_overlaps(*pair, THINGS), 2, THINGS) for pair in pairs])
    none = stack_counts([np.zeros((3, 3), int)] * len(truth))
    counts: Counts = none._replace(segments=counted, things=np.array([False, True]))
    return {name: METRICS[name](counts) for name in ("PQ", "SQ", "RQ", "PQ_things", "PQ_stuff")}


def precision(predicted, truth):
    pairs = zip(predicted, truth, strict=True)
    return coco_precision(
        [Objects(objects_of(a, THINGS), objects_of(b, THINGS, groups=True)) for a, b in pairs]
    )


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
    assert list(quality(truth, truth).values()) == pytest.approx([1] * 5)
    assert precision(truth, truth) == pytest.approx((1, 1))


def test_numbers_of_instances_do_not_matter():
    truth = street()
    renamed = truth._replace(instance=np.where(truth.instance > 0, 7 - truth.instance, 0))
    assert quality([renamed], [truth])["PQ"] == pytest.approx(1)


def test_panoptic_quality_agrees_with_hand_counts():
    """One of two cars is found, a pixel too far right: IoU 12 / 20."""
    found = street(shift=1, cars=1)
    scores = quality([found], [street()])
    assert scores["PQ_things"] == pytest.approx(12 / 20 * 1 / 1.5)
    road = np.sum((found.label == 0) & (street().label == 0)) / np.sum(
        (found.label == 0) | (street().label == 0)
    )
    assert scores["PQ_stuff"] == pytest.approx(road)
    assert scores["PQ"] == pytest.approx((scores["PQ_things"] + scores["PQ_stuff"]) / 2)
    assert scores["SQ"] == pytest.approx((12 / 20 + road) / 2)
    assert scores["RQ"] == pytest.approx((1 / 1.5 + 1) / 2)


def test_two_cars_taken_for_one_are_no_match():
    truth = street()
    merged = truth._replace(instance=np.minimum(truth.instance, 1))
    assert quality([merged], [truth])["PQ_things"] == 0
    assert precision([merged], [truth])[0] < 0.6


def test_average_precision_ranks_by_confidence():
    truth = street(cars=1)
    found = street(cars=2)
    sure_of_the_wrong_one = np.where(found.instance == 2, 0.9, 0.1)
    sure_of_the_right_one = np.where(found.instance == 1, 0.9, 0.1)
    best = precision([found._replace(score=sure_of_the_right_one)], [truth])
    worst = precision([found._replace(score=sure_of_the_wrong_one)], [truth])
    assert best[0] == pytest.approx(1)
    assert worst[0] == pytest.approx(0.5, abs=0.01)


def test_ignored_truth_counts_for_nothing():
    truth = street()
    truth.label[:, 20:] = IGNORE_INDEX
    found = street()
    found.label[10:14, 24:28] = 1
    found.instance[10:14, 24:28] = 9
    assert quality([found], [truth])["PQ"] == pytest.approx(1)


def test_no_instances_give_zero():
    empty = street(cars=0)
    assert precision([empty], [street()]) == (0, 0)


def test_components_stand_in_for_instances():
    truth = street()
    found = connected(truth.label, THINGS)
    assert len(np.unique(found.instance)) == 3  # nothing and two cars
    assert list(quality([found], [truth]).values()) == pytest.approx([1] * 5)
    assert precision([found], [truth]) == pytest.approx((1, 1))


def test_crowds_of_the_truth_are_not_asked_for_by_coco():
    truth = street()
    truth.instance[truth.instance == 2] = 0  # the second car was not told apart
    assert precision([street()], [truth]) == pytest.approx((1, 1))
    assert precision([street(cars=1)], [truth]) == pytest.approx((1, 1))


def test_things_are_those_of_the_dataset():
    assert thing_ids(("road", "person", "sky", "car"), {"car", "person", "boat"}) == (1, 3)
