"""A scene from its key: image, label, instances and depth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bench.data.scenes.place import find_place
from bench.data.scenes.render import weather as air
from bench.data.scenes.render.raster import SKY, Raster, View, make_view, rasterise
from bench.data.scenes.render.shade import Surfaces, find_surfaces, horizon_colour, sky_colour
from bench.data.scenes.spaces import DOMAINS
from bench.data.scenes.street import Street

_OVERSAMPLING = 2
"""Colours are averaged over this many samples a pixel and axis; labels are the first one."""


class Scene(NamedTuple):
    """One drawn scene."""

    image: np.ndarray  # uint8 [H, W, 3]
    label: np.ndarray  # uint8 [H, W], classes of the domain's label space or IGNORE_INDEX
    instance: np.ndarray  # uint16 [H, W], 0 where nothing is counted
    depth: np.ndarray  # float32 [H, W], metres along the optical axis, inf in the sky


def draw_scene(domain: str, split: str, index: int, height: int, width: int) -> Scene:
    """Draw a scene.

    What stands where depends on split and index alone, and on the kind of place: image i of
    every street domain is the same street in other weather or seen from another place.
    """
    street, layout, weather, rng = find_place(domain, split, index)
    view = make_view(street.camera, height * _OVERSAMPLING, width * _OVERSAMPLING)
    raster = rasterise(layout.polygons, view, street.camera.hood)
    surfaces = find_surfaces(street, layout, raster, view)
    colour = _light(street, weather, surfaces, raster, view, layout.lamps)
    image = _photograph(_average(colour), weather, rng)
    # Nearest neighbour: one sample decides, so that labels stay crisp.
    picked = (slice(None, None, _OVERSAMPLING), slice(None, None, _OVERSAMPLING))
    return Scene(
        image,
        DOMAINS[domain].table[surfaces.label[picked]],
        _renumber(surfaces.instance[picked]),
        np.ascontiguousarray(raster.depth[picked]),
    )


def _light(
    street: Street,
    weather: air.Weather,
    surfaces: Surfaces,
    raster: Raster,
    view: View,
    lamps: np.ndarray,
) -> np.ndarray:
    """Return the light that reaches the camera, float32 [3, H, W]."""
    at_sky = raster.ids == SKY
    sky, mist = sky_colour(street.light, raster, at_sky), horizon_colour(street.light)[:, None]
    if weather.snow:
        air.lay_snow(surfaces, raster, weather.snow)
    if weather.night:
        sky, mist = air.night_sky(sky), air.night_sky(mist)
        arriving = air.night_light(surfaces, raster, lamps)
        colour: np.ndarray = surfaces.colour * (arriving + surfaces.glow)
    else:
        colour = surfaces.colour * surfaces.light
    colour[:, at_sky] = sky
    air.through_air(colour, air.path_length(raster, weather), mist, weather.extinction)
    if weather.rain:
        air.wet_road(colour, surfaces, raster, view, weather.rain)
    return colour


def _photograph(colour: np.ndarray, weather: air.Weather, rng: np.random.Generator) -> np.ndarray:
    """Add what falls, and take the picture."""
    shape = colour.shape[1:]
    for amount, fall in ((weather.rain, air.streaks), (weather.snow, air.flakes)):
        if amount:
            share = fall(rng, shape, amount).astype(np.float32) / 255
            colour += (np.float32(0.9) - colour) * share
    picture = air.expose(colour, weather, rng)
    return air.bloom(picture, 1.6) if weather.night else picture


def _average(colour: np.ndarray) -> np.ndarray:
    """Average blocks of samples to pixels."""
    n = _OVERSAMPLING
    parts = [colour[:, row::n, column::n] for row in range(n) for column in range(n)]
    total = parts[0].copy()
    for part in parts[1:]:
        total += part
    return np.asarray(total / np.float32(n * n))


def _renumber(instance: np.ndarray) -> np.ndarray:
    """Number the visible things 1, 2, ... in order of their first pixel's number."""
    present, inverse = np.unique(instance, return_inverse=True)
    offset = 0 if present[0] == 0 else 1
    return (inverse.reshape(instance.shape) + offset).astype(np.uint16)
