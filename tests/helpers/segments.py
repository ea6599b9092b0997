"""Random images with void on both sides, crowds, groups without a number, stuff and things."""

import numpy as np

from bench.core.schema import IGNORE_INDEX
from bench.core.seeding import key, numpy_generator
from bench.score.panoptic.overlaps import Segments

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
