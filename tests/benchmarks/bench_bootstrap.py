"""Speed of the paired bootstrap at the size of a published validation set, on one thread.

    python -m pytest tests/benchmarks/bench_bootstrap.py

Plain ``pytest`` does not collect this file.
"""

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


@pytest.mark.parametrize("metric", ["mIoU", "mIoU_image"])
def test_difference_of_two_methods(benchmark, metric):
    cells = [counts(seed) for seed in range(METHODS)]
    score = METRICS[metric]

    def interval():
        first, second = replicates(score, cells, resamples=RESAMPLES)
        values = [score(each) for each in cells]
        return Estimate(values[0] - values[1], first - second).interval()

    low, high = benchmark.pedantic(interval, rounds=5, warmup_rounds=1)
    assert low < high
    assert benchmark.stats.stats.median < LIMIT_S
