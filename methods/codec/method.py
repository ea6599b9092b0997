"""A codec by itself: what a prior over its latents could reach at best, and at what rate.

Labels are painted (or one-hot), encoded, passed through a bottleneck, decoded and read
again. All codecs on the shared network (``tokenizer: conv``) differ in the bottleneck alone:
same encoder and decoder, same first weights for a seed, same images in the same order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench import CODE_FLIPS, LATENT_NOISE, Batch, DataSpec, Method, seeding
from methods._nn.colour import fill_void, paint
from methods._nn.inverse import ConvInverse, Inverse, NearestColour, PseudoInverse
from methods._nn.loss import cross_entropy
from methods._nn.padding import pad_label
from methods._nn.palettes import make_palette
from methods._nn.precision import full_precision
from methods._nn.rate import CodeCounter
from methods.codec.bottleneck import DiscreteBottleneck, KLBottleneck, flip
from methods.codec.coder import make_coder
from methods.codec.config import Config


class LatentDeviation(nn.Module):
    """The standard deviation of latents over the training set, each channel about its mean.

    One number, the root of the mean variance: scaling every channel by its own would make
    noise on unused channels of a KL codec as strong as on used ones.
    """

    value: Tensor  # float32 [1]

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("value", torch.ones(1))

    def measure(self, latents: Iterable[Tensor]) -> None:
        """Set it from latents [B, C, h, w], summed in double precision."""
        count, total, squares = 0, torch.zeros(()), torch.zeros(())
        for latent in latents:
            rows = latent.detach().double().transpose(0, 1).flatten(1)
            count += rows.shape[1]
            total, squares = total + rows.sum(1), squares + rows.square().sum(1)
        variance = (squares / count - (total / count).square()).clamp(min=0)
        self.value.copy_(variance.mean().sqrt())


class Codec(Method[Config]):
    """Colouring, tokenizer and inverse; sees no image."""

    palette: Tensor  # float32 [K + 1, 3] in [0, 1], void's colour last

    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        self.one_hot = config.colouring == "one_hot"
        self.coder = make_coder(config, data.num_classes if self.one_hot else 3)
        self.inverse = _inverse(config, data.num_classes)
        self.deviation = LatentDeviation()
        palette = torch.zeros(data.num_classes + 1, 3)
        if config.colouring != "one_hot":
            colours = make_palette(
                config.colouring, data.classes, data.palette, config.palette_seed
            )
            palette = torch.from_numpy(colours / 255).float()
        self.register_buffer("palette", palette, persistent=False)

    def forward(self, stage: str, batch: Batch) -> dict[str, Tensor]:
        """Return the error of colours and, through the inverse, of classes, per pixel."""
        if stage != self.config.train_codec.name:
            return super().forward(stage, batch)
        label = pad_label(batch.label, self.config.stride)
        target = self._picture(label)
        decoded, bottleneck = self.coder(target, batch.seeds)
        scores = self._scores(decoded)
        losses = {"bottleneck": bottleneck}
        if not self.one_hot:
            losses["colour"] = F.mse_loss(decoded, target)
            scores = scores / self.config.colour_temperature if self.inverse.votes else scores
        return {"classes": cross_entropy(scores, label), **losses}

    def fit(self, stage: str, batches: Iterable[Batch]) -> None:
        """Measure the deviation of the latents, which noise is relative to."""
        if stage != "statistics":
            super().fit(stage, batches)
        with torch.no_grad():
            self.deviation.measure(self._latent(batch.label, batch.seeds) for batch in batches)

    def predict(self, image: Tensor, seeds: Tensor) -> Tensor:
        raise TypeError("Codec sees no image and predicts nothing; its task is 'reconstruct'")

    def reconstruct(self, label: Tensor, seeds: Tensor) -> Tensor:
        return self._decoded(self.coder.bottleneck.restore(self._latent(label, seeds)), label)

    def reconstruct_perturbed(
        self, label: Tensor, seeds: Tensor, perturbation: str, strength: float
    ) -> Tensor:
        bottleneck = self.coder.bottleneck
        latent = self._latent(label, seeds)
        if perturbation == LATENT_NOISE:
            noise = seeding.normal(seeding.derive(seeds, LATENT_NOISE), *latent.shape[1:])
            noisy = latent + strength * self.deviation.value * noise.to(latent)
            return self._decoded(bottleneck.restore(noisy), label)
        if perturbation == CODE_FLIPS and isinstance(bottleneck, DiscreteBottleneck):
            codes = tuple(
                flip(level_codes, size, strength, seeding.derive(seeds, CODE_FLIPS, level))
                for level, (level_codes, size) in enumerate(
                    zip(bottleneck.codes(latent), bottleneck.codebook_sizes, strict=True)
                )
            )
            return self._decoded(bottleneck.lookup(codes), label)
        return super().reconstruct_perturbed(label, seeds, perturbation, strength)

    def measure(self, batches: Iterable[Batch]) -> dict[str, float]:
        bottleneck = self.coder.bottleneck
        measured: dict[str, float] = {
            "stride": self.config.stride,
            "codebook_parameters": bottleneck.codebook_parameters(),
        }
        if isinstance(bottleneck, DiscreteBottleneck):
            counter = CodeCounter(bottleneck.codebook_sizes)
            for batch in batches:
                codes = bottleneck.codes(self._latent(batch.label, batch.seeds))
                counter.add(codes, batch.label.numel())
            return measured | counter.measured()
        if not isinstance(bottleneck, KLBottleneck):  # labels as they are
            return measured | {"bits_per_pixel": math.log2(self.data.num_classes)}
        nats, numbers, pixels = 0.0, 0, 0
        for batch in batches:
            posterior = bottleneck.posterior(self._features(batch.label))
            nats += float(posterior.kl().double().sum())
            numbers += posterior.mean.numel()
            pixels += batch.label.numel()
        bits = nats / math.log(2)
        return measured | {"bits_per_pixel": bits / pixels, "kl_bits_per_latent": bits / numbers}

    def _picture(self, label: Tensor) -> Tensor:
        """Paint int64 labels [B, H, W]; ignored pixels take a label from their surroundings."""
        filled = fill_void(label)
        if self.one_hot:
            return F.one_hot(filled, self.data.num_classes).movedim(-1, 1).float()
        return paint(filled, self.palette)

    def _features(self, label: Tensor) -> Tensor:
        return self.coder.features(self._picture(pad_label(label, self.config.stride))).float()

    def _latent(self, label: Tensor, seeds: Tensor) -> Tensor:
        """Encode labels of any size; float32 [B, C, h, w], not yet rounded."""
        features = self._features(label)
        with full_precision(features):
            return self.coder.bottleneck.latent(features, seeds)

    def _decoded(self, latent: Tensor, label: Tensor) -> Tensor:
        """Decode what the bottleneck returned to labels of the size of those given."""
        height, width = label.shape[1:]
        return self._scores(self.coder.picture(latent)).argmax(1)[:, :height, :width]

    def _scores(self, picture: Tensor) -> Tensor:
        scores: Tensor = self.inverse(picture, self.palette[:-1])
        return scores


class OneHotInverse(Inverse):
    """One channel per class needs no inverse."""

    votes = False

    def forward(self, maskige: Tensor, palette: Tensor) -> Tensor:
        return maskige


def _inverse(config: Config, num_classes: int) -> Inverse:
    if config.colouring == "one_hot":
        return OneHotInverse()
    if config.inverse == "conv":
        return ConvInverse(config.inverse_width, num_classes)
    return PseudoInverse() if config.inverse == "pseudo_inverse" else NearestColour()
