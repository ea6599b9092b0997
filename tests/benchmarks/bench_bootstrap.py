"""Speed of the paired bootstrap at the size of a published validation set."""

import time

import numpy as np
import pytest

from bench.score.counts import stack_counts
from bench.score.metrics import METRICS
from bench.score.stats import Estimate, replicates

IMAGES, CLASSES, METHODS, RESAMPLES = 500, 19, 2, 10_000
LIMIT_S = 1.0


def counts(seed: int):
    draws = np.random.default_rng(seed)
    size = CLASSES + 1
    return stack_counts([draws.integers(0, 1000, (size, size)) for _ in range(IMAGES)])


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize("metric", ["mIoU", "mIoU_image"])
def test_difference_of_two_methods(benchmark, performance, light, metric):
    cells = [counts(seed) for seed in range(METHODS)]
    score = METRICS[metric]

    def interval():
        first, second = replicates(score, cells, resamples=RESAMPLES)
        values = [score(each) for each in cells]
        return Estimate(values[0] - values[1], first - second).interval()

    low, high = benchmark.pedantic(interval, rounds=1 if light else 5, warmup_rounds=1)
    assert low < high
    stats = benchmark.stats.stats
    what = f"interval of a difference in {metric}, {IMAGES} images, {RESAMPLES} resamples"
    performance.at_most(what, stats.median, LIMIT_S, "s", f"{stats.min:.3g} to {stats.max:.3g} s")
