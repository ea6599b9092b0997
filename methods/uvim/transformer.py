"""Transformer blocks of oracle, base model and predictor.

Pre-norm, as in google-research/big_vision models/vit.py and models/proj/uvim/vtt.py.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Memory(NamedTuple):
    """Keys and values that may be attended to."""

    key: Tensor  # [B, heads, L, D / heads]
    value: Tensor  # [B, heads, L, D / heads]


class MultiHeadAttention(nn.Module):
    """Queries from one sequence, keys and values from the same or another."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads do not divide a width of {width}")
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.project = nn.Linear(width, width)

    def memorise(self, x: Tensor) -> Memory:
        """Return keys and values of [B, L, D]."""
        key, value = (self._split(part) for part in self.key_value(x).chunk(2, 2))
        return Memory(key, value)

    def forward(self, x: Tensor, memory: Memory, causal: bool = False) -> Tensor:
        """Attend from [B, L, D] to a memory; ``causal``: of the same tokens, to those before."""
        query = self._split(self.query(x))
        mixed = F.scaled_dot_product_attention(query, *memory, is_causal=causal)
        out: Tensor = self.project(mixed.transpose(1, 2).flatten(2))
        return out

    def _split(self, x: Tensor) -> Tensor:
        return x.reshape(*x.shape[:2], self.heads, -1).transpose(1, 2)


class EncoderBlock(nn.Module):
    """Attention among all tokens, and a perceptron."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = MultiHeadAttention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.perceptron = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map float32 [B, L, D] to the same shape."""
        normed = self.norm1(x)
        x = x + self.attention(normed, self.attention.memorise(normed))
        out: Tensor = x + self.perceptron(self.norm2(x))
        return out


class DecoderBlock(nn.Module):
    """Attention to the codes so far, attention to the image, and a perceptron."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = MultiHeadAttention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.looking = MultiHeadAttention(width, heads)
        self.norm3 = nn.LayerNorm(width)
        self.perceptron = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor, image: Memory, past: Memory | None) -> tuple[Tensor, Memory]:
        """Decode [B, L, D], all of a sequence or its next token.

        Args:
            x: all tokens if ``past`` is None, else the one after it.
            image: keys and values of the image.
            past: keys and values of the tokens before.

        Returns:
            [B, L, D], and keys and values of all tokens so far.
        """
        normed = self.norm1(x)
        memory = self.attention.memorise(normed)
        if past is not None:
            pairs = zip(past, memory, strict=True)
            memory = Memory(*(torch.cat(pair, 2) for pair in pairs))
        x = x + self.attention(normed, memory, causal=past is None)
        x = x + self.looking(self.norm2(x), image)
        return x + self.perceptron(self.norm3(x)), memory


class Encoder(nn.Sequential):
    """Blocks, and a norm after the last."""

    def __init__(self, width: int, heads: int, depth: int) -> None:
        super().__init__(*(EncoderBlock(width, heads) for _ in range(depth)), nn.LayerNorm(width))


class GridPositions(nn.Module):
    """A learned vector for each place of a grid; other grids get them interpolated.

    The release has one size of images only.
    """

    def __init__(self, width: int, rows: int, columns: int) -> None:
        super().__init__()
        self.table = nn.Parameter(0.02 * torch.randn(1, width, rows, columns))

    def forward(self, rows: int, columns: int) -> Tensor:
        """Return float32 [1, rows * columns, D]."""
        table: Tensor = self.table
        if table.shape[2:] != (rows, columns):
            table = F.interpolate(table, (rows, columns), mode="bilinear", align_corners=False)
        return table.flatten(2).transpose(1, 2)


def to_sequence(x: Tensor) -> Tensor:
    """Turn [B, D, h, w] into [B, h * w, D]."""
    return x.flatten(2).transpose(1, 2)


def to_map(x: Tensor, rows: int, columns: int) -> Tensor:
    """Turn [B, rows * columns, D] into [B, D, rows, columns]."""
    return x.transpose(1, 2).reshape(len(x), -1, rows, columns)
