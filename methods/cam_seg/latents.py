"""The scale of latents."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LatentScale(nn.Module):
    """Shift and scale each latent channel.

    Args:
        channels: C, of the latents.
        factor: of all channels, without a shift; 1 until measured, when absent.
    """

    mean: Tensor  # float32 [1, C, 1, 1]
    factor: Tensor  # float32 [1, C, 1, 1]

    def __init__(self, channels: int, factor: float | None) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("factor", torch.full((1, channels, 1, 1), factor or 1.0))

    def measure(self, latent: Tensor) -> None:
        """Give latents like those of [B, C, h, w] a mean of zero and a deviation of one."""
        self.mean.copy_(latent.mean(dim=(0, 2, 3), keepdim=True))
        deviation = latent.std(dim=(0, 2, 3), keepdim=True)
        self.factor.copy_(1 / deviation.clamp(min=1e-6))

    def normalise(self, latent: Tensor) -> Tensor:
        """Return what the prior sees of a latent [B, C, h, w]."""
        return (latent - self.mean) * self.factor

    def restore(self, latent: Tensor) -> Tensor:
        """Return what the decoder sees of a normalised latent [B, C, h, w]."""
        return latent / self.factor + self.mean
