"""What stands between the shared encoder and decoder: the one part that codecs differ in.

Every bottleneck reads the encoder's features [B, F, h, w] and returns a latent of its own
width; the 1 x 1 convolutions around it belong to it. The *latent* of this module is what a
prior would predict: a sample of the posterior, or the vector that is about to be rounded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench import seeding
from methods._nn.autoencoders.kl import LOGVAR_RANGE
from methods._nn.gaussian import Gaussian
from methods._nn.quantisers.gumbel import gumbel_one_hot
from methods._nn.quantisers.quantiser import Quantised, Quantiser


class BottleneckOutput(NamedTuple):
    """What training sees of a bottleneck."""

    latent: Tensor  # float32 [B, D, h, w], as the decoder gets it; differentiable
    loss: Tensor  # float32 scalar


class Bottleneck(nn.Module, ABC):
    """Features [B, F, h, w] to a latent [B, C, h, w], and on to what the decoder reads."""

    dim: int
    """Channels that the decoder reads."""
    codebook_sizes: tuple[int, ...] = ()
    """Size of the codebook of each map of codes; empty where latents are continuous."""

    @abstractmethod
    def forward(self, features: Tensor, seeds: Tensor) -> BottleneckOutput:
        """Pass features through as training does; seeds int64 [B] root every draw."""

    @abstractmethod
    def latent(self, features: Tensor, seeds: Tensor) -> Tensor:
        """Return float32 [B, C, h, w], not yet rounded."""

    @abstractmethod
    def restore(self, latent: Tensor) -> Tensor:
        """Return what the decoder reads, float32 [B, dim, h, w], of latents [B, C, h, w]."""

    def codebook_parameters(self) -> int:
        """Count the parameters that only tell codes apart; they are left out of comparisons."""
        return 0


class DiscreteBottleneck(Bottleneck):
    """A bottleneck whose latents become maps of codes."""

    @abstractmethod
    def codes(self, latent: Tensor) -> tuple[Tensor, ...]:
        """Return int64 maps [B, h_i, w_i], one per codebook."""

    @abstractmethod
    def lookup(self, codes: tuple[Tensor, ...]) -> Tensor:
        """Return what the decoder reads, float32 [B, dim, h, w]."""

    def restore(self, latent: Tensor) -> Tensor:
        return self.lookup(self.codes(latent))


class KLBottleneck(Bottleneck):
    """A diagonal Gaussian held near the standard normal (arXiv:2112.10752, appendix G).

    A reconstruction decodes a sample, not the mean: the divergence is the rate of a sample
    (arXiv:1312.6114, equation 3), and the mean would carry more than is paid for.

    Args:
        moments: features to 2 C channels, means and log-variances.
        channels: C, of the latent.
        weight: of the divergence, both it and the reconstruction error being sums over an
            image (the release has 1e-6).
        stride: pixels along the side of a latent position.
    """

    def __init__(self, moments: nn.Module, channels: int, weight: float, stride: int) -> None:
        super().__init__()
        self.dim, self.weight, self.stride = channels, weight, stride
        self.moments = moments

    def posterior(self, features: Tensor) -> Gaussian:
        """Return the Gaussian over latents [B, C, h, w]."""
        mean, logvar = self.moments(features).chunk(2, dim=1)
        return Gaussian(mean, logvar.clamp(*LOGVAR_RANGE))

    def latent(self, features: Tensor, seeds: Tensor) -> Tensor:
        posterior = self.posterior(features)
        noise = seeding.normal(seeding.derive(seeds, "posterior"), *posterior.mean.shape[1:])
        return posterior.sample(noise.to(posterior.mean))

    def restore(self, latent: Tensor) -> Tensor:
        return latent

    def forward(self, features: Tensor, seeds: Tensor) -> BottleneckOutput:
        pixels = features.shape[2] * features.shape[3] * self.stride**2
        divergence = self.posterior(features).kl().mean() / pixels
        return BottleneckOutput(self.latent(features, seeds), self.weight * divergence)


class QuantiserBottleneck(DiscreteBottleneck):
    """Any quantiser of ``methods/_nn/quantisers`` behind what brings features to its width.

    Args:
        quantiser: reads the latent.
        narrow: features to the quantiser's channels.
    """

    def __init__(self, quantiser: Quantiser, narrow: nn.Module) -> None:
        super().__init__()
        self.quantiser = quantiser
        self.dim, self.codebook_sizes = quantiser.channels, quantiser.codebook_sizes
        self.narrow = narrow

    def codebook_parameters(self) -> int:
        return self.quantiser.codebook_parameters()

    def latent(self, features: Tensor, seeds: Tensor) -> Tensor:
        narrow: Tensor = self.narrow(features)
        return narrow

    def codes(self, latent: Tensor) -> tuple[Tensor, ...]:
        return self.quantiser.encode(latent)

    def lookup(self, codes: tuple[Tensor, ...]) -> Tensor:
        return self.quantiser.decode(codes)

    def forward(self, features: Tensor, seeds: Tensor) -> BottleneckOutput:
        quantised: Quantised = self.quantiser(self.latent(features, seeds), seeds)
        return BottleneckOutput(quantised.latent, quantised.loss)


class GumbelBottleneck(DiscreteBottleneck):
    """Logits over codes, sampled in training and the largest taken otherwise.

    The discrete VAE of arXiv:2102.12092, section 2.1, with hard samples whose gradient is
    the softmax's (arXiv:1611.01144), a fixed temperature and no divergence term.
    """

    def __init__(self, features: int, dim: int, num_codes: int, gumbel_temperature: float) -> None:
        super().__init__()
        self.dim, self.codebook_sizes = dim, (num_codes,)
        self.gumbel_temperature = gumbel_temperature
        self.logits = nn.Conv2d(features, num_codes, 1)
        self.vectors = nn.Embedding(num_codes, dim)

    def codebook_parameters(self) -> int:
        return sum(p.numel() for part in (self.logits, self.vectors) for p in part.parameters())

    def latent(self, features: Tensor, seeds: Tensor) -> Tensor:
        logits: Tensor = self.logits(features)
        return logits

    def codes(self, latent: Tensor) -> tuple[Tensor, ...]:
        return (latent.argmax(1),)

    def lookup(self, codes: tuple[Tensor, ...]) -> Tensor:
        vectors: Tensor = self.vectors(codes[0])
        return vectors.permute(0, 3, 1, 2)

    def forward(self, features: Tensor, seeds: Tensor) -> BottleneckOutput:
        weights = gumbel_one_hot(self.latent(features, seeds), seeds, self.gumbel_temperature)
        mixed = F.conv2d(weights, self.vectors.weight.t()[:, :, None, None])
        return BottleneckOutput(mixed, mixed.new_zeros(()))


class LogitBottleneck(DiscreteBottleneck):
    """The codes of a released discrete VAE: features are logits, the decoder reads one-hot."""

    def __init__(self, num_codes: int, gumbel_temperature: float) -> None:
        super().__init__()
        self.dim, self.codebook_sizes = num_codes, (num_codes,)
        self.gumbel_temperature = gumbel_temperature

    def latent(self, features: Tensor, seeds: Tensor) -> Tensor:
        return features

    def codes(self, latent: Tensor) -> tuple[Tensor, ...]:
        return (latent.argmax(1),)

    def lookup(self, codes: tuple[Tensor, ...]) -> Tensor:
        return F.one_hot(codes[0], self.dim).movedim(-1, 1).float()

    def forward(self, features: Tensor, seeds: Tensor) -> BottleneckOutput:
        weights = gumbel_one_hot(features, seeds, self.gumbel_temperature)
        return BottleneckOutput(weights, weights.new_zeros(()))


class IdentityBottleneck(Bottleneck):
    """No bottleneck: what comes in goes out."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def latent(self, features: Tensor, seeds: Tensor) -> Tensor:
        return features

    def restore(self, latent: Tensor) -> Tensor:
        return latent

    def forward(self, features: Tensor, seeds: Tensor) -> BottleneckOutput:
        return BottleneckOutput(features, features.new_zeros(()))


def flip(codes: Tensor, size: int, rate: float, seeds: Tensor) -> Tensor:
    """Replace each code, with a probability, by one drawn uniformly (it may be the same).

    Args:
        codes: int64 [B, h, w].
        size: of the codebook.
        rate: the probability.
        seeds: int64 [B].
    """
    shape = codes.shape[1:]
    hit = seeding.uniform(seeding.derive(seeds, "hit"), *shape) < rate
    drawn = (seeding.uniform(seeding.derive(seeds, "code"), *shape) * size).long()
    return torch.where(hit.to(codes.device), drawn.clamp(max=size - 1).to(codes), codes)
