"""Quantisers of one scale that stand in for the residual quantiser in the ablations."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench import seeding
from methods._nn.precision import full_precision
from methods._nn.quantisers.multi_scale import MultiScaleQuantiser, Scale
from methods._nn.quantisers.quantiser import Quantised


class GumbelQuantiser(MultiScaleQuantiser):
    """Codes as the arg-max of logits, relaxed in training (DALL-E's dVAE, arXiv:2102.12092).

    The temperature is fixed, and the relaxed distribution is pulled towards the uniform one.

    Args:
        num_codes: entries V.
        channels: C of the latent before and after.
        gumbel_temperature: of the relaxation.
        kl_weight: of the divergence from the uniform distribution, in nats per position.
    """

    def __init__(
        self,
        num_codes: int,
        channels: int,
        gumbel_temperature: float = 0.5,
        kl_weight: float = 1e-3,
    ) -> None:
        super().__init__()
        self.sides = (1,)
        self.channels, self.codebook_sizes = channels, (num_codes,)
        self.gumbel_temperature = gumbel_temperature
        self.kl_weight = kl_weight
        self.logits = nn.Conv2d(channels, num_codes, 1)
        self.embedding = nn.Embedding(num_codes, channels)

    def code(self, rest: Tensor, k: int) -> Tensor:
        """Return the likeliest codes of [B, C, h, w]: int64 [B, h, w]."""
        return self._logits(rest).argmax(1)

    def _logits(self, latent: Tensor) -> Tensor:
        with full_precision(latent):
            logits: Tensor = self.logits(latent.float())
        return logits

    def contribution(self, codes: Tensor, k: int, size: Scale) -> Tensor:
        """Look up [B, h, w]: [B, C, h, w]."""
        entries: Tensor = self.embedding(codes)
        return entries.movedim(-1, 1)

    def forward(self, latent: Tensor, seeds: Tensor | None = None) -> Quantised:
        """Mix entries by a Gumbel softmax.

        Without seeds the likeliest is taken, with the gradients of a plain softmax.
        """
        logits = self._logits(latent)
        if seeds is None:
            weights = logits.softmax(1)
            hard = F.one_hot(logits.argmax(1), logits.shape[1]).movedim(-1, 1)
            weights = weights + (hard - weights).detach()
        else:
            draws = seeding.uniform(seeding.derive(seeds, "gumbel"), *logits.shape[1:]).to(logits)
            gumbel = -(-draws.clamp(1e-20, 1 - 1e-7).log()).log()
            weights = ((logits + gumbel) / self.gumbel_temperature).softmax(1)
        with full_precision(weights):
            mixed = torch.einsum("bvhw,vc->bchw", weights, self.embedding.weight)
        log_share = logits.log_softmax(1)
        divergence = (log_share.exp() * (log_share + math.log(logits.shape[1]))).sum(1).mean()
        return Quantised(mixed, self.kl_weight * divergence, self.encode(latent.detach()))


class GaussianQuantiser(MultiScaleQuantiser):
    """No codes: a Gaussian per position, whose mean stands for it.

    The KL-regularised latent of Rombach et al., arXiv:2112.10752.

    Args:
        channels: C of the latent before and after.
        kl_weight: of the divergence from the standard normal, in nats per number. The default
            keeps latents near unit variance, which the priors take for granted.
    """

    def __init__(self, channels: int, kl_weight: float = 1e-3) -> None:
        super().__init__()
        self.sides = (1,)
        self.channels, self.codebook_sizes = channels, ()
        self.kl_weight = kl_weight
        self.moments = nn.Conv2d(channels, 2 * channels, 1)

    def code(self, rest: Tensor, k: int) -> Tensor:
        """Return the means of [B, C, h, w]: float32 [B, h, w, C]."""
        return self._moments(rest)[0].movedim(1, -1)

    def _moments(self, latent: Tensor) -> tuple[Tensor, ...]:
        """Return mean and log-variance, float32 [B, C, h, w] each."""
        with full_precision(latent):
            moments: Tensor = self.moments(latent.float())
        return moments.chunk(2, dim=1)

    def contribution(self, codes: Tensor, k: int, size: Scale) -> Tensor:
        """Put the channels of [B, h, w, C] second."""
        return codes.movedim(-1, 1)

    def forward(self, latent: Tensor, seeds: Tensor | None = None) -> Quantised:
        """Draw from the Gaussians; take their means without seeds."""
        mean, logvar = self._moments(latent)
        logvar = logvar.clamp(-30, 20)  # as in the release of latent diffusion
        drawn = mean
        if seeds is not None:
            noise = seeding.normal(seeding.derive(seeds, "posterior"), *mean.shape[1:]).to(mean)
            drawn = mean + (0.5 * logvar).exp() * noise
        divergence = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
        return Quantised(drawn, self.kl_weight * divergence, self.encode(latent.detach()))
