"""Panoptic quality against the formula of its reference, written anew, on random images."""

import itertools
from collections import defaultdict

import numpy as np

from bench.core.schema import IGNORE_INDEX
from bench.score.panoptic.overlaps import find_overlaps
from bench.score.panoptic.segments import count_quality
from tests.helpers.segments import CLASSES, THINGS, image


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
