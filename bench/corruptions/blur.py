"""Blur: optics and motion."""

from __future__ import annotations

import numpy as np

from bench.corruptions.filters import gaussian, motion_taps, trail
from bench.corruptions.pixels import UNIT, truncated
from bench.seeding import legacy_generator


def gaussian_blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur with an isotropic Gaussian of the given sigma in pixels."""
    return truncated(gaussian(UNIT[image], sigma))


def motion_blur(image: np.ndarray, radius: int, sigma: float, *, seed: int) -> np.ndarray:
    """Draw every pixel out along one random direction."""
    angle = legacy_generator(seed).uniform(-45, 45)
    blurred = trail(image, motion_taps(radius, sigma, angle, image.shape[:2]))
    return np.clip(blurred, 0, 255, out=blurred).astype(np.uint8)
