"""Rooms: walls around the camera, what hangs on them and what stands before them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bench.data.scenes.classes import Label
from bench.data.scenes.layout import SceneLayout
from bench.data.scenes.objects import furniture, people
from bench.data.scenes.objects.furniture import Piece
from bench.data.scenes.render.mesh import Colour, Material, Mesh, Point, Pose, Surface
from bench.data.scenes.street import Camera, Light

_BEHIND = 1.2
"""Metres of a room behind the camera."""
_WALLS, _HANGING, _LYING = 3e4, 2e4, 1e4
"""Painting distances: walls first, then what is on them, then what lies on the floor."""

Make = Callable[[np.random.Generator], Piece]


class Style(NamedTuple):
    """What a kind of room is like; sizes in metres, as ranges."""

    width: tuple[float, float]
    length: tuple[float, float]
    height: tuple[float, float]
    camera: tuple[float, float]
    tint: tuple[float, float]  # of its light, red against blue
    against_walls: tuple[tuple[Make, float], ...]  # and how often, relative to each other
    in_the_middle: tuple[tuple[Make, float], ...]
    people: float  # mean number
    plain_walls: bool
    tiles: float  # share of floors that are tiled instead of boarded


def _screen(rng: np.random.Generator) -> Piece:
    return furniture.cabinet(rng, screen=True)


def _low_table(rng: np.random.Generator) -> Piece:
    return furniture.table(rng, low=True)


def _swivel(rng: np.random.Generator) -> Piece:
    return furniture.chair(rng, swivel=True)


HOME = Style(
    *((3.6, 5.6), (3.4, 6.0), (2.4, 2.8), (1.15, 1.65), (0.0, 0.14)),
    against_walls=(
        *((furniture.sofa, 1.2), (furniture.bed, 1.0), (furniture.bookshelf, 1.0)),
        *((furniture.cabinet, 1.2), (_screen, 0.9), (furniture.chair, 0.5)),
    ),
    in_the_middle=((furniture.table, 1.0), (_low_table, 0.6), (furniture.chair, 1.6)),
    people=0.35,
    plain_walls=False,
    tiles=0.2,
)
OFFICE = Style(
    *((5.0, 9.0), (5.0, 10.0), (2.7, 3.3), (1.4, 1.85), (-0.08, 0.03)),
    against_walls=(
        *((furniture.desk, 1.8), (furniture.bookshelf, 1.2), (furniture.cabinet, 1.2)),
        *((furniture.waste_bin, 0.7), (_swivel, 0.5)),
    ),
    in_the_middle=((furniture.desk, 1.6), (_swivel, 2.2), (furniture.waste_bin, 0.4)),
    people=0.6,
    plain_walls=True,
    tiles=0.7,
)
STUDIO = Style(
    *((4.0, 8.0), (3.5, 7.0), (2.6, 3.4), (0.9, 1.6), (-0.05, 0.1)),
    against_walls=((furniture.cabinet, 1.0), (furniture.bookshelf, 0.6), (furniture.sofa, 0.6)),
    in_the_middle=((furniture.chair, 1.0), (furniture.table, 1.0), (furniture.waste_bin, 0.2)),
    people=0.5,
    plain_walls=False,
    tiles=0.5,
)


class Room(NamedTuple):
    """A room and where the camera is in it."""

    layout: SceneLayout
    camera: Camera
    light: Light


class Walls(NamedTuple):
    """Places of a room's walls around the camera, metres."""

    left: float
    right: float
    back: float
    height: float


class _Builder:
    """Collects a room's mesh, the places that are taken on its floor and their shade."""

    def __init__(self, rng: np.random.Generator, style: Style, walls: Walls) -> None:
        self.rng, self.style, self.walls = rng, style, walls
        self.mesh = Mesh()
        self.shade: list[np.ndarray] = []
        self._taken: list[tuple[float, float, float]] = []

    def put(self, pose: Pose, piece: Piece, nearest: float) -> bool:
        """Stand a piece of furniture somewhere if there is room; say whether there was."""
        size = max(piece.half_width, piece.depth / 2)
        fits = self.take(_ahead(pose, piece.depth / 2), size, nearest)
        if fits:
            self.shade.append(furniture.put(self.mesh, pose, piece))
        return fits

    def take(self, place: Pose, size: float, nearest: float) -> bool:
        """Take a place, unless something stands there or the camera is close."""
        if math.hypot(place.x, place.z) < nearest + size * 0.5 or place.z < 0.5:
            return False
        if any(math.hypot(place.x - x, place.z - z) < size + o for x, z, o in self._taken):
            return False
        self._taken.append((place.x, place.z, size * 0.85))
        return True

    def layout(self) -> SceneLayout:
        lamps = np.empty((0, 3), dtype=np.float32)
        return SceneLayout(self.mesh.build(), [], self.shade, lamps)


def draw_room(rng: np.random.Generator, style: Style, subject: bool = False) -> Room:
    """Draw a room of a style.

    Args:
        rng: the room's own stream.
        style: what it is like.
        subject: whether one to three things stand close to the camera, and little else.
    """
    width, length = rng.uniform(*style.width), rng.uniform(*style.length)
    left = -width * rng.uniform(0.3, 0.7)
    b = _Builder(rng, style, Walls(left, left + width, length, rng.uniform(*style.height)))
    _shell(b)
    _hang(b)
    if subject:
        _subjects(b)
    _line_walls(b, share=0.2 if subject else 0.75)
    if not subject:
        _fill_middle(b)
    _lamp_above(b)
    return Room(b.layout(), _camera(rng, style, b.walls), _light(rng, style))


def _camera(rng: np.random.Generator, style: Style, walls: Walls) -> Camera:
    aside = math.atan2((walls.left + walls.right) / 2, walls.back)
    return Camera(
        height=rng.uniform(*style.camera),
        yaw=aside + rng.normal(0, 0.14),
        pitch=rng.normal(0.12, 0.06),
        roll=rng.normal(0, 0.012),
        field=math.radians(rng.uniform(58, 80)),
        hood=0.0,
    )


def _light(rng: np.random.Generator, style: Style) -> Light:
    """Draw light from above and one side; the same all over, as lamps and walls spread it."""
    side = rng.uniform(-0.7, 0.7)
    direction = np.array([side, rng.uniform(0.5, 0.9), -rng.uniform(0.2, 0.7)])
    x, y, z = (direction / math.sqrt(float((direction * direction).sum()))).tolist()
    tint, strength = rng.uniform(*style.tint), rng.uniform(0.2, 0.45)
    level = rng.uniform(0.75, 1.1)
    return Light(
        (x, y, z),
        (strength * (1 + tint), strength, strength * (1 - tint)),
        (level * (1 + tint), level, level * (1 - tint)),
        overcast=True,
    )


def _shell(b: _Builder) -> None:
    """Add floor, ceiling and three walls; the fourth is behind the camera."""
    mesh, rng, style, walls = b.mesh, b.rng, b.style, b.walls
    left, right, back, high = walls
    colour = _wall_colour(rng, style)
    floor = furniture.wood_colour(rng)
    tiled = rng.random() < style.tiles
    if tiled:
        k = rng.uniform(0.3, 0.7)
        floor = (k, k * rng.uniform(0.95, 1.0), k * rng.uniform(0.88, 1.0))
    side = rng.uniform(0.3, 0.6)
    pattern = (side, side, 0.0, 0.1) if tiled else (rng.uniform(0.1, 0.2), 1.6, 1.0, 0.3)
    boards = Surface(Label.FLOOR, floor, Material.FLOORING, pattern=pattern)
    k = rng.uniform(1.05, 1.3)  # more than white: floors and lamps light a ceiling from below
    white = Surface(Label.CEILING, (k, k, k * 0.98))
    near = -_BEHIND
    mesh.item(Pose(0, 0), distance=_WALLS)
    for y, surface in ((0.0, boards), (high, white)):
        corners = [(left, y, near), (right, y, near), (right, y, back), (left, y, back)]
        mesh.polygon(corners, surface)
    skirting = rng.random() < 0.7
    for ends in (((left, near), (left, back)), ((right, near), (right, back)),
                 ((left, back), (right, back))):  # fmt: skip
        tone = rng.uniform(0.92, 1.06)
        brick = not style.plain_walls and rng.random() < 0.12
        material = Material.MASONRY if brick else Material.PLAIN
        mesh.polygon(
            _strip(*ends, 0, high), Surface(Label.WALL, furniture.toned(colour, tone), material)
        )
        if skirting:
            mesh.polygon(_strip(*ends, 0, 0.09), Surface(Label.WALL, (0.8, 0.79, 0.76)))


def _strip(
    start: tuple[float, float], end: tuple[float, float], low: float, high: float
) -> list[Point]:
    (x0, z0), (x1, z1) = start, end
    return [(x0, low, z0), (x1, low, z1), (x1, high, z1), (x0, high, z0)]


def _wall_colour(rng: np.random.Generator, style: Style) -> Colour:
    k = rng.uniform(0.62, 0.88)
    if style.plain_walls or rng.random() < 0.4:
        return (k, k * 0.99, k * rng.uniform(0.94, 1.0))
    return (k * rng.uniform(0.75, 1.0), k * rng.uniform(0.75, 1.0), k * rng.uniform(0.65, 1.0))


def _faces(walls: Walls) -> list[tuple[float, Callable[[float], Pose]]]:
    """Return each wall's length, and the pose of a thing on it at a place along it."""
    left, right, back, _ = walls
    return [
        (right - left, lambda along: Pose(left + along, back, 0.0)),
        (back, lambda along: Pose(left, along, -math.pi / 2)),
        (back, lambda along: Pose(right, along, math.pi / 2)),
    ]


def _hang(b: _Builder) -> None:
    """Put doors, windows with curtains, and pictures on the walls, side by side."""
    mesh, rng, walls = b.mesh, b.rng, b.walls
    for length, pose in _faces(walls):
        along = rng.uniform(0.6, 1.4)
        while along < length - 0.7:
            kind, width = rng.random(), rng.uniform(0.7, 2.0)
            window = kind < 0.34 and along + width < length
            mesh.item(pose(along + width / 2 if window else along), distance=_HANGING)
            if window:
                furniture.add_window(mesh, rng, width, curtains=rng.random() < 0.6)
                along += width + 0.4
            elif kind < 0.48:
                furniture.add_door(mesh, rng)
            elif kind < 0.8:
                furniture.add_picture(mesh, rng)
            along += rng.uniform(1.0, 2.2)


def _line_walls(b: _Builder, share: float) -> None:
    """Stand furniture with its back to the walls, and plants and lamps where none fits."""
    rng = b.rng
    for length, pose in _faces(b.walls):
        along = rng.uniform(0.5, 1.1)
        while along < length - 0.5:
            piece = _choose(rng, b.style.against_walls)(rng)
            middle = along + piece.half_width
            if middle + piece.half_width < length and rng.random() < share:
                b.put(pose(middle), piece, nearest=1.3)
            elif rng.random() < 0.5:
                _beside(b, _ahead(pose(along), 0.3), nearest=1.5)
            along = middle + piece.half_width + rng.uniform(0.1, 0.9)


def _beside(b: _Builder, place: Pose, nearest: float) -> None:
    if b.take(place, 0.25, nearest):
        add = furniture.add_plant if b.rng.random() < 0.6 else furniture.add_floor_lamp
        add(b.mesh, b.rng, place)


def _fill_middle(b: _Builder) -> None:
    """Lay a rug, and stand tables, chairs and people about."""
    rng, walls = b.rng, b.walls
    if rng.random() < 0.45 and not b.style.plain_walls:
        _rug(b)
    for _ in range(int(rng.integers(3, 9))):
        x, z = rng.uniform(walls.left + 0.7, walls.right - 0.7), rng.uniform(1.6, walls.back - 0.6)
        turn = float(rng.choice([0.0, math.pi / 2, -math.pi / 2, math.pi])) + rng.normal(0, 0.15)
        b.put(Pose(x, z, turn), _choose(rng, b.style.in_the_middle)(rng), nearest=1.5)
    for _ in range(int(rng.poisson(b.style.people))):
        x, z = rng.uniform(walls.left + 0.5, walls.right - 0.5), rng.uniform(1.8, walls.back - 0.4)
        _person(b, Pose(x, z))


def _subjects(b: _Builder) -> None:
    """Stand one to three things close to the camera."""
    rng = b.rng
    for _ in range(int(rng.integers(1, 4))):
        pose = Pose(rng.uniform(-1.1, 1.1), rng.uniform(1.7, min(3.4, b.walls.back - 0.6)))
        kind = rng.random()
        if kind < 0.25:
            _person(b, pose)
        elif kind < 0.4:
            if b.take(pose, 0.3, nearest=1.4):
                furniture.add_plant(b.mesh, rng, pose)
        else:
            makes = (furniture.chair, furniture.table, furniture.sofa, _screen)
            piece = makes[int(rng.integers(len(makes)))](rng)
            b.put(pose._replace(heading=rng.uniform(-0.8, 0.8)), piece, nearest=1.3)


def _person(b: _Builder, pose: Pose) -> None:
    if b.take(pose, 0.25, nearest=1.6):
        facing = math.atan2(pose.x, max(pose.z, 0.5))
        b.mesh.item(pose._replace(heading=facing), distance=math.hypot(pose.x, pose.z))
        people.add_pedestrian(b.mesh, b.rng)
        around = [(-0.3, -0.15), (0.3, -0.15), (0.3, 0.15), (-0.3, 0.15)]
        b.shade.append(np.array([(pose.x + x, 0.0, pose.z + z) for x, z in around]))


def _rug(b: _Builder) -> None:
    mesh, rng, walls = b.mesh, b.rng, b.walls
    half, deep = rng.uniform(0.7, 1.3), rng.uniform(0.6, 1.2)
    x = rng.uniform(walls.left + half, max(walls.right - half, walls.left + half + 0.1))
    z = rng.uniform(1.4 + deep, max(walls.back - deep, 1.5 + deep))
    colour = people.cloth_colour(rng)
    mesh.item(Pose(x, z), distance=_LYING)
    for scale, k in ((1.0, 0.7), (0.86, 1.0), (0.5, 0.85)):
        tone = furniture.toned(colour, k)
        corners = [(-half, 0.002, -deep), (half, 0.002, -deep), (half, 0.002, deep)]
        corners = [(a * scale, b, c * scale) for a, b, c in [*corners, (-half, 0.002, deep)]]
        pattern = (0.05, 0.05, 0.0, 0.25)
        mesh.polygon(corners, Surface(Label.RUG, tone, Material.FLOORING, pattern=pattern))


def _lamp_above(b: _Builder) -> None:
    """Hang a lamp from the ceiling, or set a flat one into it."""
    mesh, rng, walls = b.mesh, b.rng, b.walls
    x, z = (walls.left + walls.right) / 2, rng.uniform(0.45, 0.8) * walls.back
    if rng.random() < 0.4:
        mesh.item(Pose(x, z, math.atan2(x, z)), distance=math.hypot(x, z))
        cord = Surface(Label.LAMP, (0.2, 0.2, 0.2))
        drop = rng.uniform(0.3, 0.6)
        mesh.upright([(-0.01, walls.height - drop), (0.01, walls.height - drop),
                      (0.01, walls.height), (-0.01, walls.height)], cord)  # fmt: skip
        furniture.add_shade(mesh, rng, walls.height - drop - 0.3, rng.uniform(0.18, 0.32))
        return
    mesh.item(Pose(x, z), distance=_HANGING)
    lit = Surface(Label.LAMP, (1.0, 0.99, 0.94), glow=1.0)
    high = walls.height - 0.004
    corners = [(-0.6, high, -0.15), (0.6, high, -0.15), (0.6, high, 0.15), (-0.6, high, 0.15)]
    mesh.polygon(corners, lit)


def _choose(rng: np.random.Generator, makes: tuple[tuple[Make, float], ...]) -> Make:
    weights = np.array([weight for _, weight in makes])
    return makes[int(rng.choice(len(makes), p=weights / weights.sum()))][0]


def _ahead(pose: Pose, metres: float) -> Pose:
    """Return the place before a thing's front, which faces its -z."""
    sin, cos = math.sin(pose.heading), math.cos(pose.heading)
    return pose._replace(x=pose.x - sin * metres, z=pose.z - cos * metres)
