"""The autoencoder of VAR around any quantiser of several scales (Tian et al., arXiv:2404.02905).

Source: FoundationVision/VAR, models/vqvae.py, whose parameter names are kept so that its
``vae_ch160v4096z32.pth`` loads as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from methods._nn.autoencoders.convolutional import ConvDecoder, ConvEncoder
from methods._nn.quantisers.multi_scale import MultiScaleQuantiser


class VARAutoencoder(nn.Module):
    """VAR's tokenizer: convolutional autoencoder around a residual quantiser.

    Args:
        width: channels of the first convolution.
        multipliers: of ``width``, one per level.
        blocks: residual blocks per level.
        quantiser: its channels are those of the latent.
    """

    def __init__(
        self,
        *,
        width: int,
        multipliers: Sequence[int],
        blocks: int,
        quantiser: MultiScaleQuantiser,
    ) -> None:
        super().__init__()
        channels = quantiser.channels
        last = len(multipliers) - 1
        self.encoder = ConvEncoder(
            width=width,
            multipliers=multipliers,
            blocks=blocks,
            latent_channels=channels,
            attention_levels=(last,),
            fused=True,
        )
        self.decoder = ConvDecoder(
            width=width,
            multipliers=multipliers,
            blocks=blocks,
            latent_channels=channels,
            attention_levels=(last,),
            fused=True,
        )
        self.quantize = quantiser
        self.quant_conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.post_quant_conv = nn.Conv2d(channels, channels, 3, padding=1)

    def encode(self, image: Tensor) -> Tensor:
        """Map images [B, 3, H, W] in [-1, 1] to latents [B, C, h, w] yet unquantised."""
        latent: Tensor = self.quant_conv(self.encoder(image))
        return latent

    def decode(self, latent: Tensor) -> Tensor:
        """Map quantised latents to images, roughly in [-1, 1]."""
        image: Tensor = self.decoder(self.post_quant_conv(latent))
        return image
