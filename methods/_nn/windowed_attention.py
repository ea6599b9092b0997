"""Shifted-window attention (Liu et al., arXiv:2103.14030, section 3.2) on maps of any size.

timm's block shifts a map before it pads it to whole windows; mmsegmentation, with which
GSS was released, pads first. The results differ wherever a window does not divide a map,
so released weights need this block.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods._nn.padding import pad_channels_last

_BLOCKED = -100.0  # added to the logit of two positions that are not neighbours, as released


class WindowAttention(nn.Module):
    """Multi-head self-attention within windows, with a learned bias per relative position."""

    relative_position: Tensor  # int64 [N, N], rows of the table

    def __init__(self, dim: int, heads: int, window: int) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"width {dim} is no multiple of the number of heads, {heads}")
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        position = torch.cartesian_prod(torch.arange(window), torch.arange(window))  # [N, 2]
        offset = position[:, None] - position[None] + window - 1
        index = offset[..., 0] * (2 * window - 1) + offset[..., 1]
        self.register_buffer("relative_position", index, persistent=False)

    def forward(self, x: Tensor, blocked: Tensor | None) -> Tensor:
        """Attend within windows.

        Args:
            x: float32 [B, windows, N, D].
            blocked: float32 [windows, 1, N, N], added to the logits; None blocks nothing.
        """
        batch, windows, tokens, dim = x.shape
        qkv = self.qkv(x).view(batch, windows, tokens, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(3, 0, 1, 4, 2, 5)  # each [B, windows, heads, N, D / heads]
        bias = self.relative_position_bias_table[self.relative_position].permute(2, 0, 1)
        if blocked is not None:
            bias = bias + blocked
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        merged: Tensor = self.proj(out.transpose(2, 3).reshape(batch, windows, tokens, dim))
        return merged


class WindowBlock(nn.Module):
    """Windowed attention and a two-layer perceptron, each after a norm, beside the identity."""

    def __init__(self, dim: int, heads: int, window: int, mlp_width: int, shift: int) -> None:
        super().__init__()
        self.window, self.shift = window, shift
        self.norm1 = nn.LayerNorm(dim)
        self.attention = WindowAttention(dim, heads, window)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, mlp_width), nn.GELU(), nn.Linear(mlp_width, dim))

    def forward(self, x: Tensor) -> Tensor:
        """Map float32 [B, h, w, D] to the same shape."""
        x = x + self._attend(self.norm1(x))
        out: Tensor = x + self.mlp(self.norm2(x))
        return out

    def _attend(self, x: Tensor) -> Tensor:
        height, width = x.shape[1:3]
        x = pad_channels_last(x, self.window)
        blocked = None
        if self.shift:
            x = x.roll((-self.shift, -self.shift), (1, 2))
            blocked = self._blocked(x.shape[1], x.shape[2], x)
        windows = partition(x, self.window)
        x = merge(self.attention(windows, blocked), self.window, x.shape[1], x.shape[2])
        if self.shift:
            x = x.roll((self.shift, self.shift), (1, 2))
        return x[:, :height, :width]

    def _blocked(self, height: int, width: int, like: Tensor) -> Tensor:
        """Forbid attention between positions that only the cyclic shift made neighbours."""
        regions = [
            (torch.arange(size, device=like.device) >= size - self.window).long()
            + (torch.arange(size, device=like.device) >= size - self.shift).long()
            for size in (height, width)
        ]
        region = (3 * regions[0][:, None] + regions[1]).view(1, height, width, 1)
        region = partition(region, self.window)[0, :, :, 0]  # [windows, N]
        apart = region[:, None] != region[:, :, None]
        return _BLOCKED * apart[:, None].to(like.dtype)


def partition(x: Tensor, window: int) -> Tensor:
    """Cut [B, h, w, D], both sizes multiples of the window, to [B, windows, N, D]."""
    batch, height, width, dim = x.shape
    x = x.view(batch, height // window, window, width // window, window, dim)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(batch, -1, window * window, dim)


def merge(windows: Tensor, window: int, height: int, width: int) -> Tensor:
    """Undo :func:`partition`."""
    batch, _, _, dim = windows.shape
    x = windows.view(batch, height // window, width // window, window, window, dim)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(batch, height, width, dim)


def window_blocks(dim: int, heads: int, window: int, mlp_width: int, depth: int) -> nn.Sequential:
    """Stack blocks on float32 [B, h, w, D], every second one with windows shifted by half."""
    return nn.Sequential(
        *(
            WindowBlock(dim, heads, window, mlp_width, shift=0 if i % 2 == 0 else window // 2)
            for i in range(depth)
        )
    )


class ConvNormAct(nn.Module):
    """A 1 x 1 convolution without bias, BatchNorm and ReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))
