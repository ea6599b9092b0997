"""This package's own implementation of a corruption: the family's function, with its arguments."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from bench.corruptions.catalogue.entry import Corruption

if TYPE_CHECKING:
    import numpy as np


def corrupt_fast(
    corruption: Corruption,
    image: np.ndarray,
    severity: int,
    seed: int,
    depth: np.ndarray | None,
    factor: float,
) -> np.ndarray:
    """Call a corruption's function; ``factor`` is the image's height by the reference height."""
    import numpy as np

    module = import_module(f"bench.corruptions.{corruption.family}")
    function: Callable[..., np.ndarray] = getattr(module, corruption.function or corruption.name)
    extra: dict[str, object] = {}
    if corruption.random:
        extra["seed"] = seed
    if corruption.depth:
        extra["depth"] = depth
    if corruption.texture:
        extra["magnification"] = factor
    return function(np.ascontiguousarray(image), *corruption.arguments(severity, factor), **extra)
