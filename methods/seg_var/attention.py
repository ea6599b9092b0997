"""Transformer blocks and positions of Seg-VAR's modules."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

OCTAVES = 6
"""Between the slowest wave of a position, half a period per picture, and the fastest."""


class Cache(NamedTuple):
    """Keys and values of the tokens so far."""

    key: Tensor  # [B, heads, L, D / heads]
    value: Tensor  # [B, heads, L, D / heads]


def grid_positions(rows: int, columns: int, width: int) -> Tensor:
    """Sine and cosine of a grid's cell centres in the unit square, float32 [h*w, width].

    Vaswani et al., arXiv:1706.03762, section 3.5, once per side. Grids of different sizes over
    the same image agree, so that tokens can find those of other scales at the same position.
    """
    side = width // 4
    frequencies = math.pi * 2.0 ** torch.linspace(0, OCTAVES, side)
    waves = []
    for n in (rows, columns):
        phase = ((torch.arange(n) + 0.5) / n)[:, None] * frequencies
        waves.append(torch.cat([phase.sin(), phase.cos()], 1))
    down = waves[0][:, None].expand(rows, columns, 2 * side)
    across = waves[1][None].expand(rows, columns, 2 * side)
    both = torch.cat([down, across], 2).flatten(0, 1)
    return F.pad(both, (0, width - both.shape[1]))


class NormalisedAttention(nn.Module):
    """Multi-head attention over L2-normalised queries and keys.

    With a learned temperature per head (FoundationVision/VAR, models/basic_var.py,
    ``attn_l2_norm``).
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.log_scale = nn.Parameter(torch.full((heads, 1, 1), math.log(4.0)))

    def forward(
        self, x: Tensor, mask: Tensor | None = None, past: Cache | None = None
    ) -> tuple[Tensor, Cache]:
        """Attend from [B, L, D] to itself and what came before.

        Args:
            x: [B, L, D].
            mask: bool [L, L], true where a row may attend to a column.
            past: keys and values of earlier tokens, which all may be attended to.

        Returns:
            [B, L, D], and keys and values of all tokens so far.
        """
        query, key, value = (
            part.reshape(*part.shape[:2], self.heads, -1).transpose(1, 2)
            for part in self.qkv(x).chunk(3, dim=-1)
        )  # [B, heads, L, D / heads]
        scale = self.log_scale.clamp(max=math.log(100.0)).exp()
        query, key = F.normalize(query, dim=-1) * scale, F.normalize(key, dim=-1)
        if past is not None:
            key, value = torch.cat([past.key, key], 2), torch.cat([past.value, value], 2)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=1.0)
        out: Tensor = self.project(mixed.transpose(1, 2).flatten(2))
        return out, Cache(key, value)


class TransformerBlock(nn.Module):
    """Attention and a perceptron, each normalised first, modulated if conditioned.

    With ``condition``, AdaLN as in VAR: shift and scale after each normalisation and a gate
    before each addition come from a vector. Gates start at one instead of VAR's 1e-5, which
    suits long training only; shifts and scales start at zero.
    """

    def __init__(self, width: int, heads: int, dropout: float, condition: bool) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6, elementwise_affine=not condition)
        self.attention = NormalisedAttention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=1e-6, elementwise_affine=not condition)
        self.perceptron = nn.Sequential(
            nn.Linear(width, 4 * width),
            nn.GELU(approximate="tanh"),
            nn.Linear(4 * width, width),
            nn.Dropout(dropout),
        )
        self.modulate = nn.Linear(width, 6 * width) if condition else None
        if self.modulate is not None:
            nn.init.zeros_(self.modulate.weight)
            nn.init.zeros_(self.modulate.bias)

    def forward(
        self,
        x: Tensor,
        condition: Tensor | None = None,
        mask: Tensor | None = None,
        past: Cache | None = None,
    ) -> tuple[Tensor, Cache]:
        """Map [B, L, D] to the same shape, and return the attention's cache.

        Args:
            x: [B, L, D].
            condition: [B, D], if the block is conditioned.
            mask: see :class:`NormalisedAttention`.
            past: see :class:`NormalisedAttention`.
        """
        shift1, scale1, gate1, shift2, scale2, gate2 = self._modulation(condition)
        normed = self.norm1(x) * (1 + scale1) + shift1
        attended, cache = self.attention(normed, mask, past)
        x = x + (1 + gate1) * attended
        normed = self.norm2(x) * (1 + scale2) + shift2
        return x + (1 + gate2) * self.perceptron(normed), cache

    def _modulation(self, condition: Tensor | None) -> tuple[Tensor | float, ...]:
        """Return shift, scale, gate - 1 of both halves, each [B, 1, D]; zeros without."""
        if self.modulate is None or condition is None:
            return (0.0,) * 6
        parts: Tensor = self.modulate(F.silu(condition))[:, None]
        return parts.chunk(6, dim=-1)
