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
from methods._nn.kl_autoencoder import LOGVAR_RANGE, Gaussian
from methods._nn.quantize import FiniteScalarQuantizer, gumbel_one_hot
from methods._nn.var_quantizer import MultiScaleQuantiser
from methods._nn.vqgan import VectorQuantiser


class Passed(NamedTuple):
    """What training sees of a bottleneck."""

    latent: Tensor  # float32 [B, D, h, w], as the decoder gets it; differentiable
    loss: Tensor  # float32 scalar


class Bottleneck(nn.Module, ABC):
    """Features [B, F, h, w] to a latent [B, C, h, w], and on to what the decoder reads."""

    dim: int
    """Channels that the decoder reads."""
    books: tuple[int, ...] = ()
    """Size of the codebook of each map of codes; empty where latents are continuous."""

    @abstractmethod
    def forward(self, features: Tensor, seeds: Tensor) -> Passed:
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


class Discrete(Bottleneck):
    """A bottleneck whose latents become maps of codes."""

    @abstractmethod
    def codes(self, latent: Tensor) -> tuple[Tensor, ...]:
        """Return int64 maps [B, h_i, w_i], one a codebook."""

    @abstractmethod
    def lookup(self, codes: tuple[Tensor, ...]) -> Tensor:
        """Return what the decoder reads, float32 [B, dim, h, w]."""

    def restore(self, latent: Tensor) -> Tensor:
        return self.lookup(self.codes(latent))


class KL(Bottleneck):
    """A diagonal Gaussian held near the standard normal (arXiv:2112.10752, appendix G).

    A reconstruction decodes a sample, not the mean: the divergence is the rate of a sample
    (arXiv:1312.6114, equation 3), and the mean would carry more than is paid for.

    Args:
        moments: features to 2 C channels, means and log-variances.
        channels: C, of the latent.
        weight: of the divergence, both it and the reconstruction error being sums over an
            image (the release has 1e-6).
        stride: pixels of a place's side.
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

    def forward(self, features: Tensor, seeds: Tensor) -> Passed:
        pixels = features.shape[2] * features.shape[3] * self.stride**2
        divergence = self.posterior(features).kl().mean() / pixels
        return Passed(self.latent(features, seeds), self.weight * divergence)


class FSQ(Discrete):
    """Every channel rounded to a few levels (arXiv:2309.15505); no codebook to learn.

    Deviation: channels are normalised over a process's batch, by running averages after
    training, before they are squashed. Encoders here outgrow the squashing otherwise: its gradient
    vanishes, and latents stay in the corners of the grid, with few codes in use.
    """

    def __init__(self, features: int, levels: tuple[int, ...]) -> None:
        super().__init__()
        self.grid = FiniteScalarQuantizer(levels)
        self.dim, self.books = self.grid.dim, (self.grid.num_codes,)
        self.narrow = nn.Sequential(
            nn.Conv2d(features, self.dim, 1), nn.BatchNorm2d(self.dim, affine=False)
        )

    def latent(self, features: Tensor, seeds: Tensor) -> Tensor:
        narrow: Tensor = self.narrow(features)
        return narrow

    def codes(self, latent: Tensor) -> tuple[Tensor, ...]:
        return (self.grid(latent).codes,)

    def lookup(self, codes: tuple[Tensor, ...]) -> Tensor:
        return self.grid.lookup(codes[0])

    def forward(self, features: Tensor, seeds: Tensor) -> Passed:
        quantized = self.grid(self.latent(features, seeds))
        return Passed(quantized.latent, quantized.loss)


class Gumbel(Discrete):
    """Logits over codes, sampled in training and the largest taken otherwise.

    The discrete VAE of arXiv:2102.12092, section 2.1, with hard samples whose gradient is
    the softmax's (arXiv:1611.01144), a fixed temperature and no divergence term.
    """

    def __init__(self, features: int, dim: int, codes: int, temperature: float) -> None:
        super().__init__()
        self.dim, self.books, self.temperature = dim, (codes,), temperature
        self.logits = nn.Conv2d(features, codes, 1)
        self.vectors = nn.Embedding(codes, dim)

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

    def forward(self, features: Tensor, seeds: Tensor) -> Passed:
        weights = gumbel_one_hot(self.latent(features, seeds), seeds, self.temperature)
        mixed = F.conv2d(weights, self.vectors.weight.t()[:, :, None, None])
        return Passed(mixed, mixed.new_zeros(()))


class LargestLogit(Discrete):
    """The codes of a released discrete VAE: features are logits, the decoder reads one-hot."""

    def __init__(self, codes: int, temperature: float) -> None:
        super().__init__()
        self.dim, self.books, self.temperature = codes, (codes,), temperature

    def latent(self, features: Tensor, seeds: Tensor) -> Tensor:
        return features

    def codes(self, latent: Tensor) -> tuple[Tensor, ...]:
        return (latent.argmax(1),)

    def lookup(self, codes: tuple[Tensor, ...]) -> Tensor:
        return F.one_hot(codes[0], self.dim).movedim(-1, 1).float()

    def forward(self, features: Tensor, seeds: Tensor) -> Passed:
        weights = gumbel_one_hot(features, seeds, self.temperature)
        return Passed(weights, weights.new_zeros(()))


class Nearest(Discrete):
    """VQGAN's quantiser as released."""

    def __init__(self, quantiser: VectorQuantiser) -> None:
        super().__init__()
        self.quantiser = quantiser
        codes, self.dim = quantiser.embedding.weight.shape
        self.books = (codes,)

    def codebook_parameters(self) -> int:
        return self.quantiser.embedding.weight.numel()

    def latent(self, features: Tensor, seeds: Tensor) -> Tensor:
        return features

    def codes(self, latent: Tensor) -> tuple[Tensor, ...]:
        return (self.quantiser(latent).codes,)

    def lookup(self, codes: tuple[Tensor, ...]) -> Tensor:
        vectors: Tensor = self.quantiser.embedding(codes[0])
        return vectors.permute(0, 3, 1, 2)

    def forward(self, features: Tensor, seeds: Tensor) -> Passed:
        quantised = self.quantiser(features)
        return Passed(quantised.latent, quantised.loss)


class Open(Bottleneck):
    """No bottleneck: what comes in goes out."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def latent(self, features: Tensor, seeds: Tensor) -> Tensor:
        return features

    def restore(self, latent: Tensor) -> Tensor:
        return latent

    def forward(self, features: Tensor, seeds: Tensor) -> Passed:
        return Passed(features, features.new_zeros(()))


class MultiScale(Discrete):
    """VAR's residual quantiser over maps of growing size (arXiv:2404.02905, algorithm 1)."""

    def __init__(self, features: int, quantiser: MultiScaleQuantiser, codes: int) -> None:
        super().__init__()
        self.quantiser = quantiser
        self.dim, self.books = quantiser.channels, (codes,) * len(quantiser.sides)
        self.narrow = nn.Conv2d(features, self.dim, 1)

    def codebook_parameters(self) -> int:
        return self.books[0] * self.dim

    def latent(self, features: Tensor, seeds: Tensor) -> Tensor:
        narrow: Tensor = self.narrow(features)
        return narrow

    def codes(self, latent: Tensor) -> tuple[Tensor, ...]:
        return self.quantiser.encode(latent)

    def lookup(self, codes: tuple[Tensor, ...]) -> Tensor:
        return self.quantiser.decode(codes)

    def forward(self, features: Tensor, seeds: Tensor) -> Passed:
        pyramid = self.quantiser(self.latent(features, seeds), seeds)
        return Passed(pyramid.latent, pyramid.loss)


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
