"""The image encoder: predicts each scale's codes from the image.

Backbone, transformer over the tokens of several levels, projection to distributions over
codes (arXiv:2511.12594, Figure 3). The sizes of the transformer are not in the paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench import ensure_torchvision
from methods._nn.autoencoders.tokenizer import SmallResidualBlock
from methods._nn.quantisers.multi_scale import Scale
from methods.seg_var.attention import TransformerBlock, grid_positions
from methods.seg_var.config import ImageEncoderSettings


class ImageFeatures(NamedTuple):
    """What the encoder says of images."""

    scales: list[Tensor]  # float32 [B, n, D] each: one per scale, at its positions
    present: Tensor  # float32 [B, K], logits of classes being in the image


class SmallBackbone(nn.Module):
    """Strided convolutions with one residual block per level, from scratch."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.levels = nn.ModuleList()
        channels = 3
        for width in widths:
            down = nn.Conv2d(channels, width, 3, stride=2, padding=1)
            self.levels.append(
                nn.Sequential(down, nn.GroupNorm(1, width), SmallResidualBlock(width))
            )
            channels = width

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return feature maps at strides 2, 4, ..., each [B, width, h, w]."""
        features = []
        for level in self.levels:
            image = level(image)
            features.append(image)
        return features


def build_backbone(
    config: ImageEncoderSettings, size: tuple[int, int]
) -> tuple[nn.Module, list[int]]:
    """Build the backbone and say how many channels its levels have.

    Raises:
        RuntimeError: if timm has no such model.
    """
    if config.backbone == "small":
        return SmallBackbone(config.widths), list(config.widths)
    ensure_torchvision()
    import timm

    # Swin transformers of timm are built for one image size, and refuse others unless told.
    # Crops are trained on and whole images predicted.
    fixed: dict[str, Any] = {}
    if config.backbone.startswith("swin"):
        fixed = {"img_size": size, "strict_img_size": False, "always_partition": True}
    backbone: Any = timm.create_model(
        config.backbone, pretrained=config.pretrained, features_only=True, **fixed
    )
    return backbone, list(backbone.feature_info.channels())


class CodePredictor(nn.Module):
    """Predict the codes of all scales from an image, in one pass over it.

    The levels from ``config.attention_stride`` on are tokens of one transformer. Its results
    and the finer levels are brought to the latent's grid and summed there, refined by a
    residual block, and pooled to each scale for its linear head.

    With ``config.sees: scales``, the seglat's latent after the scales before is added to a
    scale's features. The code nearest to what a scale has left to code is linear in that
    latent, so the head can tell how to correct earlier choices.

    Args:
        scales: how many there are.
        channels: of the tokenizer's latent.
        outputs: numbers predicted per position.
        num_classes: of the data, for telling which are present.
        config: backbone and sizes.
        size: height and width of the images.
    """

    mean: Tensor  # float32 [3, 1, 1]
    std: Tensor  # float32 [3, 1, 1]

    def __init__(
        self,
        scales: int,
        channels: int,
        outputs: int,
        num_classes: int,
        config: ImageEncoderSettings,
        size: tuple[int, int],
    ) -> None:
        super().__init__()
        width = config.width
        self.attention_stride = config.attention_stride
        self.register_buffer("mean", torch.tensor(config.mean)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(config.std)[:, None, None], persistent=False)
        self.backbone, levels = build_backbone(config, size)
        self.channels_last = getattr(self.backbone, "output_fmt", "NCHW") == "NHWC"
        self.lateral = nn.ModuleList(nn.Conv2d(c, width, 1) for c in levels)
        self.level = nn.Parameter(0.02 * torch.randn(len(levels), width))
        self.blocks = nn.ModuleList(
            TransformerBlock(width, config.heads, 0.0, condition=False) for _ in range(config.depth)
        )
        self.smooth = SmallResidualBlock(width)
        self.norm = nn.LayerNorm(width)
        self.word = nn.Linear(channels, width) if config.sees == "scales" else None
        self.heads = nn.ModuleList(nn.Linear(width, outputs) for _ in range(scales))
        self.present = nn.Linear(width, num_classes)

    def forward(self, image: Tensor, scales: Sequence[Scale]) -> ImageFeatures:
        """Look at images float32 [B, 3, H, W] in [0, 1].

        Args:
            image: the images.
            scales: rows and columns of the code maps, the last those of the latent.
        """
        fused = self._fuse(image, scales[-1])
        pooled = [F.interpolate(fused, scale, mode="area") for scale in scales]
        features = [self.norm(x.flatten(2).transpose(1, 2)) for x in pooled]
        return ImageFeatures(features, self.present(self.norm(fused.mean((2, 3)))))

    def outputs(self, features: ImageFeatures, k: int, before: Tensor | None) -> Tensor:
        """Predict scale k.

        Args:
            features: of the images.
            k: the scale.
            before: [B, n, C], the seglat's latent after the scales before; None at the first.

        Returns:
            Outputs [B, n, O].
        """
        x = features.scales[k]
        if self.word is not None and before is not None:
            x = x + self.word(before)
        outputs: Tensor = self.heads[k](x).float()
        return outputs

    def _fuse(self, image: Tensor, grid: Scale) -> Tensor:
        """Bring all levels to the latent's grid: [B, D, *grid]."""
        levels = self._levels(image)
        attend = [x.shape[2] * self.attention_stride <= image.shape[2] for x in levels]
        attended = iter(
            self._attend([x for x, is_token in zip(levels, attend, strict=True) if is_token])
        )
        fused = image.new_zeros(())
        for x, is_token in zip(levels, attend, strict=True):
            x = next(attended) if is_token else x
            finer = x.shape[2] >= grid[0]
            mode = "area" if finer else "bilinear"
            fused = fused + F.interpolate(x, grid, mode=mode)
        smoothed: Tensor = self.smooth(fused)
        return smoothed

    def _levels(self, image: Tensor) -> list[Tensor]:
        """Return the backbone's levels at one width: [B, D, h, w], fine to coarse."""
        features = self.backbone((image - self.mean) / self.std)
        levels = []
        for i, (feature, lateral) in enumerate(zip(features, self.lateral, strict=True)):
            if self.channels_last:
                feature = feature.movedim(-1, 1)
            levels.append(lateral(feature) + self.level[i][:, None, None])
        return levels

    def _attend(self, maps: list[Tensor]) -> list[Tensor]:
        """Let the tokens of all maps [B, D, h, w] attend to each other."""
        if not maps:
            return []
        sizes = [(m.shape[2], m.shape[3]) for m in maps]
        x = torch.cat([m.flatten(2).transpose(1, 2) for m in maps], 1)
        x = x + torch.cat([grid_positions(*s, x.shape[2]) for s in sizes]).to(x)
        for block in self.blocks:
            x, _ = block(x)
        parts = torch.split(x, [rows * columns for rows, columns in sizes], 1)
        return [p.transpose(1, 2).reshape(m.shape) for p, m in zip(parts, maps, strict=True)]
