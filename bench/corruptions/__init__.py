"""Corruptions: pure functions of (image, name, severity, seed).

Importing this costs milliseconds: the catalogue says what there is, and a family's
code (NumPy, OpenCV, Pillow, PyTorch) is imported when first used. The words: a *name*
is an entry of the catalogue, and a *severity* is an index from 1 into that entry's grid
of parameters, so its range is the entry's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

from bench.corruptions.catalogue import CATALOGUE, GROUPS, NAMES, SEVERITIES
from bench.corruptions.entry import Corruption

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "BACKENDS",
    "CATALOGUE",
    "GROUPS",
    "NAMES",
    "SEVERITIES",
    "VERSION",
    "Corruption",
    "corrupt",
    "lookup",
    "missing",
    "probe_hash",
]

VERSION = 1
"""Of the specification: raised whenever a corruption's output would change."""

BACKENDS = ("fast", "reference", "torch")
"""This package's own code, imagecorruptions itself, or ``batched`` on a batch of one."""


def corrupt(
    image: np.ndarray,
    name: str,
    severity: int,
    seed: int,
    *,
    depth: np.ndarray | None = None,
    backend: str = "fast",
) -> np.ndarray:
    """Corrupt one image.

    The same arguments give the same bytes in any thread, process and order.

    Args:
        image: uint8 [H, W, 3], RGB, of any size; never changed.
        name: one of ``NAMES``.
        severity: one of ``SEVERITIES[name]``.
        seed: key of the draws (``bench.core.seeding.key``); below 2**32 the corruptions of
            imagecorruptions draw what they would with NumPy's global generator so seeded.
        depth: [H, W] in metres, for corruptions whose ``depth`` is set; those take a
            stated stand-in where there is none, and all others ignore it.
        backend: one of ``BACKENDS``.

    Returns:
        uint8 [H, W, 3], a new array.

    Raises:
        ValueError: if an argument is not as above, or the backend lacks the corruption.
        FileNotFoundError: if frost's pictures are not installed; see ``missing``.
    """
    corruption = lookup(name, severity)
    _check(image, seed, depth)
    if backend == "fast":
        return _fast(corruption, image, severity, seed, depth)
    if backend == "reference":
        from bench.corruptions import reference

        return reference.corrupt(image, name, severity, seed)
    if backend == "torch":
        from bench.corruptions import batched

        return batched.corrupt_one(image, name, severity, seed, depth)
    raise ValueError(f"unknown backend {backend!r}; there are {', '.join(BACKENDS)}")


def _fast(
    corruption: Corruption, image: np.ndarray, severity: int, seed: int, depth: np.ndarray | None
) -> np.ndarray:
    import numpy as np

    module = import_module(f"bench.corruptions.{corruption.family}")
    function: Callable[..., np.ndarray] = getattr(module, corruption.function or corruption.name)
    extra: dict[str, object] = {}
    if corruption.random:
        extra["seed"] = seed
    if corruption.depth:
        extra["depth"] = depth
    return function(np.ascontiguousarray(image), *corruption.grid[severity - 1], **extra)


def lookup(name: str, severity: int) -> Corruption:
    """Find a corruption.

    Raises:
        ValueError: if there is no such corruption, or it has no such severity.
    """
    if name not in CATALOGUE:
        near = get_close_matches(name, NAMES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(NAMES)}"
        raise ValueError(f"unknown corruption {name!r}; {hint}")
    if severity not in SEVERITIES[name]:
        top = len(SEVERITIES[name])
        raise ValueError(f"severity {severity} of {name!r}; it must be an integer in 1..{top}")
    return CATALOGUE[name]


def missing(name: str) -> str:
    """Say what a corruption needs that is not installed, with the remedy, or nothing."""
    from bench.corruptions.frost import FROST_REMEDY, frost_folder

    return FROST_REMEDY if name == "frost" and frost_folder() is None else ""


def probe_hash(name: str, severity: int, backend: str = "fast") -> str:
    """Hash a corruption's output on a fixed image, 16 hex digits.

    Kept in every record, it shows when a library's version changes what a name means.
    """
    import numpy as np

    row, column = np.mgrid[:48, :64]
    ramps = np.stack([row * 5, column * 4, (row * column) // 12], axis=2)
    checks = 60 * ((row // 8 + column // 8) % 2)[..., None]
    probe = np.clip(ramps + checks - 30, 0, 255).astype(np.uint8)
    out = corrupt(probe, name, severity, seed=0, backend=backend)
    return hashlib.sha256(out.tobytes()).hexdigest()[:16]


def _check(image: np.ndarray, seed: int, depth: np.ndarray | None) -> None:
    if image.dtype != "uint8" or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(f"image is {image.dtype} {image.shape}; it must be uint8 [H, W, 3]")
    if depth is not None and depth.shape != image.shape[:2]:
        raise ValueError(f"depth is {depth.shape}, image {image.shape}; heights and widths differ")
    if seed < 0:
        raise ValueError(f"seed is {seed}; it must not be negative")
