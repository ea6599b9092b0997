"""Noise: independent draws per pixel or channel.

Those of imagecorruptions draw from NumPy's legacy stream in its order; the project's own
from the current generator, which is faster.
"""

from __future__ import annotations

import numpy as np

from bench.core.seeding import legacy_generator, numpy_generator
from bench.corruptions.pixels import UNIT, rounded, strips, truncated


def gaussian_noise(image: np.ndarray, std: float, *, seed: int) -> np.ndarray:
    """Add normal noise of the given fraction of full scale to every channel."""
    draws = legacy_generator(seed)
    out = np.empty_like(image)
    for rows in strips(image):
        noise = draws.normal(scale=std, size=image[rows].shape)
        noise += UNIT[image[rows]]
        out[rows] = truncated(noise)
    return out


def shot_noise(image: np.ndarray, photons: float, *, seed: int) -> np.ndarray:
    """Replace every channel by a Poisson count, the given number at full scale."""
    draws = legacy_generator(seed)
    rates = UNIT * photons
    out = np.empty_like(image)
    for rows in strips(image):
        out[rows] = truncated(draws.poisson(rates[image[rows]]) / photons)
    return out


def impulse_noise(image: np.ndarray, fraction: float, *, seed: int) -> np.ndarray:
    """Set a fraction of the channel values to 0 or 255 with equal chance.

    scikit-image 0.17's ``random_noise(mode="s&p")``, which still drew from the legacy
    stream: first every position, then every value. Channels are hit independently, so
    nearly three times the fraction of the pixels changes.
    """
    draws = legacy_generator(seed)
    threshold = fraction / (fraction + (1 - fraction))  # as numpy.random.choice divides
    hit = np.empty(image.shape, bool)
    for rows in strips(image):
        hit[rows] = draws.random_sample(image[rows].shape) < threshold
    out = np.empty_like(image)
    for rows in strips(image):
        salt = (draws.random_sample(image[rows].shape) < 0.5).view(np.uint8) * np.uint8(255)
        out[rows] = np.where(hit[rows], salt, image[rows])
    return out


def speckle_noise(image: np.ndarray, std: float, *, seed: int) -> np.ndarray:
    """Add normal noise in proportion to the value of every channel."""
    draws = legacy_generator(seed)
    out = np.empty_like(image)
    for rows in strips(image):
        value = UNIT[image[rows]]
        noise = draws.normal(scale=std, size=value.shape)
        noise *= value
        noise += value
        out[rows] = truncated(noise)
    return out


def pixel_noise(image: np.ndarray, std: float, *, seed: int) -> np.ndarray:
    """Add normal noise with a standard deviation in units of 0..255, rounded to nearest."""
    draws = numpy_generator(seed)
    out = np.empty_like(image)
    for rows in strips(image):
        noise = draws.standard_normal(image[rows].shape, dtype=np.float32)
        noise *= np.float32(std)
        noise += image[rows]
        out[rows] = rounded(noise)
    return out


def pixel_noise_of_variance(image: np.ndarray, variance: float, *, seed: int) -> np.ndarray:
    """Add normal noise with a variance in units of 0..255 squared, rounded to nearest."""
    return pixel_noise(image, float(np.sqrt(variance)), seed=seed)


def salt_pepper(image: np.ndarray, fraction: float, *, seed: int) -> np.ndarray:
    """Set a fraction of the pixels to black or white with equal chance.

    One uniform draw a pixel decides for all its channels, so a pixel changed at a lower
    fraction is changed to the same value at every higher one.
    """
    draw = numpy_generator(seed).random(image.shape[:2], dtype=np.float32)
    out = image.copy()
    out[draw < fraction / 2] = 0
    out[draw >= 1 - fraction / 2] = 255
    return out


def salt_then_pepper(image: np.ndarray, fraction: float, *, seed: int) -> np.ndarray:
    """Set a fraction of the pixels to white, then the same fraction of all to black.

    The two sets are drawn independently and black wins, as in the augmentation of
    mahmed10/CAMSS (``data/base_dataset.py``): at 0.5, 75 % of the pixels change.
    """
    draws = numpy_generator(seed)
    out = image.copy()
    out[draws.random(image.shape[:2], dtype=np.float32) < fraction] = 255
    out[draws.random(image.shape[:2], dtype=np.float32) < fraction] = 0
    return out
