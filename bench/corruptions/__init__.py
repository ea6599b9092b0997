"""Corruptions: pure functions of (image, name, severity, seed).

Usable without the rest of the harness, as a seeded replacement of imagecorruptions::

    from bench.corruptions import corrupt

    foggy = corrupt(image, "fog", 3, seed=7)

in place of ``np.random.seed(7)`` and ``imagecorruptions.corrupt(image, severity=3,
corruption_name="fog")``. The bytes differ by at most 1 of 255 (``impulse_noise`` agrees in
distribution), but depend on the arguments alone: no global stream, any image size, any
thread. ``GROUPS["common"]`` is imagecorruptions' ``get_corruption_names()``,
``GROUPS["validation"]`` its ``get_corruption_names("validation")``. Only ``frost`` needs that
package, for its pictures (the extra ``imagecorruptions``).

Importing this costs milliseconds: the catalogue says what there is, and a family's
code (NumPy, OpenCV, Pillow; PyTorch for elastic_transform, snow and zoom_blur) is imported when
first used. The words: a *name* is an entry of the catalogue, and a *severity* is an index
from 1 into that entry's grid of parameters, so its range is the entry's own.

Severities nest: with one seed, a higher severity changes what a lower one has changed, and
more of it or further, wherever the published draws allow. They do not for ``shot_noise``
(Poisson counts of another rate use up the stream differently), ``glass_blur`` (offsets of
another reach are other draws) and ``snow`` (flakes of another size lie elsewhere).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bench.corruptions.catalogue import CATALOGUE, GROUPS, NAMES, SEVERITIES, lookup
from bench.corruptions.catalogue.entry import Corruption
from bench.corruptions.fast import corrupt_fast

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

VERSION = 2
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
    reference_height: int | None = None,
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
        reference_height: height in pixels of the images that widths in pixels are meant at;
            they then scale with the image's height. A blur of 10 px meant at 1024 rows is one
            of 1.25 px at 128, and what rounds to no pixel is left out. Noise stays one draw
            per pixel, and JPEG's blocks keep their size. None: widths as published, whatever
            the image's size.

    Returns:
        uint8 [H, W, 3], a new array.

    Raises:
        ValueError: if an argument is not as above, or the backend lacks the corruption or
            cannot scale its widths.
        FileNotFoundError: if frost's pictures are not installed; see ``missing``.
    """
    corruption = lookup(name, severity)
    _check(image, seed, depth)
    if reference_height is not None and (reference_height < 1 or backend != "fast"):
        wanted = "must be at least 1, with the backend 'fast'"
        raise ValueError(f"reference_height is {reference_height} with {backend!r}; it {wanted}")
    if backend == "fast":
        factor = image.shape[0] / reference_height if reference_height else 1.0
        return corrupt_fast(corruption, image, severity, seed, depth, factor)
    if backend == "reference":
        from bench.corruptions import reference

        return reference.corrupt(image, name, severity, seed)
    if backend == "torch":
        from bench.corruptions import batched

        return batched.corrupt_one(image, name, severity, seed, depth)
    raise ValueError(f"unknown backend {backend!r}; there are {', '.join(BACKENDS)}")


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
