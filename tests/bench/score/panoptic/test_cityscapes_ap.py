"""Cityscapes' AP against its scripts' walk through matches, written anew, on random images."""

import numpy as np
import pytest

from bench.core.schema import IGNORE_INDEX
from bench.score.panoptic import cityscapes_ap
from bench.score.panoptic.cityscapes_ap import cityscapes_precision
from bench.score.panoptic.overlaps import Segments, find_overlaps
from tests.helpers.segments import THINGS, image


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
