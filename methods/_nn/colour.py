"""Label maps as colour images (maskiges), and back by nearest colour."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from bench import IGNORE_INDEX
from methods._nn.precision import full_precision


def paint(label: Tensor, palette: Tensor) -> Tensor:
    """Colour a label map: X of GSS, x = c beta (arXiv:2303.11316, section 3.3).

    Args:
        label: int64 [B, H, W], classes or IGNORE_INDEX.
        palette: float32 [K + 1, 3], the last colour that of ignored pixels.

    Returns:
        float32 [B, 3, H, W] in the palette's range.
    """
    index = torch.where(label == IGNORE_INDEX, len(palette) - 1, label)
    return palette[index].permute(0, 3, 1, 2)


def nearest_scores(maskige: Tensor, palette: Tensor) -> Tensor:
    """Score classes by closeness of colour: the released X^-1 of GSS-FF.

    2 x.b_k - |b_k|^2 is -|x - b_k|^2 but for a term that is the same for every class, so
    the arg-max is the nearest colour, without a tensor of all differences. In full precision
    always: near colours are less apart than bfloat16 can tell.

    Args:
        maskige: float32 [B, 3, H, W].
        palette: float32 [K, 3] in the same range; the ignored colour left out, as in
            fudan-zvg/GSS generative_segmentation_head_ff.py.

    Returns:
        float32 [B, K, H, W].
    """
    with full_precision(maskige):
        weights = 2 * palette[:, :, None, None]
        return F.conv2d(maskige.float(), weights, -palette.square().sum(1))


def fill_void(label: Tensor) -> Tensor:
    """Give every ignored pixel of [B, H, W] a label from its surroundings.

    It takes the highest class of the smallest block of the 2 x 2 pyramid around it that
    has a label; a map without any becomes class 0.
    """
    labelled = torch.where(label == IGNORE_INDEX, -1, label)
    return _fill(labelled[:, None].float())[:, 0].long().clamp(min=0)


def _fill(label: Tensor) -> Tensor:
    """Fill what is negative in float32 [B, 1, H, W]."""
    if label.shape[2:] == (1, 1) or bool((label >= 0).all()):
        return label
    size = label.shape[2:]
    coarse = _fill(F.max_pool2d(label, 2, ceil_mode=True))
    surroundings = coarse.repeat_interleave(2, 2).repeat_interleave(2, 3)[
        :, :, : size[0], : size[1]
    ]
    return torch.where(label >= 0, label, surroundings)
