"""Weather of batches; the layers are drawn by the parent package."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.core.seeding import legacy_generator
from bench.corruptions import weather
from bench.corruptions.batched.planes import fractions, magnified, truncated, weighted
from bench.corruptions.filters import motion_taps
from bench.corruptions.pixels import UNIT


def fog(images: Tensor, amount: float, decay: float, *, seeds: Tensor) -> Tensor:
    """Add a bright fractal layer, then scale back to each image's own maximum."""
    height, width = images.shape[2:]
    layers = [weather.fog_layer(height, width, decay, seed) for seed in seeds.tolist()]
    layer = torch.stack([torch.from_numpy(each) for each in layers])[:, None].to(images.device)
    peak = torch.from_numpy(UNIT).to(images.device)[images.amax(dim=(1, 2, 3)).int()]
    scale = (peak / (peak + amount)).float()[:, None, None, None]
    return truncated((fractions(images) + amount * layer) * scale)


def frost(images: Tensor, kept: float, added: float, *, seeds: Tensor) -> Tensor:
    """Add a random crop of one of imagecorruptions' frost pictures to each image."""
    height, width = images.shape[2:]
    crops = [torch.from_numpy(weather.frost_crop(height, width, s)) for s in seeds.tolist()]
    layer = torch.stack(crops).permute(0, 3, 1, 2).to(images.device)
    return (kept * images.float() + added * layer.float()).clamp(max=255).to(torch.uint8)


def snow(
    images: Tensor,
    mean: float,
    std: float,
    size: float,
    threshold: float,
    radius: int,
    sigma: float,
    kept: float,
    *,
    seeds: Tensor,
) -> Tensor:
    """Whiten images and add flakes: magnified, cut and motion-blurred noise, twice."""
    height, width = images.shape[2:]
    layers = []
    for seed in seeds.tolist():
        draws = legacy_generator(seed)
        noise = torch.from_numpy(draws.normal(mean, std, (1, 1, height, width)))
        flakes = magnified(noise.to(images.device), size)
        flakes = torch.where(flakes < threshold, 0, flakes).clamp(0, 1).float()
        reach = (flakes.shape[2], flakes.shape[3])
        taps = motion_taps(radius, sigma, draws.uniform(-135, -45), reach)
        layers.append((weighted(flakes, taps) * 255).round()[:, :, :height, :width] / 255)
    falling = torch.cat(layers)
    falling = falling + falling.flip(2, 3)
    clear = fractions(images)
    luma = torch.tensor([0.299, 0.587, 0.114], device=images.device)[:, None, None]
    grey = (clear * luma).sum(dim=1, keepdim=True)
    white = torch.maximum(clear, grey * 1.5 + 0.5)
    return truncated(kept * clear + (1 - kept) * white + falling)
