"""The latent encoder and decoder: masks to a seglat, and a seglat to masks.

T_phi and T_theta of arXiv:2511.12594: transformer layers between masks with their colour
map and the seglat, an image of three channels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods.seg_var.attention import TransformerBlock, grid_positions
from methods.seg_var.config import LatentSettings


class PixelTransformer(nn.Module):
    """Transformer layers over patches, beside a perceptron over each pixel's channels.

    The latter keeps edges sharp where the former only sees patches.

    Args:
        channels: in.
        out: out.
        config: sizes.
    """

    def __init__(self, channels: int, out: int, config: LatentSettings) -> None:
        super().__init__()
        width, patch = config.width, config.patch
        self.patchify = nn.Conv2d(channels, width, patch, stride=patch)
        self.blocks = nn.ModuleList(
            TransformerBlock(width, config.heads, 0.0, condition=False) for _ in range(config.depth)
        )
        self.norm = nn.LayerNorm(width)
        self.context = nn.Conv2d(width, width, 1)
        self.pixel = nn.Conv2d(channels, width, 1)
        self.head = nn.Conv2d(width, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, in, H, W] to [B, out, H, W]; any size of at least a patch."""
        patches: Tensor = self.patchify(x)
        rows, columns = patches.shape[2:]
        tokens = patches.flatten(2).transpose(1, 2)
        tokens = tokens + grid_positions(rows, columns, tokens.shape[2]).to(tokens)
        for block in self.blocks:
            tokens, _ = block(tokens)
        around = self.norm(tokens).transpose(1, 2).reshape(patches.shape)
        around = F.interpolate(self.context(around), x.shape[2:], mode="bilinear")
        out: Tensor = self.head(F.gelu(self.pixel(x) + around))
        return out


class LatentEncoder(nn.Module):
    """T_phi: masks M [B, K, H, W] and their colour map to the seglat.

    It learns what to add to the colour map, from nothing, so that before stage 2 the
    seglat is the colour map itself, on which stage 1 trains.
    """

    def __init__(self, num_classes: int, config: LatentSettings) -> None:
        super().__init__()
        self.change = PixelTransformer(num_classes + 3, 3, config)
        nn.init.zeros_(self.change.head.weight)
        assert self.change.head.bias is not None
        nn.init.zeros_(self.change.head.bias)

    def forward(self, masks: Tensor, colours: Tensor) -> Tensor:
        """Return the seglat [B, 3, H, W] for masks in {0, 1} and colours in [-1, 1]."""
        change: Tensor = self.change(torch.cat([masks, colours], 1))
        return colours + change
