"""What a model costs by itself: parameters, operations, time and memory of one prediction."""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.core import seeding
from bench.core.config import MethodConfig
from bench.core.method import Method
from bench.core.registry import load_config
from bench.core.schema import DataSpec, Frozen, Positive
from bench.engine.training.weights import empty_method

WARM_UP = 3
"""Predictions before any is timed: kernels are chosen, memory is taken."""
REPEATS = 10
BUILT_FOR = (768, 768)
"""Height and width for which methods are built to be counted: square, as CAM-Seg has it."""


class ModelCost(Frozen):
    """The cost of predicting one batch with a method alone, data and scoring left out."""

    parameters: int
    """Of all modules, those that prediction does not use included."""
    size: tuple[Positive, Positive]
    """Height and width of the images."""
    batch_size: Positive
    flops: int
    """Floating-point operations per image, a multiplication and an addition being two, as
    ``torch.utils.flop_counter`` counts them: matrix products, convolutions and attention."""
    latency: float
    """Seconds from a batch to its labels, median of the repeats."""
    latency_spread: tuple[float, float]
    """Least and greatest of them."""
    throughput: float
    """Images per second, at the median."""
    peak_memory: int | None
    """Most bytes allocated on the accelerator at a time, weights included; None on a CPU, where
    PyTorch does not count them."""
    repeats: Positive


def measure_cost(
    method: Method[Any],
    size: tuple[int, int],
    device: torch.device,
    batch_size: int = 1,
    repeats: int = REPEATS,
) -> ModelCost:
    """Measure a method's predictions of a drawn image, in the precision it has.

    Args:
        method: with all weights loaded.
        size: height and width of images.
        device: where it runs.
        batch_size: images at a time.
        repeats: timed predictions, after ``WARM_UP`` others.

    Raises:
        ValueError: if the method looks its predictions up, and so has no cost.
    """
    if method.config.reads_predictions:
        raise ValueError(f"{type(method).__name__} looks predictions up; there is no cost of them")
    method.to(device).eval()
    seeds = torch.arange(batch_size)
    noise = seeding.uniform(seeding.derive(seeds, "cost"), 3, *size)
    image = (255 * noise).round().div(255).to(device)
    _reset_peak(device)
    with torch.inference_mode():
        with FlopCounterMode(display=False) as counter:
            method.predict(image, seeds)
        for _ in range(WARM_UP):
            method.predict(image, seeds)
        seconds = [_timed(method, image, seeds, device) for _ in range(repeats)]
    median = statistics.median(seconds)
    return ModelCost(
        parameters=sum(p.numel() for p in method.parameters()),
        size=size,
        batch_size=batch_size,
        flops=counter.get_total_flops() // batch_size,
        latency=median,
        latency_spread=(min(seconds), max(seconds)),
        throughput=batch_size / median,
        peak_memory=_peak(device),
        repeats=repeats,
    )


def _timed(
    method: Method[Any], image: torch.Tensor, seeds: torch.Tensor, device: torch.device
) -> float:
    _wait(device)
    started = time.perf_counter()
    method.predict(image, seeds)
    _wait(device)
    return time.perf_counter() - started


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
