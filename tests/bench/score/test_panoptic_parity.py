"""Panoptic quality and Cityscapes' AP against the formulas of their references, written anew.

Images are random: void on both sides, crowds, groups without a number, stuff and things.
"""

import itertools
from collections import defaultdict

import numpy as np
import pytest

from bench.core.schema import IGNORE_INDEX
from bench.core.seeding import key, numpy_generator
from bench.score import cityscapes_ap
from bench.score.cityscapes_ap import cityscapes_precision
from bench.score.overlaps import Segments, find_overlaps
from bench.score.segments import count_quality

CLASSES, THINGS = 5, (2, 3, 4)


def blocks(random, side, void):
    """Draw a label map of squares: each a class or void, and of some number."""
    labels = random.choice([*range(CLASSES), IGNORE_INDEX], (side, side), p=void)
    numbers = random.integers(0, 4, (side, side))
    grow = np.ones((6, 6), int)
    return np.kron(labels, grow), np.kron(numbers, grow)


def image(number):
    """Draw a truth and a prediction that is partly right, with void, crowds and groups."""
    random = numpy_generator(key("panoptic parity", number))
    shares = np.array([1, 1, 1.5, 1.5, 1, 1.2])
    truth = blocks(random, 5, shares / shares.sum())
    other = blocks(random, 5, shares / shares.sum())
    kept = np.kron(random.random((10, 10)) < random.uniform(0.4, 1), np.ones((3, 3))) > 0
    label, instance = (np.where(kept, a, b) for a, b in zip(truth, other, strict=True))
    score = np.round(16 * random.random(label.shape)) / 16  # sums are exact
    return Segments(label, instance, score), Segments(*truth)


def panopticapi(predicted, truth):
    """The formula of cocodataset/panopticapi, on sets of pixels; a group is a crowd."""

    def segments(side):
        found = defaultdict(set)
        for place in np.ndindex(side.label.shape):
            k = int(side.label[place])
            if k != IGNORE_INDEX:
                found[k, int(side.instance[place]) if k in THINGS else 0].add(place)
        return found

    void = {place for place in np.ndindex(truth.label.shape) if truth.label[place] == IGNORE_INDEX}
    ours, theirs = segments(predicted), segments(truth)
    crowds = {k: pixels for (k, n), pixels in theirs.items() if k in THINGS and n == 0}
    counted, matched = np.zeros((4, CLASSES)), set()
    for (a, mine), (b, true) in itertools.product(ours.items(), theirs.items()):
        if a[0] != b[0] or (b[0] in crowds and b[1] == 0):
            continue
        iou = len(mine & true) / len((mine | true) - (void & mine))
        if iou > 0.5:
            counted[:2, a[0]] += iou, 1
            matched |= {("ours", a), ("theirs", b)}
    for (k, n), mine in ours.items():
        unknown = len(mine & void) + len(mine & crowds.get(k, set()))
        counted[2, k] += ("ours", (k, n)) not in matched and unknown / len(mine) <= 0.5
    for k, n in theirs:
        counted[3, k] += ("theirs", (k, n)) not in matched and not (k in crowds and n == 0)
    return counted


def test_panoptic_quality_is_panopticapis_on_a_thousand_images():
    unlike_pixels = groups = 0
    for number in range(1000):
        predicted, truth = image(number)
        overlaps = find_overlaps(predicted, truth, THINGS)
        counted = count_quality(overlaps, CLASSES, THINGS)
        np.testing.assert_allclose(counted, panopticapi(predicted, truth), atol=1e-12)
        unlike_pixels += (predicted.label == IGNORE_INDEX).any()
        groups += overlaps.groups(THINGS).any()
    assert unlike_pixels > 800  # the images do hold what is at stake
    assert groups > 800


def cityscapes(images, threshold, k):
    """AP of one class at one threshold, as cityscapesScripts walks through its matches."""
    true, score, missed, any_said = [], [], 0, False
    for predicted, truth in images:
        void = truth.label == IGNORE_INDEX
        theirs = {n: (truth.label == k) & (truth.instance == n)
                  for n in np.unique(truth.instance[truth.label == k])}  # fmt: skip
        ours = [(predicted.label == k) & (predicted.instance == n)
                for n in np.unique(predicted.instance[predicted.label == k])]  # fmt: skip
        any_said |= bool(ours)
        small = {n: pixels.sum() < cityscapes_ap.MIN_PIXELS for n, pixels in theirs.items()}
        for n, pixels in theirs.items():
            if n == 0 or small[n]:
                continue
            matches = sorted(
                predicted.score[mine].mean() for mine in ours
                if (mine & pixels).sum() / (mine | pixels).sum() > threshold
            )  # fmt: skip
            missed += not matches
            score += matches
            true += [False] * (len(matches) - 1) + [True] * bool(matches)
        for mine in ours:
            pairs = [(n, mine & pixels, mine | pixels) for n, pixels in theirs.items()]
            if any(both.sum() / either.sum() > threshold for _, both, either in pairs):
                continue
            excused = (mine & void).sum()
            for n, both, _ in pairs:
                excused += both.sum() * ((n == 0) + bool(small[n]))
            if excused / mine.sum() <= threshold:
                true.append(False)
                score.append(predicted.score[mine].mean())
    if not any(true) and not missed:
        return np.nan
    if not any(true):
        return 0.0
    true, score = np.array(true), np.array(score)
    points = [(true[score >= t].sum() / (score >= t).sum(), true[score >= t].sum())
              for t in np.unique(score)]  # fmt: skip
    precision = [p for p, _ in points] + [points[-1][0]]
    recall = [hits / (true.sum() + missed) for _, hits in points] + [0.0]
    widths = np.convolve([recall[0], *recall, 0.0], [-0.5, 0, 0.5], "valid")
    return float(np.dot(precision, widths))


def test_cityscapes_precision_is_that_of_its_scripts(monkeypatch):
    monkeypatch.setattr(cityscapes_ap, "MIN_PIXELS", 30)  # between the sizes of these objects
    images = [image(number) for number in range(40)]
    table = np.array([[cityscapes(images, t, k) for t in cityscapes_ap.THRESHOLDS] for k in THINGS])
    found = cityscapes_precision([find_overlaps(*pair, THINGS) for pair in images], THINGS)
    assert found == pytest.approx([np.nanmean(table), np.nanmean(table[:, 0])])
    assert 0.05 < found[0] < found[1] < 0.95


def test_a_perfect_prediction_has_a_precision_of_one():
    label = np.zeros((40, 40), int)
    label[5:25, 5:25] = 2
    truth = Segments(label, (label == 2).astype(int))
    assert cityscapes_precision([find_overlaps(truth, truth, THINGS)], THINGS) == pytest.approx(1)


def test_nothing_to_find_has_a_precision_of_zero():
    empty = Segments(np.zeros((4, 4), int), np.zeros((4, 4), int))
    assert cityscapes_precision([find_overlaps(empty, empty, THINGS)], THINGS).tolist() == [0, 0]
