"""Noise from counters: no draw is made off the device."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bench.core.seeding import counter_bits, derive
from bench.corruptions.batched.planes import fractions, truncated

_STEPS = 2**24


def _normal(seeds: Tensor, shape: torch.Size) -> Tensor:
    """Draw normal noise, float32, by the inverse distribution function."""
    centred = 2 * counter_bits(seeds, *shape) + 1 - _STEPS  # odd: never 0 or the ends
    return math.sqrt(2) * torch.erfinv(centred.float() / _STEPS)


def gaussian_noise(images: Tensor, std: float, *, seeds: Tensor) -> Tensor:
    """Add normal noise of the given fraction of full scale to every channel."""
    return truncated(fractions(images) + std * _normal(seeds, images.shape[1:]))


def speckle_noise(images: Tensor, std: float, *, seeds: Tensor) -> Tensor:
    """Add normal noise in proportion to the value of every channel."""
    value = fractions(images)
    return truncated(value + value * std * _normal(seeds, images.shape[1:]))


def shot_noise(images: Tensor, photons: float, *, seeds: Tensor) -> Tensor:
    """Replace every channel by a Poisson count, by the inverse distribution function.

    The distributions of all 256 rates lie end to end, each raised by its value, so that
    one sorted search serves every pixel.
    """
    largest = math.ceil(photons + 12 * math.sqrt(photons) + 12)
    count = torch.arange(largest, dtype=torch.float64)
    rate = torch.arange(256, dtype=torch.float64)[:, None] * photons / 255
    mass = torch.exp(torch.xlogy(count, rate) - rate - torch.lgamma(count + 1))
    below = mass.cumsum(dim=1).clamp(max=1) + torch.arange(256)[:, None]
    bits = counter_bits(seeds, *images.shape[1:])
    query = images.double() + (bits.double() + 0.5) / _STEPS
    index = torch.searchsorted(below.flatten().to(images.device), query, right=True)
    counts = (index - images.long() * largest).clamp(0, largest)
    return truncated((counts.double() / photons).float())


def impulse_noise(images: Tensor, fraction: float, *, seeds: Tensor) -> Tensor:
    """Set a fraction of the channel values to 0 or 255 with equal chance."""
    shape = images.shape[1:]
    hit = counter_bits(seeds, *shape) < fraction * _STEPS
    salt = counter_bits(derive(seeds, "value").to(seeds.device), *shape) % 2 * 255
    return torch.where(hit, salt.to(torch.uint8), images)
