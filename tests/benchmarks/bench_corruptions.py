"""Speed of the corruptions against imagecorruptions, measured in one run on one thread.

    python -m pytest tests/benchmarks/bench_corruptions.py --benchmark-columns=median,rounds
    python -m tests.benchmarks.bench_corruptions             # prints the README's table

Plain ``pytest`` does not collect this file. Times are of the CPU, so that a busy machine
disturbs them little; the reference is run once where it takes longer than a few seconds.
The whole takes about five minutes, nearly all of them in the reference's glass_blur.
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import torch

from bench.corruptions import GROUPS, SEVERITIES, corrupt

HEIGHT, WIDTH = 1024, 2048
ROUNDS = 15
SLOW_S = 1.0


class Speed(NamedTuple):
    """Seconds of the CPU for one image at all severities."""

    reference_s: float
    fast_s: float

    @property
    def ratio(self) -> float:
        return self.reference_s / self.fast_s


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


def one_thread() -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def measure(name: str, image: np.ndarray) -> Speed:
    """Time both backends at every severity, after a first call on a corner."""
    totals = []
    for backend in ("reference", "fast"):
        corrupt(image[:64, :64], name, 1, seed=0, backend=backend)
        totals.append(
            sum(
                seconds(lambda s=severity, b=backend: corrupt(image, name, s, 7, backend=b))
                for severity in SEVERITIES[name]
            )
        )
    return Speed(*totals)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    one_thread()
    return scene()


@pytest.fixture(scope="module")
def speeds() -> dict[str, Speed]:
    return {}


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize("name", GROUPS["common"])
def test_no_corruption_is_slower(benchmark, name, image, speeds) -> None:
    speeds[name] = measure(name, image)
    benchmark.extra_info.update(speeds[name]._asdict(), ratio=speeds[name].ratio)
    benchmark.pedantic(corrupt, (image, name, 3, 7), rounds=3)
    assert speeds[name].ratio >= (50 if name == "glass_blur" else 1)


def test_all_together_are_twelve_times_as_fast(speeds) -> None:
    if len(speeds) < len(GROUPS["common"]):
        pytest.skip("needs every corruption measured in this run")
    reference_s, fast_s = map(sum, zip(*speeds.values(), strict=True))
    assert Speed(reference_s, fast_s).ratio >= 12


def table(names: tuple[str, ...]) -> str:
    """Make the README's table: seconds for one image at all five severities."""
    one_thread()
    image, speeds = scene(), {}
    rows = [
        "| corruption | imagecorruptions, s | this project, s | ratio |",
        "|---|---:|---:|---:|",
    ]
    for name in names:
        sys.stderr.write(f"{name}\n")
        speeds[name] = measure(name, image)
    total = Speed(*map(sum, zip(*speeds.values(), strict=True)))
    for name, speed in [*speeds.items(), ("**all**", total)]:
        rows.append(
            f"| {name} | {speed.reference_s:.2f} | {speed.fast_s:.2f} | {speed.ratio:.1f} |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    sys.stdout.write(table(tuple(sys.argv[1:]) or GROUPS["common"]) + "\n")
