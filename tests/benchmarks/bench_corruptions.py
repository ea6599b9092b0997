"""Speed of the corruptions against imagecorruptions, at all severities or, if light, the third.

The reference is run once where it takes longer than a few seconds. The whole takes about five
minutes, nearly all of them in the reference's glass_blur.
"""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from bench.corruptions import GROUPS, SEVERITIES, corrupt
from tests.helpers.measuring import ratio_of

HEIGHT, WIDTH = 1024, 2048
ROUNDS = 15
SLOW_S = 1.0


class Speed(NamedTuple):
    """Seconds of the CPU for one image at some severities."""

    reference_s: float
    fast_s: float


def scene() -> np.ndarray:
    """Smooth shapes with fine texture, uint8 [H, W, 3]."""
    draws = np.random.default_rng(0)
    coarse = draws.integers(0, 256, (HEIGHT // 16, WIDTH // 16, 3)).astype(np.uint8)
    smooth = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + draws.normal(0, 3, smooth.shape), 0, 255).astype(np.uint8)


def seconds(call: Callable[[], object]) -> float:
    """Median CPU time, of fewer calls the slower they are."""
    times: list[float] = []
    while len(times) < ROUNDS and sum(times) < SLOW_S:
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return statistics.median(times)


def measure(name: str, image: np.ndarray, severities: tuple[int, ...]) -> Speed:
    """Time both backends, after a first call on a corner."""
    totals = []
    for backend in ("reference", "fast"):
        corrupt(image[:64, :64], name, 1, seed=0, backend=backend)
        totals.append(
            sum(
                seconds(lambda s=severity, b=backend: corrupt(image, name, s, 7, backend=b))
                for severity in severities
            )
        )
    return Speed(*totals)


@pytest.fixture(scope="module")
def image(request) -> np.ndarray:
    cv2.setNumThreads(1)
    shrink = 4 if request.config.getoption("--light") else 1
    return np.ascontiguousarray(scene()[: HEIGHT // shrink, : WIDTH // shrink])


@pytest.fixture(scope="module")
def speeds() -> dict[str, Speed]:
    return {}


@pytest.mark.parametrize("name", GROUPS["common"])
def test_no_corruption_is_slower(performance, light, name, image, speeds) -> None:
    speeds[name] = measure(name, image, (3,) if light else tuple(SEVERITIES[name]))
    ratio = ratio_of([(speeds[name].fast_s, speeds[name].reference_s)])
    performance.faster(name, "imagecorruptions", ratio, 50 if name == "glass_blur" else 1)


def test_all_together_are_twelve_times_as_fast(performance, speeds) -> None:
    if len(speeds) < len(GROUPS["common"]):
        pytest.skip("needs every corruption measured in this run")
    reference_s, fast_s = map(sum, zip(*speeds.values(), strict=True))
    ratio = ratio_of([(fast_s, reference_s)])
    performance.faster("all 15 corruptions", "imagecorruptions", ratio, 12)
