"""Linear filters with the borders and kernels of the reference."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from bench.corruptions.pixels import strips


def gaussian_kernel(sigma: float, radius: int) -> np.ndarray:
    """Sample a normalised Gaussian at -radius..radius, float64 [2 radius + 1]."""
    offsets = np.arange(-radius, radius + 1)
    kernel = np.exp(-0.5 / (sigma * sigma) * offsets**2)
    return np.asarray(kernel / kernel.sum())


def gaussian(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur as ``skimage.filters.gaussian`` does by default: edges repeated, cut at 4 sigma."""
    kernel = gaussian_kernel(sigma, int(4 * sigma + 0.5))
    return cv2.sepFilter2D(image, -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE)


class Tap(NamedTuple):
    """One sample of a motion trail."""

    dy: int
    dx: int
    weight: float


def motion_taps(radius: int, sigma: float, angle: float, size: tuple[int, int]) -> list[Tap]:
    """Place the samples of a trail that starts at a pixel and fades along an angle.

    imagecorruptions' ``_motion_blur``: half a Gaussian over 2 radius + 1 steps. A trail
    that would leave the image ends there without being normalised again, which darkens
    images of fewer pixels than steps; kept for parity.
    """
    width = 2 * radius + 1
    weights = np.exp(-(np.arange(width) ** 2) / (2 * sigma**2))
    weights /= weights.sum()
    rise, run = width * math.sin(math.radians(angle)), width * math.cos(math.radians(angle))
    length = math.hypot(rise, run)
    taps = []
    for step in range(width):
        dy = -math.ceil(step * rise / length - 0.5)
        dx = -math.ceil(step * run / length - 0.5)
        if abs(dy) >= size[0] or abs(dx) >= size[1]:
            break
        taps.append(Tap(dy, dx, float(weights[step])))
    return taps


def trail(layer: np.ndarray, taps: list[Tap]) -> np.ndarray:
    """Sum shifted copies of a layer, edges repeated.

    Works strip by strip, so that what every tap reads stays in cache.

    Args:
        layer: uint8 or float32, [H, W] or [H, W, 3].
        taps: shifts by (dy, dx) pixels with their weights.

    Returns:
        float32, of the same shape.
    """
    width = layer.shape[1]
    top, bottom = max(tap.dy for tap in taps), -min(tap.dy for tap in taps)
    left, right = max(tap.dx for tap in taps), -min(tap.dx for tap in taps)
    top, bottom, left, right = (max(0, margin) for margin in (top, bottom, left, right))
    padded = cv2.copyMakeBorder(layer, top, bottom, left, right, cv2.BORDER_REPLICATE)
    out = np.zeros(layer.shape, np.float32)
    for rows in strips(layer):
        block = padded[rows.start : rows.stop + top + bottom].astype(np.float32)
        height = rows.stop - rows.start
        for dy, dx, weight in taps:
            shifted = block[top - dy : top - dy + height, left - dx : left - dx + width]
            cv2.scaleAdd(shifted, weight, out[rows], out[rows])
    return out


def magnified(layer: np.ndarray, factor: float) -> np.ndarray:
    """Magnify the middle of a layer [H, W] or [H, W, C] to at least its own size.

    Keeps the dtype; ``bench.corruptions.batched.planes.magnified`` says how.
    """
    import torch

    from bench.corruptions.batched import planes

    stack = torch.from_numpy(layer.reshape(1, *layer.shape[:2], -1)).permute(0, 3, 1, 2)
    large = planes.magnified(stack, factor).permute(0, 2, 3, 1)[0]
    return large.numpy().reshape(*large.shape[:2], *layer.shape[2:])
