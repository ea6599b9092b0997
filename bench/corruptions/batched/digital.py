"""Sampling of batches; coding stays with Pillow."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from bench.core.seeding import legacy_generator
from bench.corruptions.batched.planes import separable
from bench.corruptions.filters import gaussian_kernel


def elastic_transform(images: Tensor, alpha: float, *, seeds: Tensor) -> Tensor:
    """Displace pixels by a smooth random field."""
    height, width = images.shape[2:]
    bound = height * 0.005
    draws = [legacy_generator(s).uniform(-bound, bound, (2, height, width)) for s in seeds.tolist()]
    noise = torch.stack([torch.from_numpy(each) for each in draws]).float().to(images.device)
    down, across = (
        gaussian_kernel(sigma, int(3 * sigma + 0.5)).tolist()
        for sigma in (height * 0.01, width * 0.01)
    )
    shift = separable(noise, down, across, border="reflect") * alpha  # [B, 2, H, W]: x, y
    x = shift[:, 0] + torch.arange(width, device=images.device)
    y = shift[:, 1] + torch.arange(height, device=images.device)[:, None]
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=3)
    moved = grid_sample(images.float(), grid, padding_mode="reflection", align_corners=False)
    return moved.to(torch.uint8)


def pixelate(images: Tensor, scale: float) -> Tensor:
    """Shrink by averaging and enlarge by repeating."""
    height, width = images.shape[2:]
    small = max(1, int(height * scale)), max(1, int(width * scale))
    vertical = _box(height, small[0]).to(images.device)
    horizontal = _box(width, small[1]).to(images.device)
    # Pillow resizes rows first and stores whole numbers in between.
    narrow = (images.float() @ horizontal.T + 0.5).floor()
    low = (vertical @ narrow + 0.5).floor().to(torch.uint8)
    rows, columns = _nearest(height, small[0]), _nearest(width, small[1])
    return low[:, :, rows.to(low.device)][:, :, :, columns.to(low.device)]


def _box(size: int, small: int) -> Tensor:
    """Make Pillow's box filter as a matrix, float32 [small, size]."""
    scale = size / small
    centre = (torch.arange(small, dtype=torch.float64)[:, None] + 0.5) * scale
    offset = (torch.arange(size) - centre + 0.5) * (1 / scale)  # rounded as Pillow rounds
    inside = ((offset > -0.5) & (offset <= 0.5)).double()
    return (inside / inside.sum(dim=1, keepdim=True)).float()


def _nearest(size: int, small: int) -> Tensor:
    """Tell which of ``small`` pixels Pillow's nearest neighbour repeats, int64 [size]."""
    steps = np.full(size, small / size)
    steps[0] /= 2
    return torch.from_numpy(np.cumsum(steps).astype(np.int64))  # summed up, as Pillow does
