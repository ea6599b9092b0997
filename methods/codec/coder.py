"""Pictures of label maps to latents and back: the shared network, and released ones."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods._nn.dalle import DalleDecoder, DalleEncoder, map_pixels, unmap_pixels
from methods._nn.kl_autoencoder import KLAutoencoder
from methods._nn.tokenizer import conv_decoder, conv_encoder
from methods._nn.var_quantizer import ResidualQuantiser
from methods._nn.vqgan import VQGAN
from methods.codec.bottleneck import (
    FSQ,
    KL,
    Bottleneck,
    Gumbel,
    LargestLogit,
    MultiScale,
    Nearest,
    Open,
    Passed,
)
from methods.codec.codebook import ResidualVectorQuantizer
from methods.codec.config import Config


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
        with torch.autocast(features.device.type, enabled=False):
            passed: Passed = self.bottleneck(features, seeds)
        return self.picture(passed.latent), passed.loss


class IdentityCoder(Coder):
    """Keeps every pixel: what colouring and inverse lose by themselves."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bottleneck = Open(channels)

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
        self.stem = nn.Conv2d(channels, config.stem, 1)
        self.encoder = conv_encoder(widths, blocks, features, config.stem)
        self.decoder = conv_decoder(features, widths, blocks, config.stem)
        self.head = nn.Conv2d(config.stem, channels, 1)
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
    """OpenAI's discrete VAE (``methods/_nn/dalle.py``)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        sizes = config.dalle
        self.encoder = DalleEncoder(sizes.width, sizes.num_blocks, sizes.num_codes)
        self.decoder = DalleDecoder(
            sizes.width, sizes.first_width, sizes.num_blocks, sizes.num_codes
        )
        self.bottleneck = LargestLogit(sizes.num_codes, sizes.temperature)

    def features(self, picture: Tensor) -> Tensor:
        logits: Tensor = self.encoder(map_pixels(picture))
        return logits

    def picture(self, latent: Tensor) -> Tensor:
        return unmap_pixels(self.decoder(latent)[:, :3].sigmoid())


class VQGANCoder(Coder):
    """CompVis's VQGAN (``methods/_nn/vqgan.py``)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        sizes = config.backbone
        self.autoencoder = VQGAN(
            width=sizes.width,
            multipliers=sizes.multipliers,
            blocks=sizes.blocks,
            channels=sizes.latent_channels,
            codes=config.codebook.codes,
            embedding=sizes.embedding,
            attention=sizes.attention_levels,
            beta=config.codebook.commitment,
        )
        self.bottleneck = Nearest(self.autoencoder.quantize)
        del self.autoencoder.quantize  # one owner, so that its codebook is saved once

    def features(self, picture: Tensor) -> Tensor:
        return self.autoencoder.encode(2 * picture - 1)

    def picture(self, latent: Tensor) -> Tensor:
        return (self.autoencoder.decode(latent) + 1) / 2


class KLCoder(Coder):
    """CompVis's KL autoencoder (``methods/_nn/kl_autoencoder.py``), Stable Diffusion's too."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        sizes = config.backbone
        self.autoencoder = KLAutoencoder(
            width=sizes.width,
            multipliers=sizes.multipliers,
            blocks=sizes.blocks,
            latent_channels=sizes.latent_channels,
            attention_levels=sizes.attention_levels,
            groups=sizes.groups,
        )
        weight, stride = config.kl.weight, self.autoencoder.stride
        self.bottleneck = KL(nn.Identity(), sizes.latent_channels, weight, stride)

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
    if channels != 3:
        raise ValueError(f"tokenizer {config.tokenizer!r} reads colours; colouring is 'one_hot'")
    if config.tokenizer == "dalle":
        return DalleCoder(config)
    return VQGANCoder(config) if config.tokenizer == "vqgan" else KLCoder(config)


def make_bottleneck(config: Config) -> Bottleneck:
    """Make the shared network's bottleneck."""
    features, book = config.features, config.codebook
    if config.bottleneck == "kl":
        channels = config.kl.channels
        moments = nn.Conv2d(features, 2 * channels, 1)
        return KL(moments, channels, config.kl.weight, config.stride)
    if config.bottleneck == "fsq":
        return FSQ(features, config.fsq_levels)
    if config.bottleneck == "gumbel":
        return Gumbel(features, book.dim, book.codes, book.temperature)
    if config.bottleneck == "var":
        quantiser = ResidualQuantiser(
            book.codes,
            book.dim,
            book.sides,
            beta=book.commitment,
            restart_below=book.restart_below,
        )
        return MultiScale(features, quantiser, book.codes)
    return ResidualVectorQuantizer(
        features,
        book.dim,
        book.codes,
        1 if config.bottleneck == "vq" else book.levels,
        commitment=book.commitment,
        decay=book.decay,
        restart_below=book.restart_below,
    )
