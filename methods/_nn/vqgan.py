"""VQGAN: one code a latent position (Esser et al., arXiv:2012.09841).

Parameters are named as in CompVis/taming-transformers, whose weights load as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods._nn.conv_autoencoder import ConvDecoder, ConvEncoder


class Quantised(NamedTuple):
    """A latent after a quantiser."""

    latent: Tensor  # [B, C, h, w], gradients straight through to the input
    loss: Tensor  # scalar: codebook and commitment terms
    codes: Tensor  # int64 [B, h, w]


def nearest_codes(vectors: Tensor, codebook: Tensor) -> Tensor:
    """Find the nearest entry of [V, C] by L2 for each of [N, C]; int64 [N].

    The expanded square, as released code computes it: equally near entries then fall alike.
    """
    distance = vectors.square().sum(1, keepdim=True) + codebook.square().sum(1)
    return torch.addmm(distance, vectors, codebook.T, alpha=-2).argmin(1)


class VectorQuantiser(nn.Module):
    """VQGAN's quantiser (taming/modules/vqvae/quantize.py, VectorQuantizer2).

    Args:
        codes: entries V.
        channels: of an entry.
        beta: weight of the commitment term or, if ``legacy``, of the codebook term: the
            release swapped the two and kept the swap as its default.
    """

    def __init__(self, codes: int, channels: int, beta: float = 0.25, legacy: bool = True) -> None:
        super().__init__()
        self.beta = beta
        self.legacy = legacy
        self.embedding = nn.Embedding(codes, channels)
        nn.init.uniform_(self.embedding.weight, -1 / codes, 1 / codes)

    def forward(self, latent: Tensor) -> Quantised:
        """Quantise [B, C, h, w] position by position."""
        vectors = latent.movedim(1, -1)  # [B, h, w, C]
        codes = nearest_codes(vectors.flatten(0, 2).detach(), self.embedding.weight.detach())
        codes = codes.reshape(vectors.shape[:-1])
        entries = self.embedding(codes)
        commitment = F.mse_loss(vectors, entries.detach())
        codebook = F.mse_loss(entries, vectors.detach())
        weights = (1.0, self.beta) if self.legacy else (self.beta, 1.0)
        loss = weights[0] * commitment + weights[1] * codebook
        through = vectors + (entries - vectors).detach()
        return Quantised(through.movedim(-1, 1), loss, codes)


class VQGAN(nn.Module):
    """The autoencoder with its quantiser.

    Args:
        width: channels of the first convolution.
        multipliers: of ``width``, one a level.
        blocks: residual blocks a level.
        channels: of the latent between backbone and the 1 x 1 convolutions.
        codes: entries of the codebook.
        embedding: channels of an entry.
        attention: levels that attend.
        beta: see :class:`VectorQuantiser`.
        legacy: see :class:`VectorQuantiser`.
    """

    def __init__(
        self,
        *,
        width: int,
        multipliers: Sequence[int],
        blocks: int,
        channels: int,
        codes: int,
        embedding: int,
        attention: Collection[int] = (),
        beta: float = 0.25,
        legacy: bool = True,
        dropout: float = 0.0,
        in_channels: int = 3,
        out_channels: int = 3,
    ) -> None:
        super().__init__()
        self.encoder = ConvEncoder(
            width=width,
            multipliers=multipliers,
            blocks=blocks,
            latent=channels,
            attention=attention,
            dropout=dropout,
            in_channels=in_channels,
        )
        self.decoder = ConvDecoder(
            width=width,
            multipliers=multipliers,
            blocks=blocks,
            latent=channels,
            attention=attention,
            dropout=dropout,
            out_channels=out_channels,
        )
        self.quantize = VectorQuantiser(codes, embedding, beta, legacy)
        self.quant_conv = nn.Conv2d(channels, embedding, 1)
        self.post_quant_conv = nn.Conv2d(embedding, channels, 1)

    def encode(self, image: Tensor) -> Tensor:
        """Map images [B, 3, H, W] in [-1, 1] to latents [B, embedding, h, w] yet unquantised."""
        latent: Tensor = self.quant_conv(self.encoder(image))
        return latent

    def decode(self, latent: Tensor) -> Tensor:
        """Map quantised latents to images, roughly in [-1, 1]."""
        image: Tensor = self.decoder(self.post_quant_conv(latent))
        return image
