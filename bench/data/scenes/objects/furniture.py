"""What stands and hangs in rooms, around a local origin: fronts face -z, backs are at z = 0.

Things on a wall are flat polygons just before it; things on the floor are boxes, added far
to near so that each covers what is behind it.
"""

from __future__ import annotations

import colorsys
import math
from typing import NamedTuple

import numpy as np

from bench.data.scenes.classes import Label
from bench.data.scenes.objects.people import cloth_colour
from bench.data.scenes.render.mesh import (
    Colour,
    Flat,
    Material,
    Mesh,
    Point,
    Pose,
    Surface,
    ellipse,
    rectangle,
)

_DARK = (0.07, 0.07, 0.08)


class Box(NamedTuple):
    """A part of a piece of furniture."""

    low: Point
    high: Point
    surface: Surface


class Piece(NamedTuple):
    """A piece of furniture, with half of its width and its depth in metres."""

    boxes: list[Box]
    half_width: float
    depth: float


def put(mesh: Mesh, pose: Pose, piece: Piece) -> np.ndarray:
    """Add a piece, its parts painted far to near.

    Returns:
        float64 [4, 3], the floor below it, which it shades.
    """
    mesh.item(pose, distance=math.hypot(pose.x, pose.z))
    sin, cos = math.sin(pose.heading), math.cos(pose.heading)

    def world(x: float, z: float) -> Flat:
        return pose.x + cos * x + sin * z, pose.z - sin * x + cos * z

    def order(box: Box) -> tuple[float, float]:
        middle = world((box.low[0] + box.high[0]) / 2, (box.low[2] + box.high[2]) / 2)
        return -round(math.hypot(*middle), 6), box.low[1]

    for box in sorted(piece.boxes, key=order):
        mesh.box(*box)
    w, d = piece.half_width + 0.05, piece.depth + 0.05
    corners = [world(x, z) for x, z in ((-w, -d), (w, -d), (w, 0.0), (-w, 0.0))]
    return np.array([(x, 0.0, z) for x, z in corners])


def wood_colour(rng: np.random.Generator) -> Colour:
    """Draw a colour of wood, or of white or dark lacquer."""
    kind, k = rng.random(), rng.uniform(0.25, 0.62)
    if kind < 0.25:
        k = rng.uniform(0.72, 0.88)
        return (k, k, k * 0.98)
    if kind < 0.35:
        return (0.13, 0.12, 0.12)
    return (k, k * rng.uniform(0.62, 0.78), k * rng.uniform(0.3, 0.5))


def toned(colour: Colour, k: float) -> Colour:
    """Return a colour k times as bright."""
    return (colour[0] * k, colour[1] * k, colour[2] * k)


def _legs(half: float, depth: float, height: float, surface: Surface) -> list[Box]:
    return [
        Box((x - 0.03, 0, z - 0.03), (x + 0.03, height, z + 0.03), surface)
        for x in (-half + 0.06, half - 0.06)
        for z in (-depth + 0.06, -0.06)
    ]


def table(rng: np.random.Generator, low: bool = False) -> Piece:
    """Make a dining table or a desk, or a low one."""
    height = rng.uniform(0.38, 0.48) if low else rng.uniform(0.7, 0.78)
    half, depth = rng.uniform(0.45, 0.95), rng.uniform(0.55, 0.95)
    wood = Surface(Label.TABLE, wood_colour(rng), Material.PAINT)
    top = Box((-half, height - 0.05, -depth), (half, height, 0), wood)
    return Piece([*_legs(half, depth, height - 0.05, wood), top], half, depth)


def chair(rng: np.random.Generator, swivel: bool = False) -> Piece:
    """Make a chair with its back at z = 0, on legs or on a column."""
    half, depth, seat = rng.uniform(0.2, 0.26), rng.uniform(0.42, 0.5), rng.uniform(0.43, 0.48)
    frame = Surface(Label.CHAIR, wood_colour(rng) if not swivel else _DARK)
    cushion = Surface(Label.CHAIR, cloth_colour(rng), Material.CLOTH)
    top = rng.uniform(0.82, 1.05)
    boxes = [
        Box((-half, seat - 0.06, -depth), (half, seat, 0), cushion),
        Box((-half, seat + 0.08 * swivel, -0.07), (half, top, 0), cushion),
    ]
    if swivel:
        middle = -depth / 2
        boxes += [
            Box((-0.04, 0.05, middle - 0.04), (0.04, seat - 0.06, middle + 0.04), frame),
            Box((-half, 0, middle - 0.05), (half, 0.06, middle + 0.05), frame),
            Box((-0.05, 0, -depth), (0.05, 0.06, 0), frame),
        ]
    else:
        boxes += _legs(half, depth, seat - 0.06, frame)
    return Piece(boxes, half, depth)


def sofa(rng: np.random.Generator) -> Piece:
    """Make a sofa or an armchair as wide as one."""
    half, depth, arm = rng.uniform(0.75, 1.2), rng.uniform(0.8, 0.95), rng.uniform(0.12, 0.22)
    cloth = Surface(Label.SOFA, cloth_colour(rng), Material.CLOTH)
    cushion = cloth._replace(colour=toned(cloth.colour, rng.uniform(0.8, 1.15)))
    inner = half - arm
    boxes = [
        Box((-half, 0.06, -depth), (half, 0.3, 0), cloth),
        Box((-half, 0.3, -0.25), (half, rng.uniform(0.72, 0.9), 0), cloth),
        Box((-half, 0.3, -depth), (-inner, 0.6, -0.25), cloth),
        Box((inner, 0.3, -depth), (half, 0.6, -0.25), cloth),
        Box((-inner, 0.3, -depth), (-0.01, 0.44, -0.25), cushion),
        Box((0.01, 0.3, -depth), (inner, 0.44, -0.25), cushion),
    ]
    return Piece(boxes, half, depth)


def bed(rng: np.random.Generator) -> Piece:
    """Make a bed, its head at z = 0."""
    half, depth = rng.uniform(0.5, 0.9), 2.05
    wood = Surface(Label.BED, wood_colour(rng), Material.PAINT)
    linen = Surface(Label.BED, (0.85, 0.84, 0.8), Material.CLOTH)
    blanket = Surface(Label.BED, cloth_colour(rng), Material.CLOTH)
    boxes = [
        Box((-half, 0, -0.08), (half, rng.uniform(0.7, 1.1), 0), wood),
        Box((-half, 0.05, -depth), (half, 0.3, -0.08), wood),
        Box((-half + 0.03, 0.3, -depth + 0.04), (half - 0.03, 0.48, -0.7), blanket),
        Box((-half + 0.03, 0.3, -0.7), (half - 0.03, 0.46, -0.08), linen),
        Box((-half + 0.12, 0.46, -0.5), (half - 0.12, 0.56, -0.14), linen),
    ]
    return Piece(boxes, half, depth)


def bookshelf(rng: np.random.Generator) -> Piece:
    """Make a shelf of books."""
    half, depth, height = rng.uniform(0.4, 0.75), 0.32, rng.uniform(1.5, 2.2)
    wood = Surface(Label.BOOKSHELF, wood_colour(rng), Material.PAINT)
    boxes = [Box((-half, 0, -depth + 0.06), (half, height, 0), wood)]
    rows = max(3, round(height / 0.36))
    for row in range(rows):
        bottom = 0.05 + row * (height - 0.08) / rows
        boxes.append(Box((-half, bottom - 0.03, -depth), (half, bottom, -depth + 0.05), wood))
        x = -half + 0.04
        while x < half - 0.1:
            width, tall = rng.uniform(0.03, 0.09), rng.uniform(0.18, 0.29)
            if rng.random() < 0.85:
                book = Surface(Label.BOOKSHELF, cloth_colour(rng))
                low = (x, bottom, -depth + 0.02)
                boxes.append(Box(low, (x + width, bottom + tall, -depth + 0.055), book))
            x += width + 0.006
    return Piece(boxes, half, depth)


def cabinet(rng: np.random.Generator, screen: bool = False) -> Piece:
    """Make a chest of drawers, a sideboard or a wardrobe; a television may stand on it."""
    tall = not screen and rng.random() < 0.35
    half = rng.uniform(0.45, 0.8)
    depth, height = rng.uniform(0.4, 0.55), rng.uniform(1.7, 2.1) if tall else rng.uniform(0.5, 0.9)
    wood = Surface(Label.CABINET, wood_colour(rng), Material.PAINT)
    seam = wood._replace(colour=toned(wood.colour, 0.55))
    front = -depth - 0.005
    boxes = [Box((-half, 0, -depth), (half, height, 0), wood)]
    boxes.append(Box((-0.012, 0.05, front), (0.012, height - 0.04, -depth), seam))
    for level in np.arange(0.28, height - 0.15, 0.9 if tall else 0.26).tolist():
        boxes.append(Box((-half + 0.03, level, front), (half - 0.03, level + 0.018, -depth), seam))
    if screen:
        boxes += _screen(rng, height, depth / 2, rng.uniform(0.38, 0.6))
    return Piece(boxes, half, depth)


def _screen(rng: np.random.Generator, height: float, back: float, half: float) -> list[Box]:
    black = Surface(Label.TELEVISION, _DARK, Material.PAINT)
    shown = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.1, 0.6), rng.uniform(0.15, 0.75))
    tall = half * 1.15
    frame = Box((-half, height + 0.06, -back - 0.05), (half, height + 0.06 + tall, -back), black)
    picture = Box(
        (-half + 0.03, height + 0.1, -back - 0.055),
        (half - 0.03, height + 0.02 + tall, -back - 0.05),
        black._replace(colour=shown, material=Material.GLASS),
    )
    foot = Box((-0.1, height, -back - 0.06), (0.1, height + 0.06, -back), black)
    return [foot, frame, picture]


def desk(rng: np.random.Generator) -> Piece:
    """Make a desk with one or two screens on it."""
    piece = table(rng)
    height = max(box.high[1] for box in piece.boxes)
    boxes = list(piece.boxes)
    places = (0.0,) if piece.half_width < 0.7 or rng.random() < 0.5 else (-0.4, 0.4)
    for place in places:
        for box in _screen(rng, height, 0.12, rng.uniform(0.24, 0.32)):
            low, high = (place + box.low[0], *box.low[1:]), (place + box.high[0], *box.high[1:])
            boxes.append(Box(low, high, box.surface))
    return Piece(boxes, piece.half_width, piece.depth)


def waste_bin(rng: np.random.Generator) -> Piece:
    """Make a waste bin, which only an office has a class for."""
    half, height = rng.uniform(0.12, 0.2), rng.uniform(0.3, 0.55)
    surface = Surface(Label.CLUTTER, cloth_colour(rng))
    return Piece([Box((-half, 0, -2 * half), (half, height, 0), surface)], half, 2 * half)


def add_plant(mesh: Mesh, rng: np.random.Generator, pose: Pose) -> None:
    """Add a plant in a pot, turned to the camera."""
    facing = math.atan2(pose.x, max(pose.z, 0.5))
    mesh.item(pose._replace(heading=facing), distance=math.hypot(pose.x, pose.z))
    half, pot = rng.uniform(0.13, 0.22), rng.uniform(0.22, 0.4)
    clay = Surface(Label.PLANT, wood_colour(rng))
    mesh.upright([(-half * 0.75, 0), (half * 0.75, 0), (half, pot), (-half, pot)], clay)
    k, top = rng.uniform(0.22, 0.42), rng.uniform(0.7, 1.5)
    for _ in range(int(rng.integers(6, 11))):
        x, y = rng.normal(0, half * 1.1), rng.uniform(pot + 0.08, top)
        shade = rng.uniform(0.7, 1.25)
        leaf = Surface(Label.PLANT, (k * shade * 0.6, k * shade, k * shade * 0.4), Material.CLOTH)
        outline = ellipse((x, y), (rng.uniform(0.08, 0.2), rng.uniform(0.1, 0.2)), 7)
        mesh.upright(outline, leaf)


def add_floor_lamp(mesh: Mesh, rng: np.random.Generator, pose: Pose) -> None:
    """Add a lamp on a stand, turned to the camera."""
    facing = math.atan2(pose.x, max(pose.z, 0.5))
    mesh.item(pose._replace(heading=facing), distance=math.hypot(pose.x, pose.z))
    metal = Surface(Label.LAMP, (0.25, 0.24, 0.23))
    height, half = rng.uniform(1.4, 1.7), rng.uniform(0.16, 0.26)
    mesh.upright(rectangle(-0.16, 0, 0.16, 0.03), metal)
    mesh.upright(rectangle(-0.018, 0, 0.018, height), metal)
    add_shade(mesh, rng, height - 0.14, half)


def add_shade(mesh: Mesh, rng: np.random.Generator, bottom: float, half: float) -> None:
    """Add a lamp shade in the item at hand, lit."""
    warm = rng.uniform(1.0, 1.5)
    shade = Surface(Label.LAMP, (0.95, 0.95 - 0.1 * (warm - 1), 0.95 - 0.5 * (warm - 1)), glow=1.0)
    narrow = half * rng.uniform(0.5, 1.0)
    top = bottom + half * 1.3
    mesh.upright([(-half, bottom), (half, bottom), (narrow, top), (-narrow, top)], shade)


def add_window(mesh: Mesh, rng: np.random.Generator, width: float, curtains: bool) -> None:
    """Add a window on a wall, its sill at chest height, with curtains beside it or none."""
    low, high, half = rng.uniform(0.75, 1.0), rng.uniform(1.95, 2.25), width / 2
    frame = Surface(Label.WINDOW, (0.86, 0.86, 0.84))
    day = rng.uniform(0.75, 1.1)
    sky = Surface(Label.WINDOW, (0.78 * day, 0.86 * day, 0.94 * day), Material.GLASS)
    mesh.upright(rectangle(-half, low, half, high), frame)
    panes = 1 if width < 0.8 else 2 if width < 1.7 else 3
    step = (width - 0.06) / panes
    for pane in range(panes):
        left = -half + 0.06 + pane * step
        mesh.upright(rectangle(left, low + 0.06, left + step - 0.06, high - 0.06), sky)
    if curtains:
        colour = cloth_colour(rng)
        for side in (-1, 1):
            for fold in range(5):
                cloth = toned(colour, 1.0 if fold % 2 else 0.82)
                left = side * (half + 0.2) - 0.2 + fold * 0.08
                outline = rectangle(left, 0.1, left + 0.08, high + 0.15)
                mesh.upright(outline, Surface(Label.CURTAIN, cloth, Material.CLOTH))


def add_door(mesh: Mesh, rng: np.random.Generator) -> None:
    """Add a closed door on a wall."""
    half, high = rng.uniform(0.4, 0.5), rng.uniform(1.98, 2.1)
    colour = wood_colour(rng)
    frame = Surface(Label.DOOR, toned(colour, 0.7))
    leaf = Surface(Label.DOOR, colour, Material.PAINT)
    panel = leaf._replace(colour=toned(colour, 0.88))
    mesh.upright(rectangle(-half - 0.07, 0, half + 0.07, high + 0.07), frame)
    mesh.upright(rectangle(-half, 0, half, high), leaf)
    for low, top in ((0.2, 0.85), (1.05, high - 0.2)):
        mesh.upright(rectangle(-half + 0.12, low, half - 0.12, top), panel)
    knob = Surface(Label.DOOR, (0.7, 0.66, 0.5))
    mesh.upright(ellipse((half - 0.08, 0.98), (0.035, 0.035), 8), knob)


def add_picture(mesh: Mesh, rng: np.random.Generator) -> None:
    """Add a framed picture on a wall."""
    half, tall = rng.uniform(0.22, 0.55), rng.uniform(0.2, 0.4)
    middle = rng.uniform(1.45, 1.75)
    mesh.upright(
        rectangle(-half, middle - tall, half, middle + tall), Surface(Label.PICTURE, _DARK)
    )
    inner, flat = half - 0.05, tall - 0.05
    sky = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.05, 0.5), rng.uniform(0.5, 0.9))
    mesh.upright(
        rectangle(-inner, middle - flat, inner, middle + flat), Surface(Label.PICTURE, sky)
    )
    for _ in range(3):
        hue = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8))
        x, top = rng.uniform(-inner, inner * 0.4), middle + rng.uniform(-0.8, 0.5) * flat
        right = min(inner, x + rng.uniform(0.3, 1.0) * half)
        outline = rectangle(x, middle - flat, right, top)
        mesh.upright(outline, Surface(Label.PICTURE, hue, Material.CLOTH))
