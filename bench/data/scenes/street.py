"""What a street is like: its camera, its road, its light. Drawn once a scene, in metres."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bench.data.scenes.render.mesh import Colour, Pose


class Camera(NamedTuple):
    """A pinhole camera at the origin of the ground plane."""

    height: float  # metres above the road
    yaw: float  # radians, right positive
    pitch: float  # radians, down positive
    roll: float  # radians
    field: float  # horizontal field of view, radians
    hood: float  # share of the image height that the own vehicle covers, 0 for none


class Side(NamedTuple):
    """What lies beside the carriageway, from its edge outwards; widths in metres."""

    parking: float  # part of the road
    verge: float  # grass or planting between road and sidewalk
    sidewalk: float
    garden: float  # between sidewalk and house front
    garden_paved: bool
    character: str  # "urban", "houses" or "park"


class Crossing(NamedTuple):
    """A street that crosses ours."""

    z: float  # its middle
    half_width: float
    sidewalk: float
    zebra: bool


class Light(NamedTuple):
    """Daylight."""

    direction: tuple[float, float, float]  # towards the sun
    sun: Colour
    ambient: Colour
    overcast: bool


class Street(NamedTuple):
    """One street, seen from a lane of it."""

    camera: Camera
    camera_q: float  # the camera's place across the road
    bend: float  # curvature, 1/metre
    half_width: float  # of the carriageway, parking left out
    lanes: int
    sides: tuple[Side, Side]  # left, right
    crossing: Crossing | None
    tram: bool
    light: Light
    seed: int  # root of every later draw

    def place(self, s: float, q: float, turn: float = 0.0) -> Pose:
        """Return the pose of a point s metres ahead and q metres right of the middle line."""
        return Pose(self.shift(s) + q, s, math.atan(self.bend * s) + turn)

    def shift(self, s: float) -> float:
        """Return how far the middle line has moved to the right at s metres ahead."""
        return 0.5 * self.bend * s * s - self.camera_q

    def edge(self, side: int) -> float:
        """Return the distance of the kerb from the middle line; side 0 is left, 1 right."""
        return self.half_width + self.sides[side].parking

    def front(self, side: int) -> float:
        """Return the distance of the house fronts from the middle line."""
        beside = self.sides[side]
        return self.edge(side) + beside.verge + beside.sidewalk + beside.garden


def draw_street(rng: np.random.Generator, low_camera: bool, seed: int) -> Street:
    """Draw a street; a low camera looks at the same street from near the ground."""
    lanes = int(rng.choice([2, 2, 2, 2, 3, 4]))
    half_width = lanes * rng.uniform(2.8, 3.5) / 2
    sides = (_draw_side(rng), _draw_side(rng))
    bend = float(np.clip(rng.normal(0, 0.0022), -0.006, 0.006))
    crossing = None
    if rng.random() < 0.4:
        crossing = Crossing(
            rng.uniform(14, 55), rng.uniform(3, 6.5), rng.uniform(1.5, 3.5), rng.random() < 0.7
        )
    lane_width = 2 * half_width / lanes
    camera_q = half_width - lane_width / 2 + rng.normal(0, 0.35)
    camera = _draw_camera(rng)
    light = _draw_light(rng)
    tram = rng.random() < 0.1
    if low_camera:
        camera = camera._replace(
            height=rng.uniform(0.28, 0.55), pitch=rng.normal(-0.06, 0.03), hood=0.0
        )
        camera_q += rng.uniform(-0.5, 2.0)
    return Street(camera, camera_q, bend, half_width, lanes, sides, crossing, tram, light, seed)


def _draw_camera(rng: np.random.Generator) -> Camera:
    return Camera(
        height=rng.uniform(1.15, 1.9),
        yaw=rng.normal(0, 0.03),
        pitch=rng.normal(0.035, 0.024),
        roll=rng.normal(0, 0.008),
        field=math.radians(rng.uniform(48, 74)),
        hood=rng.uniform(0.05, 0.13) if rng.random() < 0.3 else 0.0,
    )


def _draw_side(rng: np.random.Generator) -> Side:
    character = str(rng.choice(["urban", "urban", "houses", "park"]))
    urban = character == "urban"
    return Side(
        parking=2.1 if rng.random() < 0.45 else 0.0,
        verge=rng.uniform(0.8, 2.5) if rng.random() < (0.15 if urban else 0.5) else 0.0,
        sidewalk=rng.uniform(2.0, 5.5 if urban else 3.5),
        garden=rng.uniform(0, 1.2) if urban else rng.uniform(2.5, 7),
        garden_paved=urban and rng.random() < 0.8,
        character=character,
    )


def _draw_light(rng: np.random.Generator) -> Light:
    azimuth, elevation = rng.uniform(0, 2 * math.pi), math.radians(rng.uniform(14, 62))
    flat = math.cos(elevation)
    direction = (flat * math.sin(azimuth), math.sin(elevation), flat * math.cos(azimuth))
    overcast = rng.random() < 0.35
    low = 1 - math.sin(elevation)
    strength = 0.0 if overcast else rng.uniform(0.55, 0.85)
    sun = (strength * (1 + 0.12 * low), strength, strength * (1 - 0.3 * low))
    level = rng.uniform(0.72, 0.9) if overcast else rng.uniform(0.42, 0.55)
    tint = rng.uniform(-0.04, 0.04)
    ambient = (level * (0.97 + tint), level, level * (1.05 - tint))
    return Light(direction, sun, ambient, overcast)
