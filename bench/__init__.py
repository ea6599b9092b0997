"""A harness that settles what generative segmentation is worth.

What a method file needs, and the reader of results; everything is imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.method import Method
    from bench.results import load_results
    from bench.schema import (
        IGNORE_INDEX,
        Augment,
        Batch,
        DataSpec,
        Frozen,
        MethodConfig,
        Stage,
    )

_HOME = {
    "Augment": "bench.schema",
    "Batch": "bench.schema",
    "DataSpec": "bench.schema",
    "Frozen": "bench.schema",
    "IGNORE_INDEX": "bench.schema",
    "Method": "bench.method",
    "MethodConfig": "bench.schema",
    "Stage": "bench.schema",
    "load_results": "bench.results",
}

__all__ = [
    "IGNORE_INDEX",
    "Augment",
    "Batch",
    "DataSpec",
    "Frozen",
    "Method",
    "MethodConfig",
    "Stage",
    "load_results",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'bench' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
