"""Corruptions of whole batches in PyTorch, on whatever device the images are.

The families mirror those of the parent package, with one function a corruption. Where
the parent draws little, or the draws cannot be had otherwise, they are its own and the
results agree within 1 of 255; the noise of gaussian_noise, shot_noise, impulse_noise and
speckle_noise comes from ``bench.core.seeding.counter_bits`` instead, made on the device, and
agrees in distribution. What has no function here is done by the parent, image by image.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor

from bench.corruptions.catalogue import lookup
from bench.corruptions.fast import corrupt_fast


def corrupt_batch(images: Tensor, name: str, severity: int, seeds: Tensor) -> Tensor:
    """Corrupt a batch; an image's result does not depend on its batch mates.

    No depth can be given: depth_fog takes its stand-in.

    Args:
        images: uint8 [B, H, W, 3], RGB; not changed.
        name: as for ``bench.corruptions.corrupt``.
        severity: likewise.
        seeds: int64 [B], keys of the images' draws, none negative.

    Returns:
        uint8 [B, H, W, 3] on the images' device.

    Raises:
        ValueError: if an argument is not as above.
    """
    corruption = lookup(name, severity)
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[3] != 3:
        got = f"{images.dtype} {tuple(images.shape)}"
        raise ValueError(f"images are {got}; they must be torch.uint8 [B, H, W, 3]")
    if seeds.shape != images.shape[:1] or bool((seeds < 0).any()):
        raise ValueError(f"seeds are {seeds.tolist()}; one is wanted an image, none negative")
    if (function := _function(corruption.family, name)) is None:
        return _one_by_one(images, name, severity, seeds)
    draws = {"seeds": seeds} if corruption.random else {}
    planes = images.permute(0, 3, 1, 2).contiguous()
    out = function(planes, *corruption.grid[severity - 1], **draws)
    return out.permute(0, 2, 3, 1).contiguous()


def covers(name: str) -> bool:
    """Whether a corruption is done here for whole batches, from images alone."""
    corruption = lookup(name, 1)
    return not corruption.depth and _function(corruption.family, name) is not None


def corrupt_one(
    image: np.ndarray, name: str, severity: int, seed: int, depth: np.ndarray | None
) -> np.ndarray:
    """Corrupt one image [H, W, 3] as a batch, on the CPU."""
    if (corruption := lookup(name, severity)).depth:
        return corrupt_fast(corruption, image, severity, seed, depth, 1.0)
    batch = torch.from_numpy(np.array(image))[None]
    return corrupt_batch(batch, name, severity, torch.tensor([seed]))[0].numpy()


def _function(family: str, name: str) -> Callable[..., Tensor] | None:
    """Return a corruption's function on planes, or None if it has none here."""
    module = f"{__name__}.{family}"
    if find_spec(module) is None:
        return None
    found: Callable[..., Tensor] | None = getattr(import_module(module), name, None)
    return found


def _one_by_one(images: Tensor, name: str, severity: int, seeds: Tensor) -> Tensor:
    keys = seeds.tolist()
    arrays = [
        corrupt_fast(lookup(name, severity), image, severity, key, None, 1.0)
        for image, key in zip(images.cpu().numpy(), keys, strict=True)
    ]
    return torch.from_numpy(np.stack(arrays)).to(images.device)
