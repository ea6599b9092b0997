"""A training's method as it is before anything is learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from bench.core import seeding
from bench.core.method import Method
from bench.core.registry import load_method
from bench.core.schema import Protocol

if TYPE_CHECKING:
    from bench.engine.trainings import Training


def make_method(training: Training, protocol: Protocol) -> Method[Any]:
    """Make the method of a training as it is before any stage, on the CPU.

    Args:
        training: which method, and its seed.
        protocol: which may ask for channels last in memory, and for modules to be compiled:
            each module of the method where it is called.
    """
    method_class = load_method(training.entry.adapter)
    with seeding.seeded(seeding.key("init", training.seed, training.entry.adapter)):
        method: Method[Any] = method_class(training.config, training.data)
    if protocol.channels_last:
        method.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if protocol.compile:
        for module in method.children():
            module.compile()
    return method
