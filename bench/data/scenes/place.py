"""Where a scene of a domain is: a street or a room, its furniture, its weather, its camera."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bench.core.seeding import key, numpy_generator
from bench.data.scenes import rooms
from bench.data.scenes.layout import SceneLayout, furnish, set_out
from bench.data.scenes.render import weather as air
from bench.data.scenes.render.weather import Weather
from bench.data.scenes.street import Street, draw_street

_WILD = ("fog", "rain", "snow", "night")
_STYLES = {"home": rooms.HOME, "office": rooms.OFFICE}


class Place(NamedTuple):
    """All that a picture is taken of, and the stream that is left for the picture itself."""

    street: Street
    layout: SceneLayout
    weather: Weather
    rng: np.random.Generator


def find_place(domain: str, split: str, index: int) -> Place:
    """Find the place of a scene; street domains share their streets."""
    seed = key("scenes", "street", split, index)
    rng = numpy_generator(key("scenes", "weather", domain, split, index))
    if domain in _STYLES:
        return _room(domain, split, index, rng, _STYLES[domain])
    if domain == "objects":
        if rng.random() < 0.5:
            return _room(domain, split, index, rng, rooms.STUDIO, subject=True)
        return _subject(seed, rng)
    if domain == "context" and rng.random() < 0.5:
        return _room(domain, split, index, rng, rooms.STUDIO)
    street = draw_street(numpy_generator(seed), domain in ("low_camera", "robot"), seed)
    weather = air.draw_weather(rng, domain)
    if domain == "wild":
        weather = air.draw_weather(rng, _WILD[int(rng.integers(len(_WILD)))])
    street, weather = _as_seen(street, weather, domain, rng)
    if domain in ("fog", "rain", "snow") or (domain == "wild" and not weather.night):
        street = street._replace(light=air.dull_light(street.light))
    return Place(street, furnish(street, umbrellas=weather.rain > 0), weather, rng)


def _as_seen(
    street: Street, weather: Weather, domain: str, rng: np.random.Generator
) -> tuple[Street, Weather]:
    """Exchange the camera for that of the domain, where it has one of its own."""
    camera = street.camera
    if domain == "wild":
        field = math.radians(rng.uniform(70, 95))
        camera = camera._replace(field=field, pitch=rng.normal(0.05, 0.05))
        camera = camera._replace(hood=rng.uniform(0.08, 0.18) if rng.random() < 0.6 else 0.0)
    elif domain == "drive":
        field, height = math.radians(rng.uniform(38, 50)), rng.uniform(1.3, 1.5)
        camera = camera._replace(field=field, height=height, hood=0.0)
        weather = weather._replace(
            warmth=rng.uniform(0.06, 0.16),
            noise=rng.uniform(0.02, 0.04),
            gain=rng.uniform(0.8, 1.0),
        )
    elif domain == "robot":
        camera = camera._replace(field=math.radians(rng.uniform(75, 95)))
        street = street._replace(light=air.dull_light(street.light))
    elif domain == "context":
        camera = camera._replace(
            field=math.radians(rng.uniform(30, 85)), yaw=rng.normal(0, 0.3), height=1.6, hood=0.0
        )
    return street._replace(camera=camera), weather


def _room(
    domain: str,
    split: str,
    index: int,
    rng: np.random.Generator,
    style: rooms.Style,
    subject: bool = False,
) -> Place:
    """Draw a room, and stand it on a street that is not seen."""
    seed = key("scenes", "room", domain, split, index)
    room = rooms.draw_room(numpy_generator(seed), style, subject)
    street = draw_street(numpy_generator(seed), low_camera=False, seed=seed)
    street = street._replace(camera=room.camera, light=room.light)
    return Place(street, room.layout, air.draw_weather(rng, domain), rng)


def _subject(seed: int, rng: np.random.Generator) -> Place:
    street = draw_street(numpy_generator(seed), low_camera=False, seed=seed)
    camera = street.camera._replace(height=rng.uniform(1.0, 1.6), yaw=rng.normal(0, 0.05), hood=0.0)
    street = street._replace(camera=camera, crossing=None, bend=0.0)
    return Place(street, set_out(street), air.draw_weather(rng, "objects"), rng)
