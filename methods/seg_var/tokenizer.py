"""The tokenizer that images and seglats share, in the kinds of the paper's comparison."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from methods._nn.tokenizer import conv_decoder, conv_encoder
from methods._nn.var_quantizer import MultiScaleQuantiser, ResidualQuantiser, VARAutoencoder
from methods.seg_var.config import Tokenizer
from methods.seg_var.single_scale import GaussianLatent, GumbelCodes


class SmallAutoencoder(nn.Module):
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


class Reconstruction(NamedTuple):
    """A picture through the tokenizer."""

    image: Tensor  # [B, 3, H, W], with gradients
    loss: Tensor  # scalar: what keeps the latent near its codes


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

    def __init__(self, config: Tokenizer) -> None:
        super().__init__()
        quantiser = build_quantiser(config)
        self.stride = 2 ** (len(config.multipliers) - (config.backbone == "conv"))
        """Pixels of a side that a latent position stands for."""
        self.outputs = config.channels if config.kind == "kl" else config.codes
        self.continuous = config.kind == "kl"
        self.autoencoder: VARAutoencoder | SmallAutoencoder
        if config.backbone == "small":
            widths = tuple(config.width * m for m in config.multipliers)
            self.autoencoder = SmallAutoencoder(widths, config.blocks, quantiser)
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
        """Return the latent [B, C, h, w] before quantisation."""
        return self.autoencoder.encode(image)

    def encode(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the codes of each scale."""
        return self.quantiser.encode(self.latent(image))

    def decode(self, codes: tuple[Tensor, ...]) -> Tensor:
        """Return the picture that codes stand for."""
        return self.autoencoder.decode(self.quantiser.decode(codes))

    def through(self, image: Tensor, seeds: Tensor | None = None) -> Reconstruction:
        """Encode and decode so that gradients pass.

        With seeds, int64 [B], as the tokenizer is trained, with whatever it draws and
        restarts; without, as ``decode(encode(image))``.
        """
        pyramid = self.quantiser(self.autoencoder.encode(image), seeds)
        return Reconstruction(self.autoencoder.decode(pyramid.latent), pyramid.loss)


def build_quantiser(config: Tokenizer) -> MultiScaleQuantiser:
    """Build what is between encoder and decoder."""
    if config.kind == "kl":
        return GaussianLatent(config.channels)
    if config.kind == "dvae":
        return GumbelCodes(config.codes, config.channels)
    return ResidualQuantiser(
        config.codes,
        config.channels,
        config.scales if config.kind == "var" else config.scales[-1:],
        smoothings=config.smoothings if config.kind == "var" else 0,
        ratio=config.ratio,
        beta=config.beta,
        restart_below=config.restart_below,
    )
