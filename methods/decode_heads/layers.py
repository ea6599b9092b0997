"""What the heads are made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from torch import Tensor, nn
from torch.nn import functional as F


class ConvUnit(nn.Sequential):
    """A convolution without bias that keeps the size, BatchNorm and ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 1) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )


class PixelClassifier(nn.Sequential):
    """Dropout of whole channels and a 1 x 1 convolution to classes."""

    def __init__(self, channels: int, num_classes: int, dropout: float) -> None:
        super().__init__(nn.Dropout2d(dropout), nn.Conv2d(channels, num_classes, 1))


class DecodeHead(nn.Module, ABC):
    """Feature levels to logits over classes: those predicted with, and others trained beside."""

    weights: Mapping[str, float]
    """Of the loss of each map of logits that :meth:`forward` returns."""

    @abstractmethod
    def forward(self, levels: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return float32 [B, K, h, w] by name; ``prediction`` is among them.

        Args:
            levels: float32 [B, C_i, h_i, w_i], of the image encoder, the first one first.
        """


class AuxiliaryHead(nn.Sequential):
    """Deep supervision of a level: one 3 x 3 convolution (Zhao et al., arXiv:1612.01105)."""

    def __init__(self, channels: int, width: int, num_classes: int, dropout: float) -> None:
        super().__init__(ConvUnit(channels, width, 3), PixelClassifier(width, num_classes, dropout))


def resize(x: Tensor, like: Tensor) -> Tensor:
    """Resize float32 [B, C, h, w] bilinearly to the height and width of another map."""
    if x.shape[2:] == like.shape[2:]:
        return x
    return F.interpolate(x, like.shape[2:], mode="bilinear", align_corners=False)
