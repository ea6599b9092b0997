"""Pictures of label maps to latents and back: the shared network, and released ones."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods._nn.autoencoders.dalle import DalleDecoder, DalleEncoder, map_pixels, unmap_pixels
from methods._nn.autoencoders.kl import KLAutoencoder
from methods._nn.autoencoders.tokenizer import conv_decoder, conv_encoder
from methods._nn.autoencoders.vqgan import VQGAN
from methods._nn.precision import full_precision
from methods._nn.quantisers.finite_scalar import FiniteScalarQuantiser
from methods._nn.quantisers.multi_scale import MultiScaleResidualQuantiser
from methods.codec.bottleneck import (
    Bottleneck,
    BottleneckOutput,
    GumbelBottleneck,
    IdentityBottleneck,
    KLBottleneck,
    LogitBottleneck,
    QuantiserBottleneck,
)
from methods.codec.config import Config
from methods.codec.moving_average import ResidualBottleneck


class Coder(nn.Module, ABC):
    """A picture [B, C, H, W] to features, through a bottleneck, and to a picture again."""

    bottleneck: Bottleneck

    @abstractmethod
    def features(self, picture: Tensor) -> Tensor:
        """Return what the bottleneck reads, float32 [B, F, h, w]."""

    @abstractmethod
    def picture(self, latent: Tensor) -> Tensor:
        """Decode what the bottleneck returns to float32 [B, C, H, W].

        Three channels are colours in [0, 1] (beyond it, where a release does not bound
        them); one-hot pictures are logits.
        """

    def forward(self, picture: Tensor, seeds: Tensor) -> tuple[Tensor, Tensor]:
        """Return the decoded picture and the bottleneck's loss, as training sees them.

        The bottleneck is in full precision always: rounding flips codes.
        """
        features = self.features(picture).float()
        with full_precision(features):
            output: BottleneckOutput = self.bottleneck(features, seeds)
        return self.picture(output.latent), output.loss


class IdentityCoder(Coder):
    """Keeps every pixel: what colouring and inverse lose by themselves."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bottleneck = IdentityBottleneck(channels)

    def features(self, picture: Tensor) -> Tensor:
        return picture

    def picture(self, latent: Tensor) -> Tensor:
        return latent


class ConvCoder(Coder):
    """The encoder and decoder that all compared codecs share."""

    def __init__(self, config: Config, channels: int) -> None:
        super().__init__()
        self.colours = channels == 3
        widths, blocks, features = config.widths, config.blocks, config.features
        self.stem = nn.Conv2d(channels, config.stem_width, 1)
        self.encoder = conv_encoder(widths, blocks, features, config.stem_width)
        self.decoder = conv_decoder(features, widths, blocks, config.stem_width)
        self.head = nn.Conv2d(config.stem_width, channels, 1)
        # Last, so that all codecs of one seed start from the same encoder and decoder.
        self.bottleneck = make_bottleneck(config)
        self.widen = nn.Conv2d(self.bottleneck.dim, features, 1)

    def features(self, picture: Tensor) -> Tensor:
        encoded: Tensor = self.encoder(F.silu(self.stem(picture)))
        return encoded

    def picture(self, latent: Tensor) -> Tensor:
        decoded: Tensor = self.head(F.silu(self.decoder(self.widen(latent))))
        return decoded.sigmoid() if self.colours else decoded


class DalleCoder(Coder):
    """OpenAI's discrete VAE (``methods/_nn/autoencoders/dalle.py``)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        sizes = config.dalle
        self.encoder = DalleEncoder(sizes.width, sizes.blocks, sizes.num_codes)
        self.decoder = DalleDecoder(sizes.width, sizes.first_width, sizes.blocks, sizes.num_codes)
        self.bottleneck = LogitBottleneck(sizes.num_codes, sizes.gumbel_temperature)

    def features(self, picture: Tensor) -> Tensor:
        logits: Tensor = self.encoder(map_pixels(picture))
        return logits

    def picture(self, latent: Tensor) -> Tensor:
        return unmap_pixels(self.decoder(latent)[:, :3].sigmoid())


class VQGANCoder(Coder):
    """CompVis's VQGAN (``methods/_nn/autoencoders/vqgan.py``), on colours or one-hot labels."""

    def __init__(self, config: Config, channels: int) -> None:
        super().__init__()
        self.one_hot = config.colouring == "one_hot"
        sizes = config.autoencoder
        self.autoencoder = VQGAN(
            width=sizes.width,
            multipliers=sizes.multipliers,
            blocks=sizes.blocks,
            latent_channels=sizes.latent_channels,
            num_codes=config.codebook.num_codes,
            code_dim=config.codebook.code_dim,
            attention_levels=sizes.attention_levels,
            commitment=config.codebook.commitment,
            in_channels=channels,
            out_channels=channels,
        )
        self.bottleneck = QuantiserBottleneck(self.autoencoder.quantize, nn.Identity())
        del self.autoencoder.quantize  # one owner, so that its codebook is saved once

    def features(self, picture: Tensor) -> Tensor:
        return self.autoencoder.encode(2 * picture - 1)

    def picture(self, latent: Tensor) -> Tensor:
        decoded = self.autoencoder.decode(latent)
        return decoded if self.one_hot else (decoded + 1) / 2


class KLCoder(Coder):
    """CompVis's KL autoencoder (``methods/_nn/autoencoders/kl.py``), Stable Diffusion's too."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        sizes = config.autoencoder
        self.autoencoder = KLAutoencoder(
            width=sizes.width,
            multipliers=sizes.multipliers,
            blocks=sizes.blocks,
            latent_channels=sizes.latent_channels,
            attention_levels=sizes.attention_levels,
            groups=sizes.groups,
        )
        weight, stride = config.kl.weight, self.autoencoder.stride
        self.bottleneck = KLBottleneck(nn.Identity(), sizes.latent_channels, weight, stride)

    def features(self, picture: Tensor) -> Tensor:
        posterior = self.autoencoder.encode(2 * picture - 1)
        return torch.cat([posterior.mean, posterior.logvar], 1)

    def picture(self, latent: Tensor) -> Tensor:
        return (self.autoencoder.decode(latent) + 1) / 2


def make_coder(config: Config, channels: int) -> Coder:
    """Make the tokenizer that a configuration names, for pictures of so many channels.

    Raises:
        ValueError: if a released architecture is to read one-hot pictures.
    """
    if config.tokenizer == "identity":
        return IdentityCoder(channels)
    if config.tokenizer == "conv":
        return ConvCoder(config, channels)
    if config.tokenizer == "vqgan":
        return VQGANCoder(config, channels)
    if config.colouring == "one_hot":
        raise ValueError(f"tokenizer {config.tokenizer!r} reads colours; colouring is 'one_hot'")
    return DalleCoder(config) if config.tokenizer == "dalle" else KLCoder(config)


def make_bottleneck(config: Config) -> Bottleneck:
    """Make the shared network's bottleneck."""
    features, book = config.features, config.codebook
    if config.bottleneck == "kl":
        channels = config.kl.latent_channels
        moments = nn.Conv2d(features, 2 * channels, 1)
        return KLBottleneck(moments, channels, config.kl.weight, config.stride)
    if config.bottleneck == "fsq":
        grid = FiniteScalarQuantiser(config.fsq_levels)
        return QuantiserBottleneck(grid, _standardised(features, grid.channels))
    if config.bottleneck == "gumbel":
        return GumbelBottleneck(features, book.code_dim, book.num_codes, book.gumbel_temperature)
    if config.bottleneck == "var":
        quantiser = MultiScaleResidualQuantiser(
            book.num_codes,
            book.code_dim,
            book.sides,
            commitment=book.commitment,
            restart_below=book.restart_below,
        )
        return QuantiserBottleneck(quantiser, nn.Conv2d(features, book.code_dim, 1))
    return ResidualBottleneck(
        features,
        book.code_dim,
        book.num_codes,
        1 if config.bottleneck == "vq" else book.rvq_depth,
        commitment=book.commitment,
        decay=book.decay,
        restart_below=book.restart_below,
    )


def _standardised(features: int, channels: int) -> nn.Sequential:
    """Project features and normalise each channel, for finite scalar quantisation.

    Deviation from arXiv:2309.15505: channels are normalised over a process's batch, by running
    averages after training, before they are squashed. Encoders here outgrow the squashing
    otherwise: its gradient vanishes, and latents stay in the corners of the grid, with few
    codes in use.
    """
    return nn.Sequential(nn.Conv2d(features, channels, 1), nn.BatchNorm2d(channels, affine=False))
