"""Blur: optics, motion and scattering."""

from __future__ import annotations

import math

import cv2
import numpy as np

from bench.core.seeding import legacy_generator
from bench.corruptions.filters import gaussian, gaussian_kernel, magnified, motion_taps, trail
from bench.corruptions.pixels import UNIT, fractions, truncated


def gaussian_blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur with an isotropic Gaussian of the given sigma in pixels."""
    return truncated(gaussian(UNIT[image], sigma))


def defocus_blur(image: np.ndarray, radius: float, alias: float) -> np.ndarray:
    """Average over a disk whose rim is softened by a Gaussian of sigma ``alias``."""
    blurred = cv2.filter2D(fractions(image), -1, disk(radius, alias))
    return truncated(blurred)


def disk(radius: float, alias: float) -> np.ndarray:
    """Make the kernel of defocus_blur, float32, odd and square.

    imagecorruptions softens a disk on a grid that ends at ``max(radius, 8)``, with a wider
    window beyond radius 8; the empty rim is cut off here, which changes no sum.
    """
    reach = max(math.ceil(radius), 8)
    offsets = np.arange(-reach, reach + 1)
    full = (offsets[:, None] ** 2 + offsets**2 <= radius**2).astype(np.float32)
    full /= full.sum()
    window = (3, 3) if radius <= 8 else (5, 5)
    soft = cv2.GaussianBlur(full, window, sigmaX=alias)
    rim = int(np.flatnonzero(soft.any(axis=1))[0])
    return soft[rim : len(soft) - rim, rim : len(soft) - rim]


def glass_blur(
    image: np.ndarray, sigma: float, reach: int, iterations: int, *, seed: int
) -> np.ndarray:
    """Blur, let every pixel take a near pixel's value several times, and blur again."""
    draws = legacy_generator(seed)
    height, width = image.shape[:2]
    pixels = truncated(gaussian(UNIT[image], sigma)).reshape(-1, 3)
    for _ in range(iterations):
        pixels = pixels[glass_sources(height, width, reach, draws)]
    return truncated(gaussian(UNIT[pixels.reshape(image.shape)], sigma))


def glass_sources(height: int, width: int, reach: int, draws: np.random.RandomState) -> np.ndarray:
    """Tell where each pixel's value comes from after one pass of glass_blur.

    Follows the chains of ``glass_links`` for all pixels at once, by pointer doubling.

    Returns:
        int32 [height * width], flat indices.
    """
    link = glass_links(height, width, reach, draws)
    open_ends = np.flatnonzero(link >= 0)
    while open_ends.size:
        link[open_ends] = link[link[open_ends]]
        open_ends = open_ends[link[open_ends] >= 0]
    return ~link


def glass_links(height: int, width: int, reach: int, draws: np.random.RandomState) -> np.ndarray:
    """Draw which pixel each takes its value from in one pass of glass_blur.

    The reference visits pixels from the last to the first and writes the value found at
    a random offset in [-reach, reach). Its swap only copies: both sides are views. So a
    pixel takes the original value of one not visited yet, or what one already visited
    has taken.

    Returns:
        int32 [height * width]: flat index of the pixel already visited, or the inverted
        index (negative) of the one whose original value is taken.
    """
    source = np.arange(height * width, dtype=np.int32)
    rows, columns = height - 2 * reach, width - 2 * reach
    if min(rows, columns, reach) <= 0:
        return ~source
    offsets = draws.randint(-reach, reach, size=(rows, columns, 2))[::-1, ::-1]
    step = np.zeros((height, width), np.int32)
    inside = (slice(reach + 1, height - reach + 1), slice(reach + 1, width - reach + 1))
    step[inside] = offsets[..., 1] * width + offsets[..., 0]
    source += step.ravel()
    return np.where(step.ravel() > 0, source, ~source)


def motion_blur(image: np.ndarray, radius: int, sigma: float, *, seed: int) -> np.ndarray:
    """Draw every pixel out along one random direction."""
    angle = legacy_generator(seed).uniform(-45, 45)
    blurred = trail(image, motion_taps(radius, sigma, angle, image.shape[:2]))
    return np.clip(blurred, 0, 255, out=blurred).astype(np.uint8)


def zoom_blur(image: np.ndarray, stop: float, step: float) -> np.ndarray:
    """Average the image with itself magnified by 1, 1 + step, ... below ``stop``."""
    factors = np.arange(1, stop, step)
    height, width = image.shape[:2]
    base = fractions(image)
    total = base.copy()
    for factor in factors:
        total += magnified(base, float(factor))[:height, :width]
    total /= len(factors) + 1
    return truncated(total)


def box_blur(image: np.ndarray, width: int) -> np.ndarray:
    """Average over ``width`` (odd) pixels of the row, borders mirrored without the edge."""
    return cv2.blur(image, (width, 1), borderType=cv2.BORDER_REFLECT_101)


def windowed_gaussian_blur(image: np.ndarray, sigma: float, window: int) -> np.ndarray:
    """Blur with a Gaussian sampled on an odd window, borders mirrored without the edge.

    A window of 3 is nearly a box whatever the sigma. Rounded to nearest.
    """
    kernel = gaussian_kernel(sigma, window // 2)
    blurred = cv2.sepFilter2D(image, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT_101)
    return np.rint(blurred, out=blurred).clip(0, 255).astype(np.uint8)
