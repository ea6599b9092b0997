"""The tokenizer that images and seglats share, in the kinds of the paper's comparison."""

from __future__ import annotations

from contextlib import nullcontext
from typing import NamedTuple

from torch import Tensor, nn

from methods._nn.autoencoders.tokenizer import Reconstruction, conv_decoder, conv_encoder
from methods._nn.autoencoders.var import VARAutoencoder
from methods._nn.precision import full_precision
from methods._nn.quantisers.multi_scale import MultiScaleQuantiser, MultiScaleResidualQuantiser
from methods.seg_var.config import TokenizerSettings
from methods.seg_var.single_scale_quantisers import GaussianQuantiser, GumbelQuantiser


class StridedAutoencoder(nn.Module):
    """Strided convolutions, and residual blocks at the last stride alone.

    Colour maps are flat but for their edges, so little is lost by not working at full
    resolution, where a small machine would spend most of its time.
    """

    def __init__(
        self, widths: tuple[int, ...], blocks: int, quantiser: MultiScaleQuantiser
    ) -> None:
        super().__init__()
        self.encoder = conv_encoder(widths, blocks, quantiser.channels)
        self.decoder = conv_decoder(quantiser.channels, widths, blocks)
        self.quantize = quantiser

    def encode(self, image: Tensor) -> Tensor:
        """Map [B, 3, H, W] in [-1, 1] to latents [B, C, h, w]."""
        latent: Tensor = self.encoder(image)
        return latent

    def decode(self, latent: Tensor) -> Tensor:
        """Map latents to images."""
        image: Tensor = self.decoder(latent)
        return image


class CodeShape(NamedTuple):
    """Sizes of what a tokenizer encodes."""

    scales: int
    channels: int  # of the latent
    outputs: int  # numbers that a prediction of one position's code has


class SharedTokenizer(nn.Module):
    """Pictures [B, 3, H, W] in [-1, 1] to codes at several scales and back.

    Height and width must be multiples of the stride.

    Args:
        config: kind and sizes.
    """

    def __init__(self, config: TokenizerSettings) -> None:
        super().__init__()
        quantiser = build_quantiser(config)
        self.stride = 2 ** (len(config.multipliers) - (config.autoencoder == "var"))
        """Pixels of a side that a latent position stands for."""
        self.outputs = config.latent_channels if config.kind == "kl" else config.num_codes
        self.continuous = config.kind == "kl"
        self.autoencoder: VARAutoencoder | StridedAutoencoder
        if config.autoencoder == "conv":
            widths = tuple(config.width * m for m in config.multipliers)
            self.autoencoder = StridedAutoencoder(widths, config.blocks, quantiser)
        else:
            self.autoencoder = VARAutoencoder(
                width=config.width,
                multipliers=config.multipliers,
                blocks=config.blocks,
                quantiser=quantiser,
            )

    @property
    def shape(self) -> CodeShape:
        """What a prediction of codes has to know."""
        return CodeShape(len(self.quantiser.sides), self.quantiser.channels, self.outputs)

    @property
    def quantiser(self) -> MultiScaleQuantiser:
        """What is between encoder and decoder."""
        return self.autoencoder.quantize

    def latent(self, image: Tensor) -> Tensor:
        """Return the latent [B, C, h, w] before quantisation, in full precision always."""
        with full_precision(image):
            return self.autoencoder.encode(image.float())

    def encode(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the codes of each scale."""
        return self.quantiser.encode(self.latent(image))

    def decode(self, codes: tuple[Tensor, ...]) -> Tensor:
        """Return the picture that codes stand for, in full precision always."""
        with full_precision(codes[0]):
            return self.autoencoder.decode(self.quantiser.decode(codes))

    def through(self, image: Tensor, seeds: Tensor | None = None) -> Reconstruction:
        """Encode and decode so that gradients pass.

        With seeds, int64 [B], as the tokenizer is trained, with whatever it draws and
        restarts; without, as ``decode(encode(image))``. Frozen, which is in evaluation mode,
        it runs in full precision.
        """
        with nullcontext() if self.training else full_precision(image):
            quantised = self.quantiser(self.autoencoder.encode(image), seeds)
            return Reconstruction(self.autoencoder.decode(quantised.latent), quantised.loss)


def build_quantiser(config: TokenizerSettings) -> MultiScaleQuantiser:
    """Build what is between encoder and decoder."""
    if config.kind == "kl":
        return GaussianQuantiser(config.latent_channels)
    if config.kind == "dvae":
        return GumbelQuantiser(config.num_codes, config.latent_channels)
    return MultiScaleResidualQuantiser(
        config.num_codes,
        config.latent_channels,
        config.sides if config.kind == "var" else config.sides[-1:],
        smoothings=config.smoothings if config.kind == "var" else 0,
        ratio=config.ratio,
        commitment=config.commitment,
        restart_below=config.restart_below,
    )
