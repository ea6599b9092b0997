"""A harness that settles what generative segmentation is worth.

All that a method file needs, and the reader of results; everything is imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.core import seeding
    from bench.core.conversion import Checkpoints, Conversion
    from bench.core.method import Method, Segmented
    from bench.core.schema import (
        IGNORE_INDEX,
        Augment,
        Batch,
        DataSpec,
        Fraction,
        Frozen,
        LayerDecay,
        MethodConfig,
        ParameterGroup,
        Positive,
        Stage,
        Task,
    )
    from bench.core.torchvision_ops import ensure_torchvision
    from bench.corruptions.latents import CODE_FLIPS, LATENT_NOISE
    from bench.store.load import load_results

_HOME = {
    "Augment": "bench.core.schema",
    "Batch": "bench.core.schema",
    "CODE_FLIPS": "bench.corruptions.latents",
    "Checkpoints": "bench.core.conversion",
    "Conversion": "bench.core.conversion",
    "DataSpec": "bench.core.schema",
    "Fraction": "bench.core.schema",
    "Frozen": "bench.core.schema",
    "IGNORE_INDEX": "bench.core.schema",
    "LATENT_NOISE": "bench.corruptions.latents",
    "Method": "bench.core.method",
    "MethodConfig": "bench.core.schema",
    "ParameterGroup": "bench.core.schema",
    "LayerDecay": "bench.core.schema",
    "Positive": "bench.core.schema",
    "Segmented": "bench.core.method",
    "Stage": "bench.core.schema",
    "Task": "bench.core.schema",
    "ensure_torchvision": "bench.core.torchvision_ops",
    "load_results": "bench.store.load",
}

__all__ = [
    "Augment",
    "Batch",
    "CODE_FLIPS",
    "Checkpoints",
    "Conversion",
    "DataSpec",
    "Fraction",
    "Frozen",
    "IGNORE_INDEX",
    "LATENT_NOISE",
    "Method",
    "MethodConfig",
    "ParameterGroup",
    "LayerDecay",
    "Positive",
    "Segmented",
    "Stage",
    "Task",
    "ensure_torchvision",
    "load_results",
    "seeding",
]


def home_of(name: str) -> str:
    """Return the module that an exported name comes from."""
    if name == "seeding":
        return "bench.core.seeding"
    if name not in _HOME:
        raise AttributeError(f"module 'bench' has no attribute {name!r}")
    return _HOME[name]


def __getattr__(name: str) -> Any:
    module = import_module(home_of(name))
    return module if name == "seeding" else getattr(module, name)
