"""Sizes that a stride does not divide: pad at the bottom and right, crop back exactly."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from bench import IGNORE_INDEX


def _missing(size: int, multiple: int) -> int:
    return -size % multiple


def pad_image(image: Tensor, multiple: int) -> Tensor:
    """Repeat the last row and column of [B, C, H, W] until both sizes are multiples."""
    height, width = image.shape[2:]
    below, beside = _missing(height, multiple), _missing(width, multiple)
    if not below and not beside:
        return image
    return F.pad(image, (0, beside, 0, below), mode="replicate")


def pad_label(label: Tensor, multiple: int, value: int = IGNORE_INDEX) -> Tensor:
    """Extend [B, H, W] by ``value`` until both sizes are multiples."""
    height, width = label.shape[1:]
    below, beside = _missing(height, multiple), _missing(width, multiple)
    return F.pad(label, (0, beside, 0, below), value=value)


def pad_channels_last(x: Tensor, multiple: int) -> Tensor:
    """Extend [B, h, w, D] by zeros until both sizes are multiples."""
    height, width = x.shape[1:3]
    return F.pad(x, (0, 0, 0, _missing(width, multiple), 0, _missing(height, multiple)))
