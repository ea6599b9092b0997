"""CAM-Seg (Ahmed et al., arXiv:2503.15617; released as mahmed10/CAMSS).

Image and maskige pass the same KL autoencoder. A masked transformer reads the image's
latents and those of the mask drawn so far; a diffusion head draws the rest, conditioned on its
output. Decoded and matched to the nearest colours, they are the labels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench import IGNORE_INDEX, Batch, DataSpec, Labelled, Method, seeding
from methods._nn.autoencoders.kl import KLAutoencoder
from methods._nn.colour import fill_void, nearest_scores, paint
from methods._nn.gaussian import Gaussian
from methods._nn.loss import cross_entropy
from methods._nn.precision import full_precision
from methods.cam_seg.augment import augment
from methods.cam_seg.autoencoder_loss import PatchDiscriminator, PerceptualDistance
from methods.cam_seg.config import Config, Posterior
from methods.cam_seg.diffusion_head import DiffusionHead
from methods.cam_seg.gaussian_diffusion import TIME_STEPS
from methods.cam_seg.generate import MaskSampler, hidden_share, hide
from methods.cam_seg.latents import LatentScale
from methods.cam_seg.palette import colours
from methods.cam_seg.transformer import MaskTransformer, to_latent, to_tokens

COLOUR_TEMPERATURE = 0.1
"""Divides squared distances of colours in [-1, 1], where they are read as logits."""


class CamSeg(Method[Config]):
    palette: Tensor  # float32 [K + 1, 3] in [-1, 1], void's colour last
    autoencoder: KLAutoencoder
    image_scale: LatentScale
    mask_scale: LatentScale
    transformer: MaskTransformer
    head: DiffusionHead
    classifier: nn.Linear
    """Of the twin, in place of ``head``."""

    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        self.grid = _grid(config, data)
        parts = config.autoencoder
        self.register_buffer("palette", colours(config, data), persistent=False)
        self.autoencoder = KLAutoencoder(
            width=parts.width,
            multipliers=parts.multipliers,
            blocks=parts.blocks,
            latent_channels=parts.latent_channels,
            attention_levels=parts.attention_levels,
            groups=parts.groups,
            patch=parts.patch,
        )
        self.adversary = PatchDiscriminator() if parts.adversarial_weight else None
        self.perceptual = (
            PerceptualDistance(parts.perceptual_backbone) if parts.perceptual_weight else None
        )
        self.image_scale = LatentScale(parts.latent_channels, config.latent_scale)
        self.mask_scale = LatentScale(parts.latent_channels, config.latent_scale)
        channels = parts.latent_channels * config.patch**2
        self.transformer = MaskTransformer(
            self.grid,
            channels,
            config.encoder,
            config.decoder,
            config.mlp_ratio,
            config.dropout,
            config.patch,
            config.shortcuts,
        )
        if config.control == "twin":
            pixels = (parts.stride * config.patch) ** 2
            self.classifier = nn.Linear(config.decoder.width, data.num_classes * pixels)
            return
        self.head = DiffusionHead(
            channels,
            config.decoder.width,
            config.head.width,
            config.head.depth,
            config.head.target,
        )

    def forward(self, stage: str, batch: Batch) -> dict[str, Tensor]:
        if stage == "autoencoder":
            return self._autoencoder_losses(batch)
        if stage in ("prior", "twin"):
            batch = augment(batch) if self.config.augmentation_pool else batch
            return self._twin_losses(batch) if stage == "twin" else self._prior_losses(batch)
        return super().forward(stage, batch)

    def fit(self, stage: str, batches: Iterable[Batch]) -> None:
        if stage != "statistics":
            super().fit(stage, batches)
        posterior = self.config.posterior
        latents = [
            (
                self._encode(2 * b.image - 1, b.seeds, posterior),
                self._encode(self._maskige(b.label), b.seeds, posterior),
            )
            for b in batches
        ]
        self.image_scale.measure(torch.cat([image for image, _ in latents]))
        self.mask_scale.measure(torch.cat([mask for _, mask in latents]))

    def logits(self, image: Tensor, seeds: Tensor) -> Tensor | None:
        """Return the twin's class scores; the method itself has none."""
        if self.config.control != "twin":
            return None
        posterior = self.config.inference.posterior
        return self._pixel_logits(image, seeding.derive(seeds, "image"), posterior)

    def predict(self, image: Tensor, seeds: Tensor) -> Tensor:
        return self.predict_with_confidence(image, seeds).label

    def predict_with_confidence(self, image: Tensor, seeds: Tensor) -> Labelled:
        pixels = self.logits(image, seeds)
        if pixels is None:
            return Labelled(self._draw(image, seeds), None)
        return Labelled(pixels.argmax(dim=1), self.normalise(pixels).amax(dim=1))

    def _draw(self, image: Tensor, seeds: Tensor) -> Tensor:
        """Draw masks and read their labels, int64 [B, H, W]."""
        settings = self.config.drawing
        sampler = MaskSampler(self.transformer, self.head, settings)
        tokens = self._image_tokens(image, seeding.derive(seeds, "image"), settings.posterior)
        first = sampler.first_condition(tokens)
        scores = []
        for sample in range(1 if settings.aggregate == "first" else settings.samples):
            mask = sampler.draw(tokens, first, seeding.derive(seeds, "sample", sample))
            latent = self.mask_scale.restore(to_latent(mask, self.grid, self.config.patch))
            scores.append(self._scores(self._decode(latent)))
        return self._labels(_aggregate(torch.stack(scores), settings.aggregate))

    def reconstruct(self, label: Tensor, seeds: Tensor) -> Tensor:
        maskige = self._maskige(label)
        latent = self._encode(maskige, seeding.derive(seeds, "mask"), self.config.posterior)
        return self._labels(self._scores(self._decode(latent)).argmax(dim=1))

    def _autoencoder_losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return the losses of reconstructing image and maskige, per pixel and channel.

        CompVis/latent-diffusion ldm/modules/losses/contperceptual.py at its initial, fixed
        output variance of one; it sums over an image, which only scales the whole.
        """
        parts = self.config.autoencoder
        maskige = self._maskige(batch.label)
        target = torch.cat([2 * batch.image - 1, maskige])
        noise = seeding.normal(
            seeding.derive(batch.seeds, "posterior"), 2, *self._latent_shape()
        ).to(target)
        posterior = self.autoencoder.encode(target)
        decoded = self.autoencoder.decode(posterior.sample(noise.transpose(0, 1).flatten(0, 1)))
        losses = {
            "reconstruction": F.l1_loss(decoded, target),
            "kl": parts.kl_weight * posterior.kl().mean() / target[0].numel(),
        }
        if parts.label_weight:
            truth = fill_void(batch.label) if self.config.void == "fill" else batch.label
            truth = truth.masked_fill(truth == IGNORE_INDEX, self.data.num_classes)
            scores = self._scores(decoded[len(batch.label) :]) / COLOUR_TEMPERATURE
            losses["label"] = parts.label_weight * F.cross_entropy(scores, truth)
        if self.perceptual is not None:
            distance = self.perceptual(decoded, target).mean()
            losses["perceptual"] = parts.perceptual_weight * distance
        if self.adversary is not None:
            losses["decoder"] = parts.adversarial_weight * self.adversary.decoder_loss(decoded)
            losses["discriminator"] = self.adversary.discriminator_loss(target, decoded)
        return losses

    def _prior_losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return the diffusion losses of the hidden mask tokens.

        The share of hidden tokens is the batch's, as released, drawn from its first image.
        """
        length = self.transformer.length
        with torch.no_grad():
            posterior = self.config.posterior
            image = self._image_tokens(batch.image, seeding.derive(batch.seeds, "image"), posterior)
            mask = self._mask_tokens(batch.label, seeding.derive(batch.seeds, "mask"))
        share = hidden_share(batch.seeds[:1], self.config.min_hidden_share)
        hidden = hide(batch.seeds, length, math.ceil(length * share)).to(image.device)
        condition = self.transformer(image, mask, hidden)[:, length:][hidden]
        repeats, count = self.config.head.repeats, int(hidden[0].sum())
        time = seeding.uniform(seeding.derive(batch.seeds, "time"), repeats, count) * TIME_STEPS
        noise = seeding.normal(
            seeding.derive(batch.seeds, "noise"), repeats, count, self.head.channels
        )
        loss = self.head.loss(
            mask[hidden].repeat(repeats, 1),
            condition.repeat(repeats, 1),
            time.transpose(0, 1).flatten().long().to(image.device),
            noise.transpose(0, 1).flatten(0, 2).to(image),
        )
        return {
            "mse": loss.mse.mean(),
            "vlb": self.config.head.variational_weight * loss.vlb.mean(),
        }

    def _twin_losses(self, batch: Batch) -> dict[str, Tensor]:
        seeds = seeding.derive(batch.seeds, "image")
        pixels = self._pixel_logits(batch.image, seeds, self.config.posterior)
        return {"classes": cross_entropy(pixels, batch.label)}

    def _pixel_logits(self, image: Tensor, seeds: Tensor, posterior: Posterior) -> Tensor:
        """Return the twin's class logits, float32 [B, K, H, W].

        The transformer sees the image and no token of a mask, as in one-shot drawing. Each
        mask token classifies the pixels it stands for (the sub-pixel arrangement of Shi et
        al., arXiv:1609.05158): the resolution that the autoencoder gives masks is not withheld.
        """
        with torch.no_grad():
            tokens = self._image_tokens(image, seeds, posterior)
        hidden = torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        seen = self.transformer(tokens, torch.zeros_like(tokens), hidden)
        pixels = self.classifier(seen[:, self.transformer.length :])
        cell = self.config.autoencoder.stride * self.config.patch
        return to_latent(pixels, self.grid, cell)

    def _image_tokens(self, image: Tensor, seeds: Tensor, posterior: Posterior) -> Tensor:
        if image.shape[-2:] != self.data.size:
            raise ValueError(
                f"image of {_by(image.shape[-2:])} pixels; this model was built for "
                f"{_by(self.data.size)}, which its learned positions fix"
            )
        latent = self._encode(2 * image - 1, seeds, posterior)
        return to_tokens(self.image_scale.normalise(latent), self.config.patch)

    def _mask_tokens(self, label: Tensor, seeds: Tensor) -> Tensor:
        latent = self._encode(self._maskige(label), seeds, self.config.posterior)
        return to_tokens(self.mask_scale.normalise(latent), self.config.patch)

    def _encode(self, image: Tensor, seeds: Tensor, posterior: Posterior) -> Tensor:
        """Return a latent of images [B, 3, H, W] in [-1, 1]: drawn, or the posterior's mode.

        Encoding and decoding for the prior are in full precision always.
        """
        with full_precision(image):
            latent: Gaussian = self.autoencoder.encode(image)
        if posterior == "mode":
            return latent.mean
        return latent.sample(seeding.normal(seeds, *latent.mean.shape[1:]).to(image))

    def _decode(self, latent: Tensor) -> Tensor:
        with full_precision(latent):
            return self.autoencoder.decode(latent)

    def _maskige(self, label: Tensor) -> Tensor:
        return paint(fill_void(label) if self.config.void == "fill" else label, self.palette)

    def _scores(self, maskige: Tensor) -> Tensor:
        """Return negative squared distances to the colours but for a common term."""
        void = self.config.void == "paint"
        return nearest_scores(maskige, self.palette if void else self.palette[:-1])

    def _labels(self, label: Tensor) -> Tensor:
        return label.masked_fill(label == self.data.num_classes, IGNORE_INDEX)

    def _latent_shape(self) -> tuple[int, int, int]:
        stride = self.autoencoder.stride
        height, width = self.data.size
        return self.autoencoder.latent_channels, height // stride, width // stride


def _aggregate(scores: Tensor, how: str) -> Tensor:
    """Return int64 labels [B, H, W] of the scores of several samples [S, B, K, H, W]."""
    if how == "first":
        return scores[0].argmax(dim=1)
    if how == "vote":
        return scores.argmax(dim=2).mode(dim=0).values
    chances = (scores / COLOUR_TEMPERATURE).softmax(dim=2)
    entropy = torch.special.entr(chances).sum(dim=2).mean(dim=(2, 3))  # [S, B]
    best = entropy.argmin(dim=0)
    return scores[best, torch.arange(len(best), device=best.device)].argmax(dim=1)


def _grid(config: Config, data: DataSpec) -> tuple[int, int]:
    """Return height and width of an image's tokens.

    Raises:
        ValueError: the size cannot be cut into tokens, or should be square and is not.
    """
    height, width = data.size
    if config.square and height != width:
        raise ValueError(
            f"images of {_by(data.size)} pixels; square ones are required, for CAM-Seg's "
            "notebook squashes them: set protocol.resize to two equal sides, or square: false"
        )
    cell = config.autoencoder.stride * config.patch
    if height % cell or width % cell:
        raise ValueError(f"images of {_by(data.size)} pixels; sides must be multiples of {cell}")
    return height // cell, width // cell


def _by(size: Iterable[int]) -> str:
    return "x".join(str(side) for side in size)
