"""Blur of batches; random directions and shuffles are those of the parent package."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from bench.core.seeding import legacy_generator
from bench.corruptions import blur
from bench.corruptions.batched.planes import fractions, magnified, separable, truncated, weighted
from bench.corruptions.filters import gaussian_kernel, motion_taps


def gaussian_blur(images: Tensor, sigma: float) -> Tensor:
    """Blur with an isotropic Gaussian of the given sigma in pixels."""
    return truncated(_gaussian(images, sigma).float())


def _gaussian(images: Tensor, sigma: float) -> Tensor:
    # In double precision as in the reference: what is cut afterwards is exact.
    kernel = gaussian_kernel(sigma, int(4 * sigma + 0.5)).tolist()
    return separable(images.double() / 255, kernel, kernel)


def defocus_blur(images: Tensor, radius: int, alias: float) -> Tensor:
    """Average over a disk whose rim is softened."""
    kernel = blur.disk(radius, alias)
    reach = len(kernel) // 2
    taps = [(int(y) - reach, int(x) - reach, float(kernel[y, x])) for y, x in np.argwhere(kernel)]
    return truncated(weighted(fractions(images), taps, border="reflect101"))


def glass_blur(
    images: Tensor, sigma: float, reach: int, iterations: int, *, seeds: Tensor
) -> Tensor:
    """Blur, let every pixel take a near pixel's value several times, and blur again."""
    height, width = images.shape[2:]
    pixels = truncated(_gaussian(images, sigma)).flatten(2)
    for number, seed in enumerate(seeds.tolist()):
        draws = legacy_generator(seed)
        for _ in range(iterations):
            link = blur.glass_links(height, width, reach, draws)
            source = torch.from_numpy(link).to(images.device)
            while bool((source >= 0).any()):
                source = torch.where(source >= 0, source[source.clamp(min=0)], source)
            pixels[number] = pixels[number][:, ~source]
    return gaussian_blur(pixels.view(images.shape), sigma)


def motion_blur(images: Tensor, radius: int, sigma: float, *, seeds: Tensor) -> Tensor:
    """Draw every pixel out along one random direction an image."""
    size = (images.shape[2], images.shape[3])
    blurred = []
    for image, seed in zip(images, seeds.tolist(), strict=True):
        angle = legacy_generator(seed).uniform(-45, 45)
        blurred.append(weighted(image[None].float(), motion_taps(radius, sigma, angle, size)))
    return torch.cat(blurred).clamp(0, 255).to(torch.uint8)


def zoom_blur(images: Tensor, stop: float, step: float) -> Tensor:
    """Average images with themselves magnified by 1, 1 + step, ... below ``stop``."""
    factors = np.arange(1, stop, step).tolist()
    height, width = images.shape[2:]
    base = fractions(images)
    total = base.clone()
    for factor in factors:
        total += magnified(base, factor)[:, :, :height, :width]
    return truncated(total / (len(factors) + 1))
