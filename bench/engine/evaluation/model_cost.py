"""What a model costs by itself: parameters, operations, time and memory of one prediction."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.core import seeding
from bench.core.config import MethodConfig
from bench.core.method import Method
from bench.core.record import ModelCost
from bench.core.registry import load_config
from bench.core.schema import DataSpec, fingerprint
from bench.data.split import Split
from bench.engine.failure import describe
from bench.engine.training.weights import empty_method

WARM_UP = 3
"""Predictions before any is timed: kernels are chosen, memory is taken."""
REPEATS = 10
LEAST = 2
"""Repeats of a model that is slower than the budget."""
BUDGET_SECONDS = 2.0
"""After which no repeat is begun, so that measuring costs a fraction of evaluating."""
Autocast = Callable[[], AbstractContextManager[Any]]
BUILT_FOR = (768, 768)
"""Height and width for which methods are built to be counted: square, as CAM-Seg has it."""


def measure_cost(
    method: Method[Any],
    size: tuple[int, int],
    device: torch.device,
    batch_size: int = 1,
    repeats: int = REPEATS,
    autocast: Autocast = nullcontext,
) -> ModelCost:
    """Measure a method's predictions of drawn images.

    Args:
        method: with all weights loaded.
        size: height and width of images.
        device: where it runs.
        batch_size: images at a time, for throughput; latency is of one image.
        repeats: timed predictions, after ``WARM_UP`` others, within the budget.
        autocast: makes the context of predictions, as Accelerate has it for a precision.

    Raises:
        ValueError: if the method looks its predictions up, and so has no cost.
    """
    if method.config.reads_predictions:
        raise ValueError(f"{type(method).__name__} looks predictions up; there is no cost of them")
    method.to(device).eval()

    def predict(images: int) -> Callable[[], object]:
        seeds = torch.arange(images)
        noise = seeding.uniform(seeding.derive(seeds, "cost"), 3, *size)
        image = (255 * noise).round().div(255).to(device)
        return lambda: method.predict(image, seeds)

    one, batch = predict(1), predict(batch_size)
    with torch.inference_mode(), autocast():
        with FlopCounterMode(display=False) as counter:
            one()
        _times(one, WARM_UP, device)
        latency = _times(one, repeats, device)
        _reset_peak(device)
        batches = latency if batch_size == 1 else _times(batch, repeats + 1, device)[1:]
        peak = _peak(device)
    return ModelCost(
        parameters=sum(p.numel() for p in method.parameters()),
        size=size,
        flops=counter.get_total_flops(),
        latency=statistics.median(latency),
        latency_spread=(min(latency), max(latency)),
        repeats=len(latency),
        batch_size=batch_size,
        throughput=batch_size / statistics.median(batches),
        peak_memory=peak,
    )


class MeasuredCosts:
    """The costs of trained methods on one device, measured once each."""

    def __init__(
        self, device: torch.device, autocast: Autocast, say: Callable[[str], None]
    ) -> None:
        self.device, self.autocast, self.say = device, autocast, say
        self._costs: dict[tuple[object, ...], ModelCost | None] = {}

    def of(
        self, method: Method[Any], weights: Sequence[str], split: Split, rows: int
    ) -> ModelCost | None:
        """Return what a method's prediction of a split's images costs.

        None for predictions made elsewhere; and where measuring fails, which is said and costs
        no number.

        Args:
            method: with all weights loaded.
            weights: their digests, which tell trainings of one method apart.
            split: images of the size, or of windows of the size, that the method is shown.
            rows: images at a time.
        """
        if method.config.reads_predictions:
            return None
        size = _size_of(split)
        key = (type(method), fingerprint(method.config), tuple(weights), size)
        if key not in self._costs:
            try:
                cost = measure_cost(method, size, self.device, rows, autocast=self.autocast)
                self._costs[key] = cost
            except Exception as error:  # a number is worth more than what it cost
                self.say(f"cost of {type(method).__name__} not measured: {describe(error).line}")
                self._costs[key] = None
        return self._costs[key]


def _size_of(split: Split) -> tuple[int, int]:
    """Return the height and width that a method is shown: of windows, or of the first image."""
    protocol = split.protocol
    if protocol.slide is not None:
        return protocol.slide.window
    height, width = split.sample(0).label.shape
    return protocol.size_of(height, width)


def _times(predict: Callable[[], object], repeats: int, device: torch.device) -> list[float]:
    """Return the seconds of some predictions: ``repeats`` of them, or as many as the budget has."""
    seconds: list[float] = []
    while len(seconds) < repeats and (len(seconds) < LEAST or sum(seconds) < BUDGET_SECONDS):
        _wait(device)
        started = time.perf_counter()
        predict()
        _wait(device)
        seconds.append(time.perf_counter() - started)
    return seconds


def _wait(device: torch.device) -> None:
    """Let an accelerator finish what it was given, which a CPU has done on return."""
    if _is_accelerator(device):
        torch.accelerator.synchronize(device)


def _reset_peak(device: torch.device) -> None:
    if _is_accelerator(device):
        torch.accelerator.memory.reset_peak_memory_stats(device)


def _peak(device: torch.device) -> int | None:
    if not _is_accelerator(device):
        return None
    return int(torch.accelerator.memory.max_memory_allocated(device))


def _is_accelerator(device: torch.device) -> bool:
    current = torch.accelerator.current_accelerator()
    return current is not None and device.type == current.type


def count_parameters(adapter: str, preset: str, num_classes: int) -> int:
    """Count a preset's parameters without memory for them.

    Raises:
        BenchError: if the preset alone does not say which model it is.
    """
    config: MethodConfig = load_config(adapter)[1][preset]
    names = tuple(f"class {k}" for k in range(num_classes))
    palette = tuple((k, k, k) for k in range(num_classes))
    data = DataSpec(classes=names, palette=palette, size=BUILT_FOR)
    config.check(data)
    method = empty_method(adapter, config, data, f"{adapter} {preset}")
    return sum(parameter.numel() for parameter in method.parameters())
