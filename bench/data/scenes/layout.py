"""Where things stand on a street."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bench.core.seeding import key, numpy_generator
from bench.data.scenes.objects import houses, people, roadside, vehicles
from bench.data.scenes.render.mesh import Mesh, Polygons, Pose
from bench.data.scenes.street import Street

_END = 130.0
"""Metres of street that are furnished; behind it is the skyline."""


_RING = np.array([(math.cos(0.7 * i), 0.0, math.sin(0.7 * i)) for i in range(9)])
_STEM = np.array([(-0.12, 0.0, 0.0), (0.12, 0.0, 0.0)])


class SceneLayout(NamedTuple):
    """All that stands on a street."""

    polygons: Polygons
    shadows: list[np.ndarray]  # float64 [n, 3] each, on the ground, thrown by the sun
    contacts: list[np.ndarray]  # the same, directly below things, in any light
    lamps: np.ndarray  # float32 [n, 3], places of street lamps


class _StreetBuilder:
    """Collects the mesh and its shadows."""

    def __init__(self, street: Street, umbrellas: bool) -> None:
        self.street = street
        self.umbrellas = umbrellas
        self.mesh = Mesh()
        self.shadows: list[np.ndarray] = []
        self.contacts: list[np.ndarray] = []
        self.lamps: list[tuple[float, float, float]] = []

    def layout(self) -> SceneLayout:
        return SceneLayout(
            self.mesh.build(),
            self.shadows,
            self.contacts,
            np.array(self.lamps, dtype=np.float32).reshape(-1, 3),
        )

    def rng(self, *purpose: str | int) -> np.random.Generator:
        return numpy_generator(key("scenes", self.street.seed, *purpose))

    def shade_box(self, pose: Pose, half: tuple[float, float], height: float) -> None:
        """Throw the shadow of an upright box of half width and half length."""
        corners = _footprint(pose, *half)
        self.contacts.append(_footprint(pose, half[0] * 1.08, half[1] * 1.03))
        x, y, z = self.street.light.direction
        offset = np.array([-x, 0.0, -z]) * (height / max(y, 0.2))
        self.shadows.append(_hull(np.concatenate([corners, corners + offset])))

    def shade_round(self, pose: Pose, low: float, high: float, radius: float) -> None:
        """Throw the shadow of something round between two heights."""
        x, y, z = self.street.light.direction
        centre = np.array([pose.x, 0.0, pose.z])
        slope = np.array([-x, 0.0, -z]) / max(y, 0.2)
        ring = _RING * radius
        both = np.concatenate([centre + slope * low + ring, centre + slope * high + ring])
        self.shadows.append(_hull(both))
        if low > 0:
            end = centre + slope * low
            self.shadows.append(np.concatenate([centre + _STEM, (end + _STEM)[::-1]]))


def furnish(street: Street, umbrellas: bool = False) -> SceneLayout:
    """Put houses, plants, furniture, vehicles and people on a street."""
    builder = _StreetBuilder(street, umbrellas)
    _skyline(builder)
    for side in (0, 1):
        _plots(builder, side)
        _furniture(builder, side)
        _parked(builder, side)
        _pedestrians(builder, side)
    _traffic(builder)
    _crossing(builder)
    return builder.layout()


def set_out(street: Street) -> SceneLayout:
    """Put one or two vehicles or people close to the camera, before houses and trees."""
    builder = _StreetBuilder(street, umbrellas=False)
    _skyline(builder)
    for side in (0, 1):
        _plots(builder, side)
    rng = builder.rng("subject")
    kinds = [str(kind) for kind in rng.choice(list(_SUBJECTS), size=int(rng.integers(1, 3)))]
    aside = 0.0 if len(kinds) == 1 else -1.0
    for kind in kinds:
        near, length = _SUBJECTS[kind]
        turn = rng.uniform(0.3, 1.3) * float(rng.choice([-1, 1])) + math.pi * (rng.random() < 0.5)
        ahead = near * rng.uniform(1.0, 1.5) + 0.4 * length
        pose = Pose(aside * 0.25 * ahead + rng.normal(0, 0.3), ahead, turn)
        if kind == "person":
            _person(builder, rng, pose)
        elif kind in ("bicycle", "motorcycle"):
            builder.mesh.item(pose)
            add = vehicles.add_bicycle if kind == "bicycle" else vehicles.add_motorcycle
            add(builder.mesh, rng)
            builder.shade_box(pose, (0.15, 0.8), 0.9)
        else:
            _vehicle(builder, rng, pose, kind)
        aside = 1.0
    return builder.layout()


_SUBJECTS = {
    "person": (2.8, 0.0),
    "bicycle": (2.6, 1.7),
    "motorcycle": (2.8, 2.0),
    "car": (4.5, 4.5),
    "bus": (6.5, 11.0),
    "tram": (8.0, 20.0),
}
"""How near a subject comes, and how long it is; metres."""


def _skyline(b: _StreetBuilder) -> None:
    b.mesh.item(b.street.place(230, 0)._replace(heading=0.0), distance=1e4)
    houses.add_skyline(b.mesh, b.rng("skyline"), 260)


def _plots(b: _StreetBuilder, side: int) -> None:
    """Fill a side with houses, gardens and gaps, from behind the camera to the end."""
    street, sign = b.street, (-1, 1)[side]
    rng = b.rng("plots", side)
    s = rng.uniform(-14, -4)
    while s < _END:
        character = street.sides[side].character
        length = rng.uniform(9, 24) if character == "urban" else rng.uniform(9, 16)
        gap = street.crossing
        if (
            gap
            and s + length > gap.z - gap.half_width - gap.sidewalk
            and s < gap.z + gap.half_width
        ):
            s = gap.z + gap.half_width + gap.sidewalk + rng.uniform(0, 1)
            continue
        q = sign * (street.front(side) + (0 if character == "urban" else rng.uniform(0, 1.5)))
        open_share = {"urban": 0.16, "houses": 0.22, "park": 0.85}[character]
        if rng.random() < open_share:
            _open_plot(b, rng, side, s, length)
        else:
            pose = street.place(s, q)
            b.mesh.item(pose, distance=s + length)
            add = houses.add_block if character == "urban" else houses.add_house
            depth = rng.uniform(9, 14)
            width = length if character == "urban" else length * 0.75
            height = add(b.mesh, rng, width, depth, sign)
            middle = street.place(s + width / 2, q + sign * depth / 2)
            b.shade_box(middle, (depth / 2, width / 2), height)
        if character != "urban":
            _border(b, rng, side, s, length)
        s += length + (0 if rng.random() < 0.85 else rng.uniform(1, 5))


def _open_plot(
    b: _StreetBuilder, rng: np.random.Generator, side: int, s: float, length: float
) -> None:
    """Leave a plot to trees and bushes, behind a fence or a wall now and then."""
    sign, front = (-1, 1)[side], b.street.front(side)
    if b.street.sides[side].character == "urban":
        _border(b, rng, side, s, length)
    colour = roadside.leaf_colour(rng)
    for _ in range(int(rng.integers(2, 6))):
        pose = b.street.place(s + rng.uniform(0, length), sign * (front + rng.uniform(1, 12)))
        b.mesh.item(_to_camera(pose))
        if rng.random() < 0.7:
            radius = roadside.add_tree(b.mesh, rng, colour, clumps=9 if s < 30 else 5)
            b.shade_round(pose, 2.0, 6.0, radius)
        else:
            roadside.add_bush(b.mesh, rng, colour, rng.uniform(1.5, 5))


def _border(
    b: _StreetBuilder, rng: np.random.Generator, side: int, s: float, length: float
) -> None:
    """Draw the line between sidewalk and plot: a fence, a wall, a hedge or nothing."""
    sign, beside = (-1, 1)[side], b.street.sides[side]
    q = sign * (b.street.front(side) - beside.garden + 0.15)
    kind = rng.random()
    pose = b.street.place(s, q)
    b.mesh.item(pose, distance=s + length - 0.5)
    if kind < 0.38:
        roadside.add_fence(b.mesh, rng, length)
    elif kind < 0.66:
        roadside.add_wall(b.mesh, rng, length, sign)
    elif kind < 0.85:
        colour = roadside.leaf_colour(rng)
        for start in np.arange(length - 0.6, 0, -1.9).tolist():
            b.mesh.item(_to_camera(b.street.place(s + start, q)))
            roadside.add_bush(b.mesh, rng, colour, 3.4)


def _furniture(b: _StreetBuilder, side: int) -> None:
    """Put trees, lamps, signs, posts and clutter along the kerb."""
    street, sign, beside = b.street, (-1, 1)[side], b.street.sides[side]
    rng = b.rng("furniture", side)
    trees, leaves = rng.random() < 0.55, roadside.leaf_colour(rng)
    lamp_spacing, next_lamp = rng.uniform(20, 34), rng.uniform(4, 22)
    s = rng.uniform(3, 8)
    while s < 90:
        q = sign * (street.edge(side) + 0.45 + 0.4 * beside.verge)
        if not _in_crossing(street, s):
            pose = _to_camera(street.place(s, q))
            b.mesh.item(pose)
            kind = rng.random()
            if s > next_lamp:
                next_lamp = s + lamp_spacing
                x, y = roadside.add_lamp_post(b.mesh, rng, -sign * rng.uniform(0.8, 2.0))
                b.lamps.append((pose.x + x, y, pose.z))
                b.shade_round(pose, 0.0, 6.0, 0.05)
            elif trees and kind < 0.5:
                radius = roadside.add_tree(b.mesh, rng, leaves, clumps=9 if s < 30 else 5)
                b.shade_round(pose, 2.2, 6.5, radius)
            elif kind < 0.58:
                roadside.add_sign(b.mesh, rng)
            elif kind < 0.7:
                roadside.add_post(b.mesh, rng)
            elif kind < 0.8:
                roadside.add_clutter(b.mesh, rng)
        s += rng.uniform(3, 9)


def _parked(b: _StreetBuilder, side: int) -> None:
    """Line the kerb with parked cars, a truck or a rack of bicycles now and then."""
    street, sign, beside = b.street, (-1, 1)[side], b.street.sides[side]
    rng = b.rng("parked", side)
    if beside.parking:
        s = rng.uniform(2, 9)
        while s < 80:
            turn = 0.0 if side == 1 or rng.random() < 0.3 else math.pi
            q = sign * (street.half_width + beside.parking / 2 + rng.normal(0, 0.08))
            if rng.random() < 0.62 and not _in_crossing(street, s):
                pose = street.place(s, q, turn + rng.normal(0, 0.02))
                _vehicle(b, rng, pose, "truck" if rng.random() < 0.05 else "car")
            s += rng.uniform(5.4, 7.0)
    for _ in range(int(rng.poisson(0.8))):
        s = rng.uniform(6, 45)
        q = sign * (street.edge(side) + beside.verge + 0.5)
        for index in range(int(rng.integers(1, 4))):
            turn = rng.uniform(0.9, 1.9) if rng.random() < 0.7 else 0.0
            pose = street.place(s + 0.7 * index, q, turn)
            b.mesh.item(pose)
            (vehicles.add_bicycle if rng.random() < 0.85 else vehicles.add_motorcycle)(b.mesh, rng)


def _pedestrians(b: _StreetBuilder, side: int) -> None:
    street, sign, beside = b.street, (-1, 1)[side], b.street.sides[side]
    rng = b.rng("pedestrians", side)
    low = street.edge(side) + beside.verge + 0.3
    for _ in range(int(rng.poisson(3.5 if beside.character == "urban" else 1.5))):
        s, q = 4 + 56 * rng.random() ** 1.3, sign * rng.uniform(low, low + beside.sidewalk - 0.5)
        for index in range(1 if rng.random() < 0.7 else int(rng.integers(2, 4))):
            _person(b, rng, street.place(s + 0.3 * index, q + 0.65 * index))


def _person(b: _StreetBuilder, rng: np.random.Generator, pose: Pose) -> None:
    b.mesh.item(_to_camera(pose))
    people.add_pedestrian(b.mesh, rng, b.umbrellas and rng.random() < 0.6)
    b.shade_box(pose, (0.2, 0.15), 1.7)


def _traffic(b: _StreetBuilder) -> None:
    """Put moving vehicles on the lanes, each lane with its own spacing."""
    street = b.street
    rng = b.rng("traffic")
    width = 2 * street.half_width / street.lanes
    tram_lane = int(rng.integers(street.lanes)) if street.tram else -1
    for lane in range(street.lanes):
        q = -street.half_width + (lane + 0.5) * width
        oncoming = lane < street.lanes // 2
        own = abs(q - street.camera_q) < width * 0.7
        s = rng.uniform(12, 60) if own else rng.uniform(5, 35)
        if lane == tram_lane:
            _vehicle(b, rng, street.place(s + 14, q, math.pi * oncoming), "tram")
            s += 45
        while s < 100:
            kind = str(rng.choice(_KINDS, p=_SHARES))
            s += 5.0 if kind in ("bus", "truck") else 0.0
            aside = rng.normal(0, 0.2) if kind in ("car", "truck", "bus") else 0.3 * width
            if not (street.crossing and rng.random() < 0.3 and _in_crossing(street, s)):
                pose = street.place(s, q + aside, math.pi * oncoming + rng.normal(0, 0.03))
                _vehicle(b, rng, pose, kind)
            s += rng.uniform(7, 16) + rng.exponential(22)


_KINDS = ("car", "truck", "bus", "cyclist", "motorcyclist")
_SHARES = (0.69, 0.06, 0.06, 0.12, 0.07)


def _crossing(b: _StreetBuilder) -> None:
    """Add traffic lights, people on the zebra and vehicles on the crossing street."""
    street, rng, gap = b.street, b.rng("crossing"), b.street.crossing
    if gap is None:
        for _ in range(int(rng.poisson(0.3))):
            s, q = rng.uniform(8, 40), rng.uniform(-1, 1) * street.half_width
            _person(b, rng, street.place(s, q))
        return
    before = gap.z - gap.half_width - gap.sidewalk
    if rng.random() < 0.75:
        for side, sign in enumerate((-1, 1)):
            pose = _to_camera(street.place(before - 0.5, sign * (street.edge(side) + 0.5)))
            b.mesh.item(pose)
            reach = -sign * rng.uniform(2, 4) if rng.random() < 0.4 else 0.0
            roadside.add_traffic_light(b.mesh, rng, reach)
    for _ in range(int(rng.poisson(1.6)) if gap.zebra else 0):
        _person(b, rng, street.place(before - 2, rng.uniform(-1, 1) * street.half_width))
    for _ in range(int(rng.poisson(1.0))):
        way = float(rng.choice([-1, 1]))
        pose = street.place(gap.z + way * gap.half_width * 0.5, way * rng.uniform(0, 14))
        kind = str(rng.choice(_KINDS, p=_SHARES))
        _vehicle(b, rng, pose._replace(heading=way * math.pi / 2), kind)


_ADD = {
    "truck": vehicles.add_truck,
    "bus": vehicles.add_bus,
    "tram": vehicles.add_tram,
}


def _vehicle(b: _StreetBuilder, rng: np.random.Generator, pose: Pose, kind: str) -> None:
    """Add a vehicle or a rider; it is painted by the distance of its near half."""
    if kind in ("cyclist", "motorcyclist"):
        b.mesh.item(pose)
        (people.add_cyclist if kind == "cyclist" else people.add_motorcyclist)(b.mesh, rng)
        b.shade_box(pose, (0.15, 0.8), 1.4)
        return
    b.mesh.item(pose)
    if kind == "car":
        body = vehicles.add_car(b.mesh, rng, detailed=pose.z < 25)
    else:
        body = _ADD[kind](b.mesh, rng)
    b.shade_box(pose, (body.width / 2, body.length / 2), body.height * 0.8)


def _in_crossing(street: Street, s: float) -> bool:
    gap = street.crossing
    return gap is not None and abs(s - gap.z) < gap.half_width + gap.sidewalk + 1


def _to_camera(pose: Pose) -> Pose:
    """Turn a flat figure towards the camera."""
    return pose._replace(heading=math.atan2(pose.x, max(pose.z, 1.0)))


def _footprint(pose: Pose, half_width: float, half_length: float) -> np.ndarray:
    sin, cos = math.sin(pose.heading), math.cos(pose.heading)
    corners = [(-half_width, -half_length), (half_width, -half_length),
               (half_width, half_length), (-half_width, half_length)]  # fmt: skip
    return np.array(
        [(pose.x + cos * x + sin * z, 0.0, pose.z - sin * x + cos * z) for x, z in corners]
    )


def _hull(points: np.ndarray) -> np.ndarray:
    """Return the convex outline of ground points."""
    import cv2

    flat = cv2.convexHull(points[:, ::2].astype(np.float32))[:, 0]
    return np.stack([flat[:, 0], np.zeros(len(flat)), flat[:, 1]], axis=1)
