"""What the batched families share. Planes are [B, C, H, W]."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn.functional import interpolate


def fractions(planes: Tensor) -> Tensor:
    """Turn uint8 into float32 fractions of full scale."""
    return planes.float() / 255


def truncated(fraction: Tensor) -> Tensor:
    """Turn fractions of full scale into uint8, cut and not rounded."""
    return (fraction.clamp(0, 1) * 255).to(torch.uint8)


def padded(planes: Tensor, margins: tuple[int, int, int, int], border: str) -> Tensor:
    """Extend planes by (top, bottom, left, right) pixels.

    Unlike PyTorch's own padding, a margin may be wider than the image.

    Args:
        planes: [B, C, H, W].
        margins: in pixels, each at least 0.
        border: ``edge`` repeats it, ``reflect`` mirrors with it, ``reflect101`` without.
    """
    top, bottom, left, right = margins
    height, width = planes.shape[2:]
    rows = _index(height, top, bottom, border).to(planes.device)
    columns = _index(width, left, right, border).to(planes.device)
    return planes[:, :, rows][:, :, :, columns]


def _index(size: int, before: int, after: int, border: str) -> Tensor:
    index = torch.arange(-before, size + after)
    if border == "edge":
        return index.clamp(0, size - 1)
    overlap = 1 if border == "reflect" else 0
    period = max(1, 2 * (size - 1 + overlap))
    index = index % period
    return torch.minimum(index, period - overlap - index)


def weighted(
    planes: Tensor, taps: Iterable[tuple[int, int, float]], border: str = "edge"
) -> Tensor:
    """Sum copies of planes shifted by (dy, dx) pixels, each with its weight.

    Plain sums rather than a convolution: those may be computed in reduced precision.
    """
    taps = list(taps)
    height, width = planes.shape[2:]
    down, across = [tap[0] for tap in taps], [tap[1] for tap in taps]
    top, left = max(0, *down), max(0, *across)
    bottom, right = max(0, -min(down)), max(0, -min(across))
    source = padded(planes, (top, bottom, left, right), border)
    total = torch.zeros_like(planes)
    for dy, dx, weight in taps:
        y, x = top - dy, left - dx
        total.add_(source[:, :, y : y + height, x : x + width], alpha=weight)
    return total


def separable(
    planes: Tensor, vertical: Iterable[float], horizontal: Iterable[float], border: str = "edge"
) -> Tensor:
    """Filter with the outer product of two odd, symmetric kernels."""
    down, across = list(vertical), list(horizontal)
    middle = [(step - len(down) // 2, 0, weight) for step, weight in enumerate(down)]
    planes = weighted(planes, middle, border)
    level = [(0, step - len(across) // 2, weight) for step, weight in enumerate(across)]
    return weighted(planes, level, border)


def magnified(planes: Tensor, factor: float) -> Tensor:
    """Magnify the middle of planes, linear with the corners aligned.

    imagecorruptions' ``clipped_zoom``, which rounds the middle up to whole pixels: the
    result is at least as large as the planes.
    """
    height, width = planes.shape[2:]
    inner = math.ceil(height / factor), math.ceil(width / factor)
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    middle = planes[:, :, top : top + inner[0], left : left + inner[1]]
    size = [round(inner[0] * factor), round(inner[1] * factor)]
    return interpolate(middle, size, mode="bilinear", align_corners=True)


def looked_up(planes: Tensor, table: Tensor) -> Tensor:
    """Replace uint8 values by a table's, [256] or one a plane [B, C, 256]."""
    table = table.to(planes.device)
    if table.ndim == 1:
        return table[planes.int()]
    flat = planes.flatten(2).long()
    return table.gather(2, flat).view(planes.shape)
