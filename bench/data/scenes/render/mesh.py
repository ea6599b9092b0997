"""Polygons in metres, grouped into items that are painted far to near.

Local axes of an item: x right, y up, z ahead; its pose turns and moves them into the world,
where the camera stands near the origin and looks along z.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import IntEnum
from functools import cache
from itertools import chain
from typing import NamedTuple

import numpy as np

from bench.data.scenes.classes import THINGS, Label

Point = tuple[float, float, float]
Flat = tuple[float, float]
Colour = tuple[float, float, float]


class Material(IntEnum):
    """How a surface varies over itself."""

    PLAIN = 0
    PAINT = 1
    CLOTH = 2
    FOLIAGE = 3
    MASONRY = 4
    FACADE = 5
    PICKETS = 6
    GLASS = 7
    FLOORING = 8


class Surface(NamedTuple):
    """The look of a polygon."""

    label: Label
    colour: Colour  # in 0..1, as seen in white light
    material: Material = Material.PLAIN
    glow: float = 0.0  # light of its own at night
    pattern: tuple[float, float, float, float] = (1.0, 1.0, 0.0, 0.0)  # a material's sizes, metres

    def row(self) -> tuple[float, ...]:
        """Return all as ten numbers in order."""
        return (self.label, *self.colour, self.material, self.glow, *self.pattern)


class Pose(NamedTuple):
    """Where an item stands and which way its z axis points (radians, 0 ahead, right positive)."""

    x: float
    z: float
    heading: float = 0.0
    y: float = 0.0


class Polygons(NamedTuple):
    """A finished mesh: P polygons in painting order with V vertices in all."""

    vertices: np.ndarray  # float64 [V, 3], world metres
    start: np.ndarray  # int64 [P + 1], first vertex of each polygon
    solid: np.ndarray  # bool [P], seen from its outer side only
    label: np.ndarray  # uint8 [P]
    instance: np.ndarray  # uint16 [P], 0 for what is not counted
    colour: np.ndarray  # float32 [P, 3]
    material: np.ndarray  # uint8 [P]
    glow: np.ndarray  # float32 [P]
    pattern: np.ndarray  # float32 [P, 4]


class Mesh:
    """Collects polygons item by item."""

    def __init__(self) -> None:
        self._points: list[Point] = []
        self._start: list[int] = [0]
        self._surfaces: list[Surface] = []
        self._solid: list[bool] = []
        self._poses: list[Pose] = []
        self._distance: list[float] = []
        self._items: list[int] = []  # number of polygons before each item
        self._things: list[int] = []  # number of polygons before each counted object

    def item(self, pose: Pose, distance: float | None = None) -> None:
        """Start an item; items are painted by falling distance, by default that of the pose."""
        self._items.append(len(self._surfaces))
        self._poses.append(pose)
        self._distance.append(pose.z if distance is None else distance)

    def thing(self) -> None:
        """Start a counted object within the item; an item may hold a rider and a bicycle."""
        self._things.append(len(self._surfaces))

    def polygon(self, points: Sequence[Point], surface: Surface, solid: bool = False) -> None:
        """Add a flat polygon; later ones of an item cover earlier ones.

        Args:
            points: corners in local metres. Of a solid body they run so that
                (p1 - p0) x (p2 - p0) points outwards.
            surface: its look.
            solid: whether only its outer side is seen.
        """
        self._points.extend(points)
        self._start.append(len(self._points))
        self._surfaces.append(surface)
        self._solid.append(solid)

    def upright(self, outline: Sequence[Flat], surface: Surface, z: float = 0.0) -> None:
        """Add a polygon in the plane across the item, given by (x, y)."""
        self.polygon([(x, y, z) for x, y in outline], surface)

    def lengthways(self, outline: Sequence[Flat], surface: Surface, x: float = 0.0) -> None:
        """Add a polygon in the plane along the item, given by (z, y)."""
        self.polygon([(x, y, z) for z, y in outline], surface)

    def box(self, low: Point, high: Point, surface: Surface) -> None:
        """Add a solid box between two corners, without its underside."""
        (x0, y0, z0), (x1, y1, z1) = low, high
        profile = [(z0, y0), (z1, y0), (z1, y1), (z0, y1)]
        self.extrude(profile, (x0, x1), [surface] * 4, surface)

    def extrude(
        self,
        profile: Sequence[Flat],
        x: tuple[float, float],
        strips: Sequence[Surface],
        side: Surface,
    ) -> None:
        """Add a solid with a constant side view.

        Args:
            profile: (z, y), counter-clockwise with z to the right and y up.
            x: left and right end.
            strips: the look of the strip from each profile point to the next.
            side: the look of both ends.
        """
        left, right = x
        following = [*profile[1:], profile[0]]
        for (z0, y0), (z1, y1), surface in zip(profile, following, strips, strict=True):
            if y0 == y1 and z0 < z1:
                continue  # an underside, never seen
            corners = [(left, y0, z0), (right, y0, z0), (right, y1, z1), (left, y1, z1)]
            self.polygon(corners, surface, solid=True)
        self.polygon([(left, y, z) for z, y in profile], side, solid=True)
        self.polygon([(right, y, z) for z, y in reversed(profile)], side, solid=True)

    def build(self) -> Polygons:
        """Turn and move all items into the world and sort them, far to near."""
        polygon = np.arange(len(self._surfaces))
        item = np.searchsorted(self._items, polygon, side="right") - 1
        order = np.argsort(-np.array(self._distance)[item], kind="stable")
        start = np.array(self._start)
        sizes = np.diff(start)
        owner = np.repeat(item, sizes)
        world = _place(_table(self._points, 3), self._poses, owner)
        sorted_start = np.concatenate([[0], np.cumsum(sizes[order])])
        within = np.arange(sorted_start[-1]) - np.repeat(sorted_start[:-1], sizes[order])
        take = np.repeat(start[:-1][order], sizes[order]) + within
        look = self._looks()[order]
        label = look[:, 0].astype(np.uint8)
        things = np.searchsorted(self._things, polygon, side="right")[order]
        return Polygons(
            vertices=world[take],
            start=sorted_start,
            solid=np.array(self._solid)[order],
            label=label,
            instance=np.where(np.isin(label, sorted(THINGS)), things, 0).astype(np.uint16),
            colour=look[:, 1:4].astype(np.float32),
            material=look[:, 4].astype(np.uint8),
            glow=look[:, 5].astype(np.float32),
            pattern=look[:, 6:].astype(np.float32),
        )

    def _looks(self) -> np.ndarray:
        """Return the ten numbers of each polygon's surface, float64 [P, 10]."""
        place: dict[int, int] = {}
        first_use = [place.setdefault(id(surface), len(place)) for surface in self._surfaces]
        distinct = {id(surface): surface for surface in self._surfaces}
        return _table((surface.row() for surface in distinct.values()), 10)[first_use]


def _table(rows: Iterable[tuple[float, ...]], columns: int) -> np.ndarray:
    """Turn rows of numbers into float64 [n, columns], faster than ``np.array`` does."""
    return np.fromiter(chain.from_iterable(rows), dtype=np.float64).reshape(-1, columns)


def _place(points: np.ndarray, poses: list[Pose], owner: np.ndarray) -> np.ndarray:
    """Move float64 [V, 3] local points to the world, each with the pose of its item."""
    sin = np.array([math.sin(pose.heading) for pose in poses])[owner]
    cos = np.array([math.cos(pose.heading) for pose in poses])[owner]
    x, y, z = points.T
    origin = np.array([(pose.x, pose.y, pose.z) for pose in poses])[owner].T
    return np.stack(
        [origin[0] + cos * x + sin * z, origin[1] + y, origin[2] - sin * x + cos * z], axis=1
    )


def ellipse(
    centre: Flat, radii: Flat, corners: int = 10, start: float = 0.0, turn: float = 2 * math.pi
) -> list[Flat]:
    """Return points of an ellipse, or of an arc of it."""
    (x, y), (across, upwards) = centre, radii
    return [(x + across * c, y + upwards * s) for c, s in _arc(corners, start, turn)]


@cache
def _arc(corners: int, start: float, turn: float) -> tuple[Flat, ...]:
    steps = corners if turn == 2 * math.pi else corners - 1
    angles = [start + turn * i / steps for i in range(corners)]
    return tuple((math.cos(angle), math.sin(angle)) for angle in angles)


def rectangle(left: float, bottom: float, right: float, top: float) -> list[Flat]:
    """Return the corners of an upright rectangle."""
    return [(left, bottom), (right, bottom), (right, top), (left, top)]


def limb(start: Flat, end: Flat, width: float) -> list[Flat]:
    """Return a thick line between two points as a rectangle."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy) or 1.0
    ox, oy = -dy / length * width / 2, dx / length * width / 2
    return [
        (start[0] + ox, start[1] + oy),
        (end[0] + ox, end[1] + oy),
        (end[0] - ox, end[1] - oy),
        (start[0] - ox, start[1] - oy),
    ]
