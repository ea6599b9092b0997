"""VQGAN: one code per latent position (Esser et al., arXiv:2012.09841).

Parameters are named as in CompVis/taming-transformers, whose weights load as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from torch import Tensor, nn

from methods._nn.autoencoders.convolutional import ConvDecoder, ConvEncoder
from methods._nn.quantisers.vector import VectorQuantiser


class VQGAN(nn.Module):
    """The autoencoder with its quantiser.

    Args:
        width: channels of the first convolution.
        multipliers: of ``width``, one per level.
        blocks: residual blocks per level.
        latent_channels: between the convolutional stacks and the 1 x 1 convolutions.
        num_codes: entries of the codebook.
        code_dim: channels of an entry.
        attention_levels: levels that attend.
        commitment: see :class:`VectorQuantiser`.
        legacy: see :class:`VectorQuantiser`.
    """

    def __init__(
        self,
        *,
        width: int,
        multipliers: Sequence[int],
        blocks: int,
        latent_channels: int,
        num_codes: int,
        code_dim: int,
        attention_levels: Collection[int] = (),
        commitment: float = 0.25,
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
            latent_channels=latent_channels,
            attention_levels=attention_levels,
            dropout=dropout,
            in_channels=in_channels,
        )
        self.decoder = ConvDecoder(
            width=width,
            multipliers=multipliers,
            blocks=blocks,
            latent_channels=latent_channels,
            attention_levels=attention_levels,
            dropout=dropout,
            out_channels=out_channels,
        )
        self.quantize = VectorQuantiser(num_codes, code_dim, commitment, legacy)
        self.quant_conv = nn.Conv2d(latent_channels, code_dim, 1)
        self.post_quant_conv = nn.Conv2d(code_dim, latent_channels, 1)

    def encode(self, image: Tensor) -> Tensor:
        """Map images [B, 3, H, W] in [-1, 1] to latents [B, C, h, w] yet unquantised."""
        latent: Tensor = self.quant_conv(self.encoder(image))
        return latent

    def decode(self, latent: Tensor) -> Tensor:
        """Map quantised latents to images, roughly in [-1, 1]."""
        image: Tensor = self.decoder(self.post_quant_conv(latent))
        return image
