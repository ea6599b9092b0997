"""Inverse colourings X^-1: from a maskige, with the noise of its codes, to classes.

GSS (arXiv:2303.11316, section 3.3) writes X as a linear map of one-hot labels and its
inverse as least squares (eq. 15). The released code takes the nearest colour instead,
and has to: scores that are linear in three colour channels can be largest only for
colours at the corners of the palette's hull.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods._nn.colour import nearest_scores
from methods._nn.precision import full_precision
from methods._nn.windowed_attention import ConvNormAct, window_blocks


class Inverse(nn.Module, ABC):
    """A way from maskiges to class scores."""

    votes: ClassVar[bool]
    """Whether only the best class of a pixel counts, as in the released GSS-FF, or its
    scores mean something beyond their order."""

    @abstractmethod
    def forward(self, maskige: Tensor, palette: Tensor) -> Tensor:
        """Score classes.

        Args:
            maskige: float32 [B, 3, H, W] in [0, 1].
            palette: float32 [K, 3] in [0, 1], void's colour left out.

        Returns:
            float32 [B, K, H, W].
        """


def colours_returned(inverse: Inverse, palette: Tensor) -> int:
    """Count the classes whose own colour, without any noise, an inverse gives back.

    Args:
        inverse: looks at each pixel by itself.
        palette: float32 [K, 3] in [0, 1], void's colour left out.
    """
    maskige = palette.t()[None, :, :, None]  # [1, 3, K, 1]
    best = inverse(maskige, palette).argmax(1)[0, :, 0]
    return int((best == torch.arange(len(palette), device=best.device)).sum())


class NearestColour(Inverse):
    """The released inverse of GSS-FF: the class whose colour is nearest."""

    votes = True

    def forward(self, maskige: Tensor, palette: Tensor) -> Tensor:
        return nearest_scores(maskige, palette)


class PseudoInverse(Inverse):
    """Least squares as the paper prints it: c = x (beta^T beta)^-1 beta^T (eq. 15).

    Of 150, 194 and 19 noise-free colours as released for ADE20K, MSeg and Cityscapes, the
    largest score is the right class for 14, 9 and 5.
    """

    votes = True

    def forward(self, maskige: Tensor, palette: Tensor) -> Tensor:
        with full_precision(maskige):
            inverse = torch.linalg.pinv(palette)  # [3, K]
            return F.conv2d(maskige.float(), inverse.t()[:, :, None, None])


class ConvInverse(Inverse):
    """The learned inverse of GSS-FT: convolutions of 1 x 1, 3 x 3 and 1 x 1 (appendix D)."""

    votes = False

    def __init__(self, width: int, num_classes: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, width, 1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.last = nn.Conv2d(width, num_classes, 1)

    @torch.no_grad()
    def start_as_nearest_colour(self, palette: Tensor, temperature: float) -> None:
        """Set the weights so that scores are those of the nearest colour.

        They are linear in the maskige: three channels pass colours on, which no ReLU
        changes. The other channels stay as drawn and are not read yet. The paper does not
        say how training starts; from random weights a short one ends below this.

        Args:
            palette: float32 [K, 3] in [0, 1], void's colour left out.
            temperature: divides the scores.

        Raises:
            ValueError: if there are fewer than three channels.
        """
        if self.first.out_channels < 3:
            raise ValueError(f"width is {self.first.out_channels}; three colours need as many")
        for conv, middle in ((self.first, 0), (self.second, 1)):
            conv.weight[:3] = 0
            conv.weight[:3, :3, middle, middle] = torch.eye(3)
            _bias(conv)[:3] = 0
        self.last.weight[:] = 0
        self.last.weight[:, :3, 0, 0] = 2 * palette / temperature
        _bias(self.last).copy_(-palette.square().sum(1) / temperature)

    def forward(self, maskige: Tensor, palette: Tensor) -> Tensor:
        hidden = F.relu(self.second(F.relu(self.first(maskige))))
        logits: Tensor = self.last(hidden)
        return logits


def _bias(conv: nn.Conv2d) -> Tensor:
    assert conv.bias is not None
    return conv.bias


class WindowInverse(Inverse):
    """The learned inverse of GSS-FT-W: windowed attention at the maskige's own size.

    Source: fudan-zvg/GSS mmseg/models/decode_heads/generative_segmentation_head_ftw.py.
    """

    votes = False

    def __init__(self, width: int, heads: int, window: int, depth: int, num_classes: int) -> None:
        super().__init__()
        self.projection = ConvNormAct(3, width)
        self.blocks = window_blocks(width, heads, window, 2 * width, depth)
        self.norm = nn.LayerNorm(width)
        self.classify = nn.Conv2d(width, num_classes, 1)

    def forward(self, maskige: Tensor, palette: Tensor) -> Tensor:
        x = self.projection(maskige).permute(0, 2, 3, 1)
        logits: Tensor = self.classify(self.norm(self.blocks(x)).permute(0, 3, 1, 2))
        return logits
