"""The prior's head: four feature levels to logits over codes, and an auxiliary pixel head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods._nn.windowed_attention import ConvNormAct, window_blocks
from methods.gss.config import PriorHeadSettings

_ORDER = (1, 0, 2, 3)
"""The released head takes its levels in the order of strides 8, 4, 16, 32."""


class HeadOutput(NamedTuple):
    """What the head says of an image."""

    tokens: Tensor  # float32 [B, V, h, w], logits over codes
    pixels: Tensor | None  # float32 [B, K, h, w], logits over classes; None without the head


class LevelFusion(nn.Module):
    """Bring every level to one width and size, stack them, and mix the stack."""

    def __init__(self, channels: Sequence[int], width: int, out_channels: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(ConvNormAct(channels[i], width) for i in _ORDER)
        self.mix = ConvNormAct(width * len(_ORDER), out_channels)

    def forward(self, features: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """Fuse maps from stride 4 to 32 into float32 [B, D, h, w] of the size given."""
        resized = [
            F.interpolate(level(features[i]), size, mode="bilinear", align_corners=False)
            for i, level in zip(_ORDER, self.levels, strict=True)
        ]
        mixed: Tensor = self.mix(torch.cat(resized, 1))
        return mixed


class PriorHead(nn.Module):
    """Multi-level aggregation and a classifier over codes.

    Source: arXiv:2303.11316, appendix C; fudan-zvg/GSS
    mmseg/models/decode_heads/generative_segmentation_head_ff.py, and the variant with one
    fusion that the MSeg configurations use (``shared_fusion``).
    """

    def __init__(
        self, config: PriorHeadSettings, channels: Sequence[int], num_codes: int, num_classes: int
    ) -> None:
        super().__init__()
        self.shared_fusion = config.shared_fusion
        width = config.fused_width
        self.fusion = LevelFusion(channels, config.level_width, width)
        self.blocks = window_blocks(width, config.heads, config.window, 2 * width, config.depth)
        self.norm = nn.LayerNorm(width)
        self.widen = ConvNormAct(width, config.token_width)
        self.dropout = nn.Dropout2d(config.dropout)
        self.tokens = nn.Conv2d(config.token_width, num_codes, 1)
        self.pixel_fusion: LevelFusion | None = None
        self.pixels: nn.Conv2d | None = None
        if config.auxiliary:
            if not config.shared_fusion:
                self.pixel_fusion = LevelFusion(channels, config.level_width, config.level_width)
            self.pixels = nn.Conv2d(
                width if config.shared_fusion else config.level_width, num_classes, 1
            )

    def forward(self, features: Sequence[Tensor], size: tuple[int, int]) -> HeadOutput:
        """Classify every position of a token map of the size given.

        Args:
            features: float32 [B, C_i, h_i, w_i], four levels from fine to coarse.
            size: height and width of the token map.
        """
        fused = self.fusion(features, size)
        x = self.norm(self.blocks(fused.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        tokens = self.tokens(self.dropout(self.widen(x)))
        return HeadOutput(tokens, self._pixels(features, fused, size))

    def _pixels(
        self, features: Sequence[Tensor], fused: Tensor, size: tuple[int, int]
    ) -> Tensor | None:
        if self.pixels is None:
            return None
        if self.pixel_fusion is not None:
            fused = self.pixel_fusion(features, size)
        out: Tensor = self.pixels(self.dropout(fused))
        return out
