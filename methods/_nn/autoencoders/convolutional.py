"""The convolutional encoder and decoder of VQGAN and VAR.

One architecture serves VQGAN (CompVis/taming-transformers, taming/modules/diffusionmodules/
model.py), the KL autoencoders of latent diffusion, which copied it, and VAR
(FoundationVision/VAR, models/basic_vae.py). They differ in the levels that attend and in
whether attention projects by one convolution or by three; parameters are named as in the
releases, so their weights load as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from torch import Tensor, nn
from torch.nn import functional as F


def _norm(channels: int) -> nn.GroupNorm:
    """Normalise in 32 groups as released; narrower maps have one group per channel."""
    return nn.GroupNorm(min(32, channels), channels, eps=1e-6)


class ResidualBlock(nn.Module):
    """Two normalised 3 x 3 convolutions beside a shortcut."""

    def __init__(self, channels: int, out: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm1 = _norm(channels)
        self.conv1 = nn.Conv2d(channels, out, 3, padding=1)
        self.norm2 = _norm(out)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        self.nin_shortcut = nn.Identity() if channels == out else nn.Conv2d(channels, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, channels, h, w] to [B, out, h, w]."""
        hidden: Tensor = self.conv1(F.silu(self.norm1(x)))
        hidden = self.conv2(self.dropout(F.silu(self.norm2(hidden))))
        shortcut: Tensor = self.nin_shortcut(x)
        return shortcut + hidden


class SpatialAttention(nn.Module):
    """Single-head attention over all positions, added to its input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = _norm(channels)
        self.q = nn.Conv2d(channels, channels, 1)
        self.k = nn.Conv2d(channels, channels, 1)
        self.v = nn.Conv2d(channels, channels, 1)
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, C, h, w] to the same shape."""
        normed = self.norm(x)
        return x + attend(self.q(normed), self.k(normed), self.v(normed), self.proj_out)


class FusedSpatialAttention(nn.Module):
    """The same with query, key and value from one convolution, as VAR has it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = _norm(channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, C, h, w] to the same shape."""
        query, key, value = self.qkv(self.norm(x)).chunk(3, dim=1)
        return x + attend(query, key, value, self.proj_out)


def attend(query: Tensor, key: Tensor, value: Tensor, project: nn.Module) -> Tensor:
    """Attend over the positions of [B, C, h, w] maps, with one head."""
    q, k, v = (x.flatten(2).transpose(1, 2) for x in (query, key, value))  # [B, h*w, C]
    mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2)
    projected: Tensor = project(mixed.reshape(query.shape))
    return projected


class Downsample(nn.Module):
    """Halve the map by a strided convolution, padded right and below only."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, C, h, w] to [B, C, h // 2, w // 2]."""
        halved: Tensor = self.conv(F.pad(x, (0, 1, 0, 1)))
        return halved


class Upsample(nn.Module):
    """Double the map by repetition and a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, C, h, w] to [B, C, 2h, 2w]."""
        doubled: Tensor = self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return doubled


class Level(nn.Module):
    """The blocks of one resolution, each followed by attention where the level attends."""

    def __init__(
        self, channels: int, out: int, blocks: int, dropout: float, attends: bool, fused: bool
    ) -> None:
        super().__init__()
        widths = [channels] + [out] * blocks
        self.block = nn.ModuleList(
            ResidualBlock(a, b, dropout) for a, b in zip(widths, widths[1:], strict=False)
        )
        attention = FusedSpatialAttention if fused else SpatialAttention
        self.attn = nn.ModuleList(attention(out) for _ in range(blocks if attends else 0))
        self.downsample: nn.Module = nn.Identity()
        self.upsample: nn.Module = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, channels, h, w] to [B, out, h', w'], resampled where the level resamples."""
        for i, block in enumerate(self.block):
            x = block(x)
            if self.attn:
                x = self.attn[i](x)
        resampled: Tensor = self.upsample(self.downsample(x))
        return resampled


class Middle(nn.Module):
    """Block, attention, block at the lowest resolution."""

    def __init__(self, channels: int, dropout: float, fused: bool) -> None:
        super().__init__()
        self.block_1 = ResidualBlock(channels, channels, dropout)
        attention = FusedSpatialAttention if fused else SpatialAttention
        self.attn_1 = attention(channels)
        self.block_2 = ResidualBlock(channels, channels, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, C, h, w] to the same shape."""
        mixed: Tensor = self.block_2(self.attn_1(self.block_1(x)))
        return mixed


class ConvEncoder(nn.Module):
    """Image to latent, halving the map between levels.

    Args:
        width: channels of the first convolution.
        multipliers: of ``width``, one per level.
        blocks: residual blocks per level.
        latent_channels: of the output.
        attention_levels: levels that attend, 0 being the full resolution; the middle always does.
        fused: whether attention is :class:`FusedSpatialAttention`.
    """

    def __init__(
        self,
        *,
        width: int,
        multipliers: Sequence[int],
        blocks: int,
        latent_channels: int,
        attention_levels: Collection[int] = (),
        fused: bool = False,
        dropout: float = 0.0,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(in_channels, width, 3, padding=1)
        widths = [width * m for m in (1, *multipliers)]
        self.down = nn.ModuleList()
        for i in range(len(multipliers)):
            level = Level(widths[i], widths[i + 1], blocks, dropout, i in attention_levels, fused)
            if i < len(multipliers) - 1:
                level.downsample = Downsample(widths[i + 1])
            self.down.append(level)
        self.mid = Middle(widths[-1], dropout, fused)
        self.norm_out = _norm(widths[-1])
        self.conv_out = nn.Conv2d(widths[-1], latent_channels, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Map [B, in_channels, H, W] to [B, C, h, w]."""
        x: Tensor = self.conv_in(image)
        for level in self.down:
            x = level(x)
        latent: Tensor = self.conv_out(F.silu(self.norm_out(self.mid(x))))
        return latent


class ConvDecoder(nn.Module):
    """Latent to image: the encoder's mirror, with one more block per level.

    Arguments as of :class:`ConvEncoder`.
    """

    def __init__(
        self,
        *,
        width: int,
        multipliers: Sequence[int],
        blocks: int,
        latent_channels: int,
        attention_levels: Collection[int] = (),
        fused: bool = False,
        dropout: float = 0.0,
        out_channels: int = 3,
    ) -> None:
        super().__init__()
        widths = [width * m for m in (*multipliers, multipliers[-1])]
        self.conv_in = nn.Conv2d(latent_channels, widths[-1], 3, padding=1)
        self.mid = Middle(widths[-1], dropout, fused)
        self.up = nn.ModuleList()
        for i in range(len(multipliers)):
            level = Level(
                widths[i + 1], widths[i], blocks + 1, dropout, i in attention_levels, fused
            )
            if i > 0:
                level.upsample = Upsample(widths[i])
            self.up.append(level)
        self.norm_out = _norm(widths[0])
        self.conv_out = nn.Conv2d(widths[0], out_channels, 3, padding=1)

    def forward(self, latent: Tensor) -> Tensor:
        """Map [B, C, h, w] to [B, out_channels, H, W]."""
        x: Tensor = self.mid(self.conv_in(latent))
        for level in reversed(self.up):
            x = level(x)
        image: Tensor = self.conv_out(F.silu(self.norm_out(x)))
        return image
