"""Image encoders with four feature levels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bench import ensure_torchvision
from methods.gss.config import BackboneSettings

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
                f"{config.name} has levels at strides {strides}; GSS needs four, the first at 4"
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
