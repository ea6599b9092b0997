"""Layers that weather and patterns are made of: fractal maps, ice, noise, webs of light."""

from __future__ import annotations

import cmath
from collections.abc import Callable, Iterator
from functools import lru_cache

import cv2
import numpy as np

from bench.corruptions.filters import gaussian_kernel
from bench.corruptions.frost import FROST_FILES, FROST_REMEDY, frost_folder
from bench.corruptions.pixels import strips


@lru_cache(maxsize=len(FROST_FILES))
def frost_picture(index: int) -> np.ndarray:
    """Read one of the frost pictures, uint8 [H, W, 3] RGB.

    Raises:
        FileNotFoundError: if imagecorruptions is not installed.
    """
    folder = frost_folder()
    if folder is None:
        raise FileNotFoundError(FROST_REMEDY)
    picture = np.asarray(cv2.imread(str(folder / FROST_FILES[index])))[..., ::-1].copy()
    picture.setflags(write=False)  # shared by all callers
    return picture


def plasma(size: int, decay: float, draws: np.random.RandomState) -> np.ndarray:
    """Draw a periodic fractal map, float32 [size, size] in [0, 1].

    imagecorruptions' ``plasma_fractal`` (float32 since c959e65), draw for draw.

    Args:
        size: a power of two.
        decay: the wobble is divided by this at every halving of the step.
        draws: the legacy stream.
    """
    heights = np.zeros((size, size), np.float32)
    wobble, step = 100.0, size

    def settle(points: np.ndarray, four: np.ndarray) -> None:
        for rows in strips(four):
            noise = draws.uniform(-wobble, wobble, four[rows].shape)
            noise *= wobble
            noise += four[rows] / 4
            points[rows] = noise

    while step >= 2:
        half = step // 2
        corners = heights[::step, ::step]
        square = corners + np.roll(corners, -1, axis=0)
        square += np.roll(square, -1, axis=1)
        centres = heights[half::step, half::step]
        settle(centres, square)
        across = corners + np.roll(corners, -1, axis=1)
        settle(heights[::step, half::step], centres + np.roll(centres, 1, axis=0) + across)
        down = corners + np.roll(corners, -1, axis=0)
        settle(heights[half::step, ::step], centres + np.roll(centres, 1, axis=1) + down)
        step, wobble = half, wobble / decay
    heights -= heights.min()
    heights /= heights.max()
    return heights


def crystals(height: int, width: int, draws: np.random.RandomState) -> np.ndarray:
    """Draw ice ferns over a film of uneven thickness, uint8 [H, W, 3].

    A fern is a stem with side needles at 60 degrees, the angle of ice, which shorten
    towards its tip; lengths are fractions of the image height, and so is the thickness,
    as far as whole pixels allow: where they do not, there are fewer ferns.
    """
    side = max(height, width)
    film = cv2.resize(plasma(256, 1.8, draws), (side, side))[:height, :width]
    needles = np.zeros((height, width), np.uint8)
    thickness = max(1, round(height / 400))
    ferns = draws.random_sample((max(1, round(220 * width / 400 / thickness)), 4))
    for across, down, turn, stretch in ferns:
        reach = (0.05 + 0.25 * stretch**2) * height
        for start, end in _fern(complex(across * width, down * height), turn, reach):
            ends = [(round(point.real), round(point.imag)) for point in (start, end)]
            cv2.line(needles, ends[0], ends[1], 90 + round(150 * turn), thickness, cv2.LINE_AA)
    relief = cv2.GaussianBlur(needles, (0, 0), max(0.5, height / 600)).astype(np.float32)
    bright = np.clip(150 * film + relief * (0.35 + 0.65 * film), 0, 255)[..., None]
    return np.asarray((bright * np.array([0.88, 0.95, 1])).astype(np.uint8))


def _fern(root: complex, turn: float, reach: float) -> Iterator[tuple[complex, complex]]:
    direction = cmath.rect(1, 2 * cmath.pi * turn)
    yield root, root + reach * direction
    for part in np.linspace(0.1, 0.9, 9):
        joint = root + float(part) * reach * direction
        for side in (-cmath.pi / 3, cmath.pi / 3):
            yield joint, joint + 0.45 * (1 - part) * reach * direction * cmath.rect(1, side)


def coloured_noise(
    size: tuple[int, int],
    amplitude: Callable[[np.ndarray], np.ndarray],
    draws: np.random.RandomState,
) -> np.ndarray:
    """Draw noise of a given spectrum and random phases, standard deviation 1, float64 [H, W].

    ImageNet-C-bar's spectra, whose phases are mirrored and of which the real part counts.

    Args:
        size: height and width.
        amplitude: of a frequency in cycles per image height.
        draws: the legacy stream.
    """
    height, width = size
    down = np.arange(height)[:, None] - height / 2
    across = (np.arange(width) - width / 2) * (height / width)
    phases = draws.uniform(0, 2 * np.pi, (height, width // 2))
    middle = []
    if width % 2:
        column = draws.uniform(0, 2 * np.pi, (height // 2, 1))
        middle = [np.concatenate([column, np.zeros((height % 2, 1)), column[::-1]])]
    phases = np.concatenate([phases, *middle, phases[::-1, ::-1]], axis=1)
    spectrum = amplitude(np.hypot(down, across)) * np.exp(1j * phases)
    noise = np.fft.ifft2(np.roll(spectrum, (height // 2, width // 2), axis=(0, 1))).real
    return noise / max(float(noise.std()), 1e-12)


def turbulence(
    y: np.ndarray, x: np.ndarray, octaves: int, draws: np.random.RandomState
) -> np.ndarray:
    """Sum octaves of the absolute value of Perlin's noise, float64 [H, W].

    Args:
        y: [H, 1], in cells of the first octave.
        x: [W], likewise.
        octaves: each has cells half as large, and half the weight.
        draws: the legacy stream.
    """
    cells = 256
    raw = draws.randint(0, 2**31, (2 * cells + 2, 2)) % (2 * cells) - cells
    slopes = raw / cells
    slopes /= np.maximum(np.linalg.norm(slopes, axis=1, keepdims=True), 1e-12)
    order = np.arange(2 * cells + 2)
    for index in range(cells - 1, -1, -1):
        other = int(draws.randint(0, 2**31)) % cells
        order[[index, other]] = order[[other, index]]
    order, slopes = (np.concatenate([t[:cells], t[:cells], t[:2]]) for t in (order, slopes))
    scales = [2**octave for octave in range(octaves)]
    return np.asarray(
        sum(np.abs(_perlin(y * scale, x * scale, order, slopes)) / scale for scale in scales)
    )


def _perlin(y: np.ndarray, x: np.ndarray, order: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Evaluate Perlin's gradient noise at [H, 1] and [W], float64 [H, W]."""
    cells = 256
    row, column = y.astype(int) % cells, x.astype(int) % cells
    down, across = y % 1, x % 1
    ease_y, ease_x = (t**2 * (3 - 2 * t) for t in (down, across))

    def corner(below: int, right: int) -> np.ndarray:
        slope = slopes[order[order[(row + below) % cells] + (column + right) % cells]]
        return (down - below) * slope[..., 0] + (across - right) * slope[..., 1]

    left = corner(0, 0) + ease_y * (corner(1, 0) - corner(0, 0))
    right = corner(0, 1) + ease_y * (corner(1, 1) - corner(0, 1))
    return np.asarray(1.5 * (left + ease_x * (right - left)))


def caustics(size: tuple[int, int], time: float, scale: float, softening: float) -> np.ndarray:
    """Draw the web of light at the bottom of a pool, float64 [H, W] in [0, 1].

    Args:
        size: height and width.
        time: at which the ripples are seen.
        scale: of one period, px.
        softening: sigma that smooths the web, px.
    """
    rows, columns = np.arange(size[0])[:, None] / scale, np.arange(size[1]) / scale
    turn = 6.28318530718
    y, x = np.broadcast_arrays(rows % 1 * turn - 250, columns % 1 * turn - 250)
    wave_y, wave_x = y, x
    web = np.ones(size)
    for step in range(1, 6):
        t = time * (1 - 3.5 / step)
        wave_y, wave_x = (
            y + np.cos(t - wave_y) + np.sin(t + wave_x),
            x + np.sin(t - wave_x) + np.cos(t + wave_y),
        )
        web += 1 / np.hypot(y * 0.005 / np.sin(wave_y + t), x * 0.005 / np.cos(wave_x + t))
    light = np.clip(np.abs(1.17 - (web / 5) ** 1.4) ** 8, 0, 1)
    kernel = gaussian_kernel(softening, int(4 * softening + 0.5))
    return cv2.sepFilter2D(light, -1, kernel, kernel, borderType=cv2.BORDER_REFLECT)
