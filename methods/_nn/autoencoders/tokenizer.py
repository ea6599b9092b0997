"""Discrete tokenizers: a maskige to a map of codes and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from methods._nn.quantisers.quantiser import CodebookQuantiser, Quantised


class Reconstruction(NamedTuple):
    """An image after an autoencoder, as training sees it."""

    image: Tensor  # float32 [B, 3, H, W], with gradients
    loss: Tensor  # float32 scalar, what keeps the latent near its codes


class Tokenizer(nn.Module, ABC):
    """A maskige [B, 3, H, W] in [0, 1] to codes [B, H / stride, W / stride] and back.

    Both sizes must be multiples of ``stride`` (see ``methods/_nn/padding.py``).
    """

    stride: int
    num_codes: int

    @abstractmethod
    def logits(self, maskige: Tensor) -> Tensor:
        """Return float32 [B, V, h, w]; the code is the arg-max over V."""

    @abstractmethod
    def decode(self, codes: Tensor) -> Tensor:
        """Return the maskige float32 [B, 3, H, W] in [0, 1] of int64 codes [B, h, w]."""

    @abstractmethod
    def decode_mixture(self, weights: Tensor) -> Tensor:
        """Return the maskige of weights over the codes, float32 [B, V, h, w].

        For a one-hot map it equals ``decode``; gradients reach the weights.
        """

    @abstractmethod
    def reconstruct(self, maskige: Tensor, seeds: Tensor) -> Reconstruction:
        """Encode and decode so that gradients reach every parameter; seeds int64 [B]."""

    @abstractmethod
    def vectors(self) -> Tensor:
        """Return what the decoder reads of each code, float32 [V, D]."""

    def encode(self, maskige: Tensor) -> Tensor:
        """Return int64 codes [B, h, w]."""
        return self.logits(maskige).argmax(1)


class SmallResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.GroupNorm(1, width),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.body(x)
        return out


def conv_encoder(
    widths: tuple[int, ...], blocks: int, out_channels: int, in_channels: int = 3
) -> nn.Sequential:
    """Halve the map once per width, then refine: [B, in, H, W] to [B, out, H/2^n, W/2^n]."""
    layers: list[nn.Module] = []
    channels = in_channels
    for width in widths:
        layers += [nn.Conv2d(channels, width, 4, stride=2, padding=1), nn.SiLU()]
        channels = width
    layers += [SmallResidualBlock(channels) for _ in range(blocks)]
    return nn.Sequential(*layers, nn.Conv2d(channels, out_channels, 1))


def conv_decoder(
    in_channels: int, widths: tuple[int, ...], blocks: int, out_channels: int = 3
) -> nn.Sequential:
    """Mirror :func:`conv_encoder`: [B, in, h, w] to [B, out, H, W], colours before the sigmoid."""
    layers: list[nn.Module] = [nn.Conv2d(in_channels, widths[-1], 3, padding=1)]
    layers += [SmallResidualBlock(widths[-1]) for _ in range(blocks)]
    for width, following in zip(widths[::-1], [*widths[-2::-1], out_channels], strict=True):
        layers += [nn.SiLU(), nn.ConvTranspose2d(width, following, 4, stride=2, padding=1)]
    return nn.Sequential(*layers)


class ConvTokenizer(Tokenizer):
    """A small convolutional autoencoder around an exchangeable quantiser."""

    def __init__(self, widths: tuple[int, ...], blocks: int, quantiser: CodebookQuantiser) -> None:
        super().__init__()
        self.stride = 2 ** len(widths)
        self.num_codes = quantiser.num_codes
        self.encoder = conv_encoder(widths, blocks, quantiser.channels)
        self.bottleneck = quantiser  # the name that stored weights have
        self.decoder = conv_decoder(quantiser.channels, widths, blocks)

    def _paint(self, latent: Tensor) -> Tensor:
        colour: Tensor = self.decoder(latent)
        return colour.sigmoid()

    def logits(self, maskige: Tensor) -> Tensor:
        return self.bottleneck.logits(self.encoder(maskige))

    def decode(self, codes: Tensor) -> Tensor:
        return self._paint(self.bottleneck.decode((codes,)))

    def vectors(self) -> Tensor:
        return self.bottleneck.vectors()

    def decode_mixture(self, weights: Tensor) -> Tensor:
        return self._paint(F.conv2d(weights, self.vectors().t()[:, :, None, None]))

    def reconstruct(self, maskige: Tensor, seeds: Tensor) -> Reconstruction:
        quantised: Quantised = self.bottleneck(self.encoder(maskige))
        return Reconstruction(self._paint(quantised.latent), quantised.loss)
