"""Memory of putting a cell's counts together: 2,000 images in 150 classes."""

import numpy as np

from bench.score.counts import ImageCounts, stack_counts
from tests.helpers.measuring import peak_bytes

IMAGES, CLASSES, PAIRS = 2000, 150, 120


def test_no_array_grows_with_classes_squared(performance, light):
    """An image has some of the classes, so that its confusion has few pairs."""
    images = IMAGES // 4 if light else IMAGES
    draws = np.random.default_rng(0)
    pairs = [np.sort(draws.choice(CLASSES**2, PAIRS, replace=False)) for _ in range(images)]
    counted = [
        ImageCounts(CLASSES, np.column_stack([*np.divmod(p, CLASSES), np.full(PAIRS, 9)]))
        for p in pairs
    ]
    most = peak_bytes(lambda: stack_counts(counted))
    dense = 8 * images * (CLASSES + 1) ** 2
    details = f"a dense confusion matrix per image: {dense / 2**20:.0f} MiB"
    share = 100 * most / dense
    performance.at_most("memory of a cell's counts, of dense ones", share, 20, "%", details)
