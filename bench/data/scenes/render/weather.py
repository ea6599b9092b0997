"""Air, weather, night and the camera's sensor."""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from bench.data.scenes.classes import Label
from bench.data.scenes.render.raster import SKY, Raster, View
from bench.data.scenes.render.shade import Surfaces
from bench.data.scenes.render.texture import noise
from bench.data.scenes.street import Light


class Weather(NamedTuple):
    """What is between the street and the picture."""

    extinction: float  # of the air, 1/metre
    rain: float  # 0..1
    snow: float  # 0..1
    night: bool
    gain: float  # exposure, against what a meter would choose
    warmth: float  # white balance, red against blue
    noise: float  # of the sensor, in 0..1 at full light
    vignette: float


def draw_weather(rng: np.random.Generator, domain: str) -> Weather:
    """Draw the weather of a domain. Fog has a meteorological range of 25 to 110 metres.

    The range is where contrast falls to 5 %: extinction = 3 / range (Koschmieder's law, as
    in Foggy Cityscapes: Sakaridis et al., arXiv:1708.07819, Section 3.1).
    """
    night = domain == "night"
    clear = 3 / rng.uniform(700, 3000)
    extinction = {
        "fog": 3 / rng.uniform(25, 110),
        "rain": 3 / rng.uniform(120, 400),
        "snow": 3 / rng.uniform(90, 350),
    }.get(domain, clear)
    return Weather(
        extinction=extinction,
        rain=rng.uniform(0.35, 1.0) if domain == "rain" else 0.0,
        snow=rng.uniform(0.35, 1.0) if domain == "snow" else 0.0,
        night=night,
        gain=rng.uniform(0.85, 1.2),
        warmth=rng.uniform(-0.06, 0.06),
        noise=rng.uniform(0.008, 0.028) * (2.2 if night else 1.0),
        vignette=rng.uniform(0.0, 0.3),
    )


def dull_light(light: Light) -> Light:
    """Return the light under a closed cover of cloud."""
    level = light.ambient[1] if light.overcast else light.ambient[1] + 0.25
    return light._replace(
        sun=(0.0, 0.0, 0.0), ambient=(level * 0.97, level, level * 1.04), overcast=True
    )


def lay_snow(surfaces: Surfaces, raster: Raster, amount: float) -> None:
    """Whiten what faces up, roads least where wheels ran; in place."""
    drift = noise(raster.x * 13 + 11, raster.z * 13 + raster.y * 17)
    ground = raster.y < 0.02
    road = surfaces.road
    reach = np.where(road, amount * 1.1 - 0.85, amount * 1.3 - 0.1)
    leaves = (surfaces.label == Label.VEGETATION) & ~ground
    drift = np.where(leaves, noise(raster.x * 70, raster.y * 70 + 5), drift)
    reach = np.where(leaves, amount * 0.9 - 0.9, reach)
    faces_up = (surfaces.up > 0.35) | leaves
    cover = np.clip((reach - drift) * 2.5, 0, 0.92) * faces_up
    cover[raster.ids == SKY] = 0
    white = _planes(0.88, 0.9, 0.94)
    surfaces.colour[...] += (white - surfaces.colour) * cover.astype(np.float32)


def night_light(surfaces: Surfaces, raster: Raster, lamps: np.ndarray) -> np.ndarray:
    """Return float32 [3, H, W] of light from lamps, headlights and the night sky."""
    sky, sodium = _planes(0.075, 0.085, 0.12), _planes(1.0, 0.78, 0.48)
    pools = np.zeros(raster.ids.shape, dtype=np.float32)
    for x, y, z in lamps[np.argsort(lamps[:, 2], kind="stable")][:8]:
        distance = (raster.x - x) ** 2 + (raster.y - y) ** 2 + (raster.z - z) ** 2
        pools += 34 / (14 + distance)
    across = np.abs(raster.x) / (1.2 + 0.42 * np.abs(raster.z))
    beam = np.clip(1 - across, 0, 1) * 60 / (60 + raster.z * raster.z)
    beam *= np.clip(1.3 - 0.28 * raster.y, 0.12, 1)
    return np.asarray(sky + pools * sodium + 0.9 * beam)


def night_sky(sky: np.ndarray) -> np.ndarray:
    """Darken a daylight sky, float32 [3, n], to the glow over a town."""
    return np.asarray(sky * _planes(0.11, 0.1, 0.115)[..., 0])


def path_length(raster: Raster, weather: Weather) -> np.ndarray:
    """Return how many metres of air each pixel is seen through, float32 [H, W].

    The sky is seen through the layer of air that the weather fills, higher up through less
    of it; in clear air its colour already holds the haze.
    """
    layer = 60 if weather.extinction > _DENSE else 0
    sky = np.float32(layer) / np.clip(raster.rise, np.float32(0.05), 1)
    return np.where(raster.ids == SKY, sky, raster.depth)


_DENSE = 0.005
"""Extinction, 1/metre, from which the air is fog, rain or snow."""


def through_air(colour: np.ndarray, metres: np.ndarray, air: np.ndarray, extinction: float) -> None:
    """Mix in airlight by distance, in place (Koschmieder's law)."""
    steps = np.minimum(metres * np.float32(extinction * _STEPS / 8), _STEPS).astype(np.int64)
    passed = np.take(_transmittance(), steps, mode="clip")
    colour *= passed
    colour += air[..., None] * (1 - passed)


_STEPS = 2048


@cache
def _transmittance() -> np.ndarray:
    """Return exp(-8 i / _STEPS), float32 [_STEPS + 1], the last one zero.

    A table of rounded values is the same on every machine; libraries differ in the last
    digit of an exponential.
    """
    values = [round(math.exp(-8 * i / _STEPS), 7) for i in range(_STEPS)]
    return np.array([*values, 0.0], dtype=np.float32)


def wet_road(
    colour: np.ndarray, surfaces: Surfaces, raster: Raster, view: View, rain: float
) -> None:
    """Let wet ground mirror what is above the horizon, in place."""
    import cv2

    horizon = (view.rows - 1) / 2 + view.axes[2, 1] / view.axes[1, 1] * view.focal
    rows = np.clip(np.rint(2 * horizon - np.arange(view.rows)), 0, view.rows - 1).astype(np.int64)
    picture = (np.clip(colour, 0, 1) * 255).astype(np.uint8)
    smear = max(3, view.rows // 14) | 1
    blurred = np.stack([cv2.blur(plane, (3, smear)) for plane in picture])
    mirrored = blurred[:, rows].astype(np.float32) / 255
    ground = surfaces.road | (
        (raster.y < 0.01) & (raster.ids != SKY) & (surfaces.label == Label.SIDEWALK)
    )
    puddles = np.clip(noise(raster.x * 2.2 + 5, raster.z * 2.2) * 1.6 + 0.6 * rain, 0, 1)
    grazing = np.clip(raster.depth / 26, 0, 1)
    share = ground * rain * (0.14 + 0.34 * puddles + 0.2 * grazing)
    colour *= 1 - 0.3 * rain * ground
    colour += (mirrored - colour) * share.astype(np.float32)


def streaks(rng: np.random.Generator, shape: tuple[int, int], rain: float) -> np.ndarray:
    """Draw falling rain, uint8 [H, W]."""
    import cv2

    rows, columns = shape
    layer = np.zeros(shape, dtype=np.uint8)
    lean = rng.normal(0, 0.12)
    for x, y, size in rng.random((int(rain * 170), 3)).tolist():
        length = rows * (0.03 + 0.1 * size * size)
        start = (int(x * columns * 16), int(y * rows * 16))
        end = (int(start[0] + lean * length * 16), int(start[1] + length * 16))
        cv2.line(layer, start, end, int(40 + 75 * size), 1, cv2.LINE_AA, 4)
    return layer


def flakes(rng: np.random.Generator, shape: tuple[int, int], snow: float) -> np.ndarray:
    """Draw falling snow, uint8 [H, W]."""
    import cv2

    rows, columns = shape
    layer = np.zeros(shape, dtype=np.uint8)
    for x, y, size in rng.random((int(snow * 260), 3)).tolist():
        radius = rows / 96 * (0.25 + 1.0 * size**6)
        centre = (int(x * columns * 16), int(y * rows * 16))
        cv2.circle(layer, centre, int(radius * 16), int(120 + 110 * size), -1, cv2.LINE_AA, 4)
    return layer


def bloom(picture: np.ndarray, strength: float) -> np.ndarray:
    """Spread the light of bright spots, uint8 [H, W, 3] in and out."""
    import cv2

    bright = cv2.subtract(picture, np.full_like(picture, 150))
    size = max(3, picture.shape[0] // 8) | 1
    halo = cv2.GaussianBlur(bright, (size, size), 0)
    return np.asarray(cv2.addWeighted(picture, 1.0, halo, strength, 0))


def expose(colour: np.ndarray, weather: Weather, rng: np.random.Generator) -> np.ndarray:
    """Turn light float32 [3, H, W] into a picture uint8 [H, W, 3], as a cheap camera does."""
    _, rows, columns = colour.shape
    y = np.linspace(-1, 1, rows, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, columns, dtype=np.float32)[None, :]
    falloff = 1 - np.float32(weather.vignette) * (x * x + y * y) / 2
    balance = _planes(1 + weather.warmth, 1.0, 1 - weather.warmth)
    gain = weather.gain * (1.0 if weather.night else _metered(colour))
    light = np.clip(colour * (falloff * np.float32(gain)) * balance, 0, None)
    # A shoulder keeps highlights from clipping hard.
    light = light * (1 + light * np.float32(0.22)) / (1 + light * np.float32(0.42))
    spread = np.float32(weather.noise) * np.sqrt(light + np.float32(0.08))
    grain = rng.standard_normal((rows, columns, 3), dtype=np.float32)
    light += spread * np.moveaxis(grain, -1, 0)
    picture = (np.clip(light, 0, 1) * 255 + 0.5).astype(np.uint8)
    return np.ascontiguousarray(np.moveaxis(picture, 0, -1))


def _metered(colour: np.ndarray) -> float:
    """Return the exposure that brings a picture half-way to a medium brightness.

    Rounded, so that the order of summation on another machine cannot show.
    """
    mean = round(float(colour[:, ::2, ::2].astype(np.float64).mean()), 4)
    return min(2.0, math.sqrt(0.48 / max(mean, 0.05)))


def _planes(red: float, green: float, blue: float) -> np.ndarray:
    """Return a colour as float32 [3, 1, 1]."""
    return np.array([red, green, blue], dtype=np.float32)[:, None, None]
