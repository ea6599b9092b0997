"""Image encoders of timm: four feature levels, or the blocks of a plain transformer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from bench import ensure_torchvision
from methods._nn.settings import BackboneSettings

_LEVELS = 4


class Backbone(nn.Module):
    """The last four levels of a timm model, channels first.

    A Swin of timm shifts maps before it pads them to whole windows, mmsegmentation's pads
    first: with released weights the features agree where the window divides every level
    (sides that are multiples of 384 for Swin-L), and only there.
    """

    mean: Tensor  # float32 [3, 1, 1]
    std: Tensor  # float32 [3, 1, 1]

    def __init__(self, config: BackboneSettings, pretrained: bool) -> None:
        super().__init__()
        ensure_torchvision()
        import timm

        self.model: nn.Module = timm.create_model(
            config.name,
            pretrained=pretrained,
            features_only=True,
            out_indices=tuple(range(-_LEVELS, 0)),
            **config.options,
        )
        information = self.model.feature_info
        strides: list[int] = information.reduction()
        if len(strides) != _LEVELS or strides[0] != 4:
            raise ValueError(
                f"{config.name} has levels at strides {strides}; four are needed, the first at 4"
            )
        self.channels: list[int] = information.channels()
        self.multiple = max(strides)
        self.channels_last = str(getattr(self.model, "output_fmt", "")).endswith("NHWC")
        self.norms = nn.ModuleList(nn.LayerNorm(c) for c in self.channels if config.level_norms)
        for name in ("mean", "std"):
            value = torch.tensor(self.model.pretrained_cfg[name]).view(3, 1, 1)
            self.register_buffer(name, value, persistent=False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return float32 [B, C_i, H / s_i, W / s_i] for images [B, 3, H, W] in [0, 1]."""
        levels: list[Tensor] = self.model((image - self.mean) / self.std)
        if not self.channels_last:
            levels = [level.permute(0, 2, 3, 1) for level in levels]
        for i, norm in enumerate(self.norms):
            levels[i] = norm(levels[i])
        return [level.permute(0, 3, 1, 2) for level in levels]


class PlainBackbone(nn.Module):
    """Outputs of some blocks of a plain vision transformer of timm, all at its patches' stride.

    Positions are learned for images of one size and interpolated for others.
    """

    mean: Tensor  # float32 [3, 1, 1]
    std: Tensor  # float32 [3, 1, 1]

    def __init__(
        self,
        config: BackboneSettings,
        blocks: Sequence[int],
        size: tuple[int, int],
        pretrained: bool,
    ) -> None:
        super().__init__()
        ensure_torchvision()
        import timm

        options: dict[str, Any] = {"img_size": size, **config.options}
        self.model = timm.create_model(
            config.name,
            pretrained=pretrained,
            num_classes=0,
            global_pool="",
            dynamic_img_size=True,
            **options,
        )
        self.model.norm = nn.Identity()  # after the last block; whoever reads a level has its own
        self.blocks = list(blocks)
        self.channels: list[int] = [self.model.embed_dim] * len(self.blocks)
        self.multiple = max(self.model.patch_embed.patch_size)
        for name in ("mean", "std"):
            value = torch.tensor(self.model.pretrained_cfg[name]).view(3, 1, 1)
            self.register_buffer(name, value, persistent=False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return float32 [B, D, H / p, W / p] per block for images [B, 3, H, W] in [0, 1]."""
        levels: list[Tensor] = self.model.forward_intermediates(
            (image - self.mean) / self.std, indices=self.blocks, intermediates_only=True
        )
        return levels


def make_backbone(
    config: BackboneSettings, blocks: Sequence[int], size: tuple[int, int], pretrained: bool
) -> Backbone | PlainBackbone:
    """Make the image encoder that the settings name.

    Args:
        config: name and options.
        blocks: those whose outputs are the levels, counted from 0, if it is a plain
            transformer; else none.
        size: height and width of the images that a plain transformer's positions are for.
        pretrained: whether to start from timm's weights.
    """
    if blocks:
        return PlainBackbone(config, blocks, size, pretrained)
    return Backbone(config, pretrained)
