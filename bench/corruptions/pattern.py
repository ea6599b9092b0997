"""Patterns laid over an image or bending it: ImageNet-C-bar's ten corruptions.

Own code after the formulas and draws of facebookresearch/augmentation-corruption
(``imagenet_c_bar/corrupt.py``), which handles square images, pixel by pixel. On a square image
results agree with it; elsewhere its side length is the image's height here, fields cover the
whole image, and points are drawn over height and width. Fractions of 255 are cut, not rounded.
"""

from __future__ import annotations

import math

import numpy as np

from bench.core.seeding import legacy_generator
from bench.corruptions.pixels import strips
from bench.corruptions.textures import caustics, coloured_noise, turbulence

_RAYS = 50, 200
"""Least number of a star's rays, and what it stays below."""
_SEEDS = 2**32


def blue_noise_sample(image: np.ndarray, threshold: float, *, seed: int) -> np.ndarray:
    """Keep pixels where noise whose amplitude grows with frequency exceeds a threshold."""
    draws = _nested(legacy_generator(seed))
    kept = coloured_noise(image.shape[:2], lambda radius: radius, draws) > threshold
    return image * kept[..., None]


def brownish_noise(image: np.ndarray, std: float, *, seed: int) -> np.ndarray:
    """Add noise whose amplitude falls with the square of the frequency, channel by channel."""
    draws = _nested(legacy_generator(seed))
    noise = [
        coloured_noise(image.shape[:2], lambda radius: 1 / (radius**2 + 1), draws) for _ in range(3)
    ]
    return _cut(image + std * np.stack(noise, axis=2))


def single_frequency_greyscale(
    image: np.ndarray, amplitude: float, shortest: float, *, seed: int
) -> np.ndarray:
    """Add a plane wave of random direction and frequency, no shorter than ``shortest`` px."""
    draws = legacy_generator(seed)
    most = 2 * math.pi / shortest
    first = draws.uniform(-most, most)
    both = np.array([first, draws.uniform(-abs(first), abs(first))])
    across, down = both[draws.permutation(2)]
    phase = draws.uniform(0, 2 * math.pi)
    y, x = _places(image)
    return _cut(image + amplitude * np.sin(x * across + y * down + phase)[..., None])


def cocentric_sine_waves(image: np.ndarray, amplitude: float, *, seed: int) -> np.ndarray:
    """Add sawtooth rings around a random point, their outline waved by a sine."""
    draws = legacy_generator(seed)
    height, width = image.shape[:2]
    centre = draws.uniform(0, (width, height), 2)
    waves = draws.uniform(0, 10)
    swing, ring = draws.uniform(0, height / 10), draws.uniform(0, height / 10)
    y, x = _places(image)
    angle = np.arctan2(x - centre[0], y - centre[1]) * waves
    distance = np.hypot(x - centre[0], y - centre[1]) + np.sin(angle) * swing
    return _cut(image + amplitude * (distance % ring / ring - 0.5)[..., None])


def plasma_noise(image: np.ndarray, amplitude: float, *, seed: int) -> np.ndarray:
    """Darken the image and add swirls of colour: sines of a repeatedly bent position."""
    draws = legacy_generator(seed)
    time, iterations = draws.uniform(0, 6 * math.pi), int(draws.randint(4, 7))
    sharpness, scale = draws.uniform(0.5, 1), draws.uniform(0.075, 0.2) * image.shape[0]
    y, x = (place / scale for place in _places(image))
    x, y = np.broadcast_arrays(x, y)
    step = np.array([1.0, 1.0, 1.0, 0.0])
    for _ in range(iterations):
        bend_x = np.cos(y * step[0] - step[3] + time / step[1]) / step[2]
        bend_y = np.sin(x * step[0] - step[3] + time / step[1]) / step[2]
        x, y = x + bend_x - 0.3 * bend_y, y + bend_y + 0.3 * bend_x
        step = step * np.array([1.93, 1.15, 2.25 - sharpness, time * step[1]])
    colours = np.sin(x - time), np.sin((x + y + math.sin(time)) * 0.5), np.sin(y + time)
    return _cut((1 - amplitude / 255) * image + amplitude * np.stack(colours, axis=2))


def perlin_noise(image: np.ndarray, weight: float, *, seed: int) -> np.ndarray:
    """Blend with Perlin's turbulence of five octaves, its cells a seventh of the height."""
    draws = _nested(legacy_generator(seed))
    y, x = (place / (32 * image.shape[0] / 224) for place in _places(image))
    grey = np.clip(0.5 * turbulence(y, x, 5, draws) + 0.5, 0, 1)
    return _cut((1 - weight) * image.astype(np.float32) + 255 * weight * grey[..., None])


def sparkles(image: np.ndarray, radius: float, *, seed: int) -> np.ndarray:
    """Add five white stars at random points, with rays of random lengths."""
    draws = legacy_generator(seed)
    height, width = image.shape[:2]
    centres = draws.uniform(0, (height, width), (5, 2))
    lengths, counts = _nested(draws), draws.randint(*_RAYS, 5)
    out = image.astype(np.float64)
    for centre, count in zip(centres, counts, strict=True):
        reach = radius * height
        rays = np.maximum(1, reach + 0.25 * reach * lengths.standard_normal(count))
        white = _star(image.shape[:2], centre, rays, 1)[..., None]
        out += white * (255 - out)
    return _cut(out)


def inverse_sparkles(image: np.ndarray, exponent: float, *, seed: int) -> np.ndarray:
    """Turn all white but a star around a point near the middle.

    ``exponent`` is that of the fall of the image's weight with the squared distance.
    """
    draws = legacy_generator(seed)
    height, width = image.shape[:2]
    centre = draws.uniform(0.25, 0.75, 2) * (height, width)
    lengths, count = _nested(draws), int(draws.randint(*_RAYS))
    rays = height / 4 * (1 + 0.25 * lengths.standard_normal(count))
    kept = _star(image.shape[:2], centre, rays, exponent)[..., None]
    return _cut(255 + kept * (image - 255.0))


def _star(
    size: tuple[int, int], centre: np.ndarray, rays: np.ndarray, exponent: float
) -> np.ndarray:
    """Draw how bright a star's rays make each pixel, float64 [H, W] in [0, 1]."""
    y, x = np.arange(size[0])[:, None] - centre[0], np.arange(size[1]) - centre[1]
    turn = (np.arctan2(x, y) + math.pi) / (2 * math.pi) * len(rays)
    ray = turn.astype(int)
    between = turn - ray
    first, second = rays[ray % len(rays)], rays[(ray + 1) % len(rays)]
    fall = ((first + between * (second - first)) ** 2 / (y**2 + x**2 + 1e-4)) ** exponent
    return np.clip((1 - (between - 0.5) ** 2) * fall, 0, 1)


def checkerboard_cutout(image: np.ndarray, fraction: float, *, seed: int) -> np.ndarray:
    """Turn random squares of one colour of a rotated checkerboard grey."""
    draws = legacy_generator(seed)
    height, width = image.shape[:2]
    angle = draws.uniform(0, 2 * math.pi)
    side = max(draws.uniform(0.1, 0.25) * height, 1)
    count = int(4 * max(height, width) // side)
    cut = _nested(draws).uniform(size=(count, count)) < fraction
    y, x = _places(image)
    down = (math.cos(angle) * y + math.sin(angle) * x) / side
    across = (math.cos(angle) * x - math.sin(angle) * y) / side
    even = (down % 2).astype(int) == (across % 2).astype(int)
    grey = even & cut[down.astype(int), across.astype(int)]
    return np.where(grey[..., None], np.uint8(128), image)


def caustic_refraction(
    image: np.ndarray, shift: float, light: float, softening: float, *, seed: int
) -> np.ndarray:
    """Look through rippled water, whose slopes displace pixels and lighten or darken them.

    Args:
        image: uint8 [H, W, 3].
        shift: of a ray along a level surface's normal, as a fraction of the height.
        light: weight of the slope in the brightness.
        softening: sigma that smooths the ripples, px.
        seed: key of the draws.
    """
    draws = legacy_generator(seed)
    time, size = draws.uniform(0.5, 2), draws.uniform(0.75, 1.25) * image.shape[0]
    ripples = caustics(image.shape[:2], time, size, softening)
    padded = np.pad(ripples, 1)
    slope_y = padded[2:, 1:-1] - padded[:-2, 1:-1]
    slope_x = padded[1:-1, 2:] - padded[1:-1, :-2]
    move_y, move_x = _refracted(slope_y, slope_x, shift * image.shape[0])
    out = np.empty_like(image)
    source = image.astype(np.float64) / 255
    for rows in strips(image):
        y = np.arange(rows.start, rows.stop)[:, None] + move_y[rows]
        bent = _sampled(source, y, np.arange(image.shape[1]) + move_x[rows])
        bent += (light * (slope_y - slope_x)[rows])[..., None]
        out[rows] = (np.clip(bent, 0, 1) * 255).astype(np.uint8)
    return out


def _refracted(slope_y: np.ndarray, slope_x: np.ndarray, depth: float) -> tuple[np.ndarray, ...]:
    """Return how far vertical rays are displaced by a surface of index 4, px [H, W] each."""
    norm = np.sqrt(slope_y**2 + slope_x**2 + 1)
    flat = 1 / norm >= 1 - 1e-3
    sideways = np.where(flat, 1, np.sqrt(slope_y**2 + slope_x**2)) / norm
    bent = np.arcsin(np.sin(np.arccos(1 / norm)) / 4)
    gain = np.cos(bent) - np.sin(bent) / norm / sideways
    gain = np.where(flat, 0, gain) * depth / norm
    return np.round(gain * slope_y, 3), np.round(gain * slope_x, 3)


def _sampled(image: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Interpolate an image [H, W, 3] linearly at places [h, w]; black lies outside of it."""
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    down, right = (y - top)[..., None], (x - left)[..., None]
    height, width = image.shape[:2]
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))

    def pixel(row: np.ndarray, column: np.ndarray) -> np.ndarray:
        return padded[np.clip(row + 1, 0, height + 1), np.clip(column + 1, 0, width + 1)]

    above = pixel(top, left) * (1 - right) + pixel(top, left + 1) * right
    below = pixel(top + 1, left) * (1 - right) + pixel(top + 1, left + 1) * right
    return above * (1 - down) + below * down


def _nested(draws: np.random.RandomState) -> np.random.RandomState:
    """Return the stream that the original seeds with a draw of the first."""
    return legacy_generator(int(draws.randint(0, _SEEDS)))


def _places(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows [H, 1] and columns [W] of an image."""
    return np.arange(image.shape[0], dtype=float)[:, None], np.arange(image.shape[1], dtype=float)


def _cut(values: np.ndarray) -> np.ndarray:
    """Turn values in 0..255 into uint8, cut and not rounded."""
    return np.clip(values, 0, 255).astype(np.uint8)
