"""Heads on all levels at once, as HRNet has them: plain, and with object context (OCRNet)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from methods.decode_heads.layers import ConvUnit, DecodeHead, PixelClassifier, resize


def stack_levels(levels: Sequence[Tensor]) -> Tensor:
    """Bring all levels to the size of the first and stack them (arXiv:1904.04514, figure 1)."""
    return torch.cat([resize(level, levels[0]) for level in levels], 1)


class HighResolutionHead(DecodeHead):
    """HRNetV2's own head, which MSeg trains (Sun et al., arXiv:1904.04514, section 3.1)."""

    def __init__(self, channels: Sequence[int], num_classes: int, dropout: float) -> None:
        super().__init__()
        width = sum(channels)
        self.mix = ConvUnit(width, width)
        self.classify = PixelClassifier(width, num_classes, dropout)
        self.weights = {"prediction": 1.0}

    def forward(self, levels: Sequence[Tensor]) -> dict[str, Tensor]:
        return {"prediction": self.classify(self.mix(stack_levels(levels)))}


class ObjectAttention(nn.Module):
    """Pixels attend to regions, one of each class (Yuan et al., arXiv:1909.11065, eq. 3, 4).

    Logits are divided by the root of the width, as in mmsegmentation's ocr_head.py.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = width // 2
        self.inner = inner
        self.query = nn.Sequential(ConvUnit(width, inner), ConvUnit(inner, inner))
        self.key = nn.Sequential(ConvUnit(width, inner), ConvUnit(inner, inner))
        self.value = ConvUnit(width, inner)
        self.project = ConvUnit(inner, width)

    def forward(self, pixels: Tensor, regions: Tensor) -> Tensor:
        """Return the context of each pixel.

        Args:
            pixels: float32 [B, D, h, w].
            regions: float32 [B, D, K, 1].

        Returns:
            float32 [B, D, h, w].
        """
        query = self.query(pixels).flatten(2)  # [B, D / 2, h * w]
        key, value = self.key(regions).flatten(2), self.value(regions).flatten(2)
        relation = torch.einsum("bcn,bck->bnk", query, key) / math.sqrt(self.inner)
        context = torch.einsum("bnk,bck->bcn", relation.softmax(2).to(value), value)
        out: Tensor = self.project(context.reshape(len(pixels), -1, *pixels.shape[2:]))
        return out


def gather_regions(pixels: Tensor, logits: Tensor) -> Tensor:
    """Average pixels over soft object regions (arXiv:1909.11065, equation 2).

    Args:
        pixels: float32 [B, D, h, w].
        logits: float32 [B, K, h, w]; their softmax over positions is a region.

    Returns:
        float32 [B, D, K, 1].
    """
    share = logits.flatten(2).softmax(2).to(pixels)
    return torch.einsum("bkn,bdn->bdk", share, pixels.flatten(2))[..., None]


class ObjectContextHead(DecodeHead):
    """OCRNet: a coarse prediction tells regions, and each pixel is described by its own."""

    def __init__(
        self,
        channels: Sequence[int],
        width: int,
        num_classes: int,
        coarse_weight: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.coarse = HighResolutionHead(channels, num_classes, dropout)
        self.reduce = ConvUnit(sum(channels), width, 3)
        self.attend = ObjectAttention(width)
        self.join = ConvUnit(2 * width, width)
        self.classify = PixelClassifier(width, num_classes, dropout)
        self.weights = {"prediction": 1.0, "coarse": coarse_weight}

    def forward(self, levels: Sequence[Tensor]) -> dict[str, Tensor]:
        coarse = self.coarse(levels)["prediction"]
        pixels = self.reduce(stack_levels(levels))
        context = self.attend(pixels, gather_regions(pixels, coarse))
        joined = self.join(torch.cat([context, pixels], 1))
        return {"prediction": self.classify(joined), "coarse": coarse}
