"""Colour: the same change at every pixel, whatever its neighbours."""

from __future__ import annotations

import cv2
import numpy as np

from bench.corruptions.pixels import UNIT, rounded, strips, truncated

LUMA = np.array([0.2989, 0.587, 0.114], np.float32)
"""Weights of R, G, B in grey, as torchvision and CAM-Seg's jitter use them."""


def brightness(image: np.ndarray, added: float) -> np.ndarray:
    """Raise the HSV value, keeping hue and saturation.

    A channel then keeps its ratio to the pixel's largest one, so that one table of
    (largest, own) value holds every answer.
    """
    table = brightness_table(added)
    out = np.empty_like(image)
    for rows in strips(image):
        index = image[rows].max(axis=2, keepdims=True) * np.uint16(256) + image[rows]
        out[rows] = table.ravel()[index]
    return out


def brightness_table(added: float) -> np.ndarray:
    """Tabulate brightness by (largest channel, own channel), uint8 [256, 256]."""
    largest = np.maximum(UNIT, UNIT[1])[:, None]
    ratio = np.where(np.arange(256)[:, None] > 0, UNIT / largest, 1)  # black is a grey
    return truncated(np.minimum(UNIT + added, 1)[:, None] * ratio)


def saturate(image: np.ndarray, factor: float, added: float) -> np.ndarray:
    """Multiply the HSV saturation and add to it, keeping hue and value.

    A channel's distance from the pixel's largest then changes by one gain for the
    pixel, a function of its largest and its range. Grey has hue red, so that adding
    saturation turns it red: its green and blue fall.
    """
    largest, spread = np.mgrid[:256, :256].astype(np.float32)
    gain = np.minimum(largest, spread * factor + largest * added) / np.maximum(spread, 1)
    fall = (UNIT * 255 * added).astype(np.float32)  # of grey
    out = np.empty_like(image)
    for rows in strips(image):
        top = image[rows].max(axis=2)
        span = top - image[rows].min(axis=2)
        distance = (top[..., None] - image[rows]).astype(np.float32)
        distance *= gain[top, span][..., None]
        distance[..., 1:] += np.where(span == 0, fall[top], np.float32(0))[..., None]
        out[rows] = np.maximum(top[..., None] - distance, 0).astype(np.uint8)
    return out


def contrast(image: np.ndarray, factor: float) -> np.ndarray:
    """Pull every channel towards its own mean over the image."""
    mean = np.array(cv2.mean(image)[:3]) / 255
    table = truncated((UNIT[:, None] - mean) * factor + mean)  # [256, 3]
    return cv2.LUT(image, table[None])


def gain(image: np.ndarray, factor: float) -> np.ndarray:
    """Multiply every channel (torchvision's ``adjust_brightness``, rounded to nearest)."""
    return cv2.LUT(image, rounded(UNIT * 255 * factor))


def grey_contrast(image: np.ndarray, factor: float) -> np.ndarray:
    """Blend with the image's mean grey (torchvision's ``adjust_contrast``, rounded)."""
    mean = float(np.array(cv2.mean(image)[:3]) @ LUMA)
    return cv2.LUT(image, rounded(UNIT * 255 * factor + (1 - factor) * mean))


def saturation(image: np.ndarray, factor: float) -> np.ndarray:
    """Blend with grey: 0 is grey, 1 the image, above 1 more colourful.

    torchvision's ``adjust_saturation`` in floating point, rounded to nearest.
    """
    out = np.empty_like(image)
    for rows in strips(image):
        colour = image[rows].astype(np.float32)
        grey = colour @ LUMA
        out[rows] = rounded(colour * factor + (1 - factor) * grey[..., None])
    return out


def hue(image: np.ndarray, turn: float) -> np.ndarray:
    """Turn the hue by a fraction of the circle, in floating-point HSV.

    8-bit HSV, as in torchvision's Pillow back end, errs by up to 6 even at no turn.
    """
    out = np.empty_like(image)
    for rows in strips(image):
        hsv = cv2.cvtColor(image[rows].astype(np.float32), cv2.COLOR_RGB2HSV)
        hsv[..., 0] = (hsv[..., 0] + 360 * turn) % 360
        out[rows] = rounded(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))
    return out
