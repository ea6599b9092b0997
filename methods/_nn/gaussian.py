"""The diagonal Gaussian: posteriors of autoencoders, steps of a diffusion."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Gaussian(NamedTuple):
    """A diagonal Gaussian over latents or tokens."""

    mean: Tensor  # float32 [B, C, h, w], or [N, C] of tokens
    logvar: Tensor  # float32, shaped as the mean

    def sample(self, noise: Tensor) -> Tensor:
        """Shift and scale standard normal noise, shaped as the mean."""
        return self.mean + torch.exp(0.5 * self.logvar) * noise

    def kl(self) -> Tensor:
        """Divergence from the standard normal in nats, summed per image, float32 [B]."""
        terms = self.mean.square() + self.logvar.exp() - 1 - self.logvar
        return 0.5 * terms.flatten(1).sum(dim=1)
