"""Image encoders with four feature levels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bench.torchvision_ops import ensure_torchvision
from methods.gss.config import Backbone

_LEVELS = 4


class TimmBackbone(nn.Module):
    """The last four levels of a timm model, channels first."""

    mean: Tensor  # float32 [3, 1, 1]
    std: Tensor  # float32 [3, 1, 1]

    def __init__(self, config: Backbone) -> None:
        super().__init__()
        ensure_torchvision()
        import timm

        self.model: nn.Module = timm.create_model(
            config.name,
            features_only=True,
            out_indices=tuple(range(-_LEVELS, 0)),
            **config.options,
        )
        info = self.model.feature_info
        self.channels: list[int] = info.channels()
        strides: list[int] = info.reduction()
        if strides[0] != 4 or len(strides) != _LEVELS:
            raise ValueError(
                f"{config.name} has levels at strides {strides}; GSS needs four, the first at 4"
            )
        self.multiple = max(strides)
        self.channels_last = getattr(self.model, "output_fmt", "NCHW") == "NHWC"
        cfg = self.model.pretrained_cfg
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(cfg[name]).view(3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return float32 [B, C_i, H / s_i, W / s_i] for images [B, 3, H, W] in [0, 1]."""
        levels: list[Tensor] = self.model((image - self.mean) / self.std)
        if self.channels_last:
            levels = [level.permute(0, 3, 1, 2).contiguous() for level in levels]
        return levels
