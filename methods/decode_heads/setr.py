"""The decoders of SETR on a plain vision transformer (Zheng et al., arXiv:2012.15840, 3.3).

All levels are at the stride of the transformer's patches, and were not normalised.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods.decode_heads.layers import ConvUnit, DecodeHead, PixelClassifier


class ChannelNorm(nn.LayerNorm):
    """Normalise the channels of each position of float32 [B, D, h, w]."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class Enlarge(nn.Upsample):
    """Enlarge a map bilinearly."""

    def __init__(self, factor: int) -> None:
        super().__init__(scale_factor=factor, mode="bilinear", align_corners=False)


def upsampling_decoder(
    channels: int, width: int, kernel: int, factors: Sequence[int], classify: nn.Module
) -> nn.Sequential:
    """Normalise, convolve and enlarge once per factor, and classify."""
    layers: list[nn.Module] = [ChannelNorm(channels)]
    for factor in factors:
        layers += [ConvUnit(channels, width, kernel), Enlarge(factor)]
        channels = width
    return nn.Sequential(*layers, classify)


class UpsamplingHead(DecodeHead):
    """SETR-Naive and -PUP: the last level is enlarged at once, or by two after each convolution.

    The levels before have decoders of their own in training, of two convolutions each, as in
    mmsegmentation's configs/setr.

    Args:
        channels: of the levels.
        width: of the convolutions.
        progressive: four convolutions of 3 x 3 (PUP) in place of one of 1 x 1 (Naive).
        num_classes: K.
        auxiliary_weight: of the loss of each level before the last.
        dropout: before the classifiers.
    """

    def __init__(
        self,
        channels: Sequence[int],
        width: int,
        progressive: bool,
        num_classes: int,
        auxiliary_weight: float,
        dropout: float,
    ) -> None:
        super().__init__()
        kernel, factors = (3, (2, 2, 2, 2)) if progressive else (1, (4,))
        classifiers = [PixelClassifier(width, num_classes, dropout) for _ in channels]
        self.decode = upsampling_decoder(channels[-1], width, kernel, factors, classifiers[-1])
        self.auxiliary = nn.ModuleList(
            upsampling_decoder(count, width, kernel, (4, 4), classify)
            for count, classify in zip(channels[:-1], classifiers[:-1], strict=True)
        )
        names = [f"auxiliary {i}" for i in range(len(self.auxiliary))]
        self.weights = {"prediction": 1.0, **dict.fromkeys(names, auxiliary_weight)}

    def forward(self, levels: Sequence[Tensor]) -> dict[str, Tensor]:
        logits = {"prediction": self.decode(levels[-1])}
        for i, decode in enumerate(self.auxiliary):
            logits[f"auxiliary {i}"] = decode(levels[i])
        return logits


class AggregationHead(DecodeHead):
    """SETR-MLA: levels are summed from the last to the first, enlarged and read together."""

    def __init__(
        self,
        channels: Sequence[int],
        width: int,
        num_classes: int,
        auxiliary_weight: float,
        dropout: float,
    ) -> None:
        super().__init__()
        narrow = width // 2
        self.lateral = nn.ModuleList(
            nn.Sequential(ChannelNorm(count), ConvUnit(count, width)) for count in channels
        )
        self.smooth = nn.ModuleList(ConvUnit(width, width, 3) for _ in channels)
        self.stream = nn.ModuleList(
            nn.Sequential(ConvUnit(width, narrow, 3), ConvUnit(narrow, narrow, 3), Enlarge(4))
            for _ in channels
        )
        self.classify = PixelClassifier(narrow * len(channels), num_classes, dropout)
        self.auxiliary = nn.ModuleList(
            PixelClassifier(width, num_classes, dropout) for _ in channels
        )
        names = [f"auxiliary {i}" for i in range(len(channels))]
        self.weights = {"prediction": 1.0, **dict.fromkeys(names, auxiliary_weight)}

    def forward(self, levels: Sequence[Tensor]) -> dict[str, Tensor]:
        maps = self.aggregate(levels)
        streams = [stream(x) for stream, x in zip(self.stream, maps, strict=True)]
        logits = {"prediction": self.classify(torch.cat(streams, 1))}
        for i, (classify, x) in enumerate(zip(self.auxiliary, maps, strict=True)):
            logits[f"auxiliary {i}"] = F.interpolate(classify(x), scale_factor=4, mode="bilinear")
        return logits

    def aggregate(self, levels: Sequence[Tensor]) -> list[Tensor]:
        """Add to each level those after it, then smooth: float32 [B, D, h, w] each."""
        sums: list[Tensor] = []
        for lateral, level in zip(self.lateral[::-1], levels[::-1], strict=True):
            x = lateral(level)
            sums.append(x + sums[-1] if sums else x)
        return [smooth(x) for smooth, x in zip(self.smooth, sums[::-1], strict=True)]
