"""Cars, trucks, buses, trams, motorcycles and bicycles as polygons.

Each function draws around the local origin on the ground, the vehicle's front towards +z.
"""

from __future__ import annotations

import colorsys
from typing import NamedTuple

import numpy as np

from bench.data.scenes.classes import Label
from bench.data.scenes.render.mesh import (
    Colour,
    Flat,
    Material,
    Mesh,
    Surface,
    ellipse,
    limb,
    rectangle,
)

_TYRE = (0.07, 0.07, 0.08)
_GLASS = (0.16, 0.19, 0.23)


class Body(NamedTuple):
    """Half of the outline of a car: lower body and greenhouse, metres."""

    length: float
    width: float
    height: float
    belt: float  # height of the window line
    nose: float  # length of the bonnet
    boot: float  # length of the boot, 0 for a steep rear
    rake: float  # how far the windscreen leans


def car_body(rng: np.random.Generator) -> Body:
    """Draw a saloon, hatchback, estate or van."""
    kind = rng.choice(4, p=[0.3, 0.35, 0.2, 0.15])
    if kind == 0:
        return Body(rng.uniform(4.4, 4.9), 1.82, rng.uniform(1.4, 1.48), 0.92, 1.2, 0.75, 0.75)
    if kind == 1:
        return Body(rng.uniform(3.6, 4.3), 1.75, rng.uniform(1.44, 1.56), 0.94, 0.95, 0.08, 0.7)
    if kind == 2:
        return Body(rng.uniform(4.4, 4.8), 1.88, rng.uniform(1.6, 1.75), 1.05, 1.1, 0.05, 0.6)
    return Body(rng.uniform(4.6, 5.4), 1.95, rng.uniform(1.85, 2.3), 1.15, 0.7, 0.02, 0.7)


def paint_colour(rng: np.random.Generator) -> Colour:
    """Draw a car colour: mostly greys, as on roads, some saturated."""
    if rng.random() < 0.62:
        grey = float(rng.choice([0.08, 0.2, 0.38, 0.58, 0.82])) + rng.uniform(-0.05, 0.05)
        return (grey, grey, grey * rng.uniform(0.98, 1.06))
    return colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.45, 0.85), rng.uniform(0.25, 0.8))


def add_car(mesh: Mesh, rng: np.random.Generator, detailed: bool = True) -> Body:
    """Add a car as a counted object."""
    body, colour = car_body(rng), paint_colour(rng)
    mesh.thing()
    paint = Surface(Label.CAR, colour, Material.PAINT)
    trim = Surface(Label.CAR, (0.12, 0.12, 0.13))
    back, front, w = -body.length / 2, body.length / 2, body.width / 2
    lower = [
        (back, 0.28), (front, 0.28), (front + 0.04, 0.55), (front - 0.12, 0.74),
        (front - body.nose, body.belt), (back + 0.04, body.belt), (back - 0.04, 0.6),
    ]  # fmt: skip
    mesh.box((-w + 0.12, 0.14, back + 0.2), (w - 0.12, 0.3, front - 0.2), trim)
    _wheels(mesh, Label.CAR, w, body.length * 0.31, 0.31)
    mesh.extrude(lower, (-w, w), [trim, paint, paint, paint, paint, paint, paint], paint)
    _cabin(mesh, body, paint)
    if detailed:
        _doors(mesh, Label.CAR, body, colour)
    _lamps(mesh, Label.CAR, (back - 0.05, front + 0.05), w, (0.58, 0.74))
    return body


def _cabin(mesh: Mesh, body: Body, paint: Surface) -> None:
    glass = Surface(paint.label, _GLASS, Material.GLASS)
    back, front, w = -body.length / 2, body.length / 2, body.width / 2 - 0.1
    base_front, base_back = front - body.nose + 0.05, back + body.boot + 0.04
    roof_front, roof_back = base_front - body.rake, base_back + (0.5 if body.boot > 0.2 else 0.22)
    profile = [
        (base_back, body.belt - 0.02), (base_front, body.belt - 0.02),
        (roof_front, body.height), (roof_back, body.height),
    ]  # fmt: skip
    mesh.extrude(profile, (-w, w), [paint, glass, paint, glass], paint)
    low, high = body.belt + 0.05, body.height - 0.09
    middle = (roof_front + roof_back) / 2
    rear = [(base_back + 0.16, low), (middle - 0.06, low), (middle - 0.06, high)]
    front_window = [(middle + 0.06, low), (base_front - 0.14, low), (roof_front - 0.02, high)]
    _sides(mesh, [*rear, (roof_back + 0.06, high)], w + 0.01, glass)
    _sides(mesh, [*front_window, (middle + 0.06, high)], w + 0.01, glass)


def _doors(mesh: Mesh, label: Label, body: Body, colour: Colour) -> None:
    """Add door seams, and number plates at both ends."""
    seam = Surface(label, (colour[0] * 0.55, colour[1] * 0.55, colour[2] * 0.55))
    for z in (-0.55, 0.45):
        outline = rectangle(z - 0.02, 0.4, z + 0.02, body.belt - 0.03)
        _sides(mesh, outline, body.width / 2 + 0.01, seam)
    plate = Surface(label, (0.85, 0.85, 0.8))
    for z, ahead in ((-body.length / 2 - 0.06, False), (body.length / 2 + 0.06, True)):
        _facing(mesh, rectangle(-0.27, 0.45, 0.27, 0.57), z, plate, ahead)


def _sides(mesh: Mesh, outline: list[Flat], x: float, surface: Surface) -> None:
    """Add a polygon (z, y), counter-clockwise, on both sides, each seen from outside only."""
    mesh.polygon([(-x, y, z) for z, y in outline], surface, solid=True)
    mesh.polygon([(x, y, z) for z, y in reversed(outline)], surface, solid=True)


def _facing(mesh: Mesh, outline: list[Flat], z: float, surface: Surface, ahead: bool) -> None:
    """Add a polygon (x, y) that is seen from behind the vehicle only, or from ahead only."""
    corners = outline if ahead else outline[::-1]
    mesh.polygon([(x, y, z) for x, y in corners], surface, solid=True)


def _lamps(
    mesh: Mesh, label: Label, ends: tuple[float, float], w: float, heights: tuple[float, float]
) -> None:
    red = Surface(label, (0.62, 0.06, 0.06), glow=0.7)
    white = Surface(label, (0.9, 0.9, 0.86), glow=1.6)
    for left in (-w + 0.03, w - 0.36):
        lamp = rectangle(left, heights[0], left + 0.33, heights[1])
        _facing(mesh, lamp, ends[0], red, ahead=False)
        _facing(mesh, lamp, ends[1], white, ahead=True)


def _wheels(mesh: Mesh, label: Label, w: float, z: float, radius: float) -> None:
    tyre = Surface(label, _TYRE)
    rim = Surface(label, (0.45, 0.45, 0.47))
    for left in (-w + 0.04, w - 0.26):
        tread = rectangle(left, 0, left + 0.22, radius * 1.2)
        _facing(mesh, tread, -z - radius, tyre, ahead=False)
        _facing(mesh, tread, z + radius, tyre, ahead=True)
    for centre in (-z, z):
        for scale, surface in ((1.0, tyre), (0.55, rim)):
            disc = ellipse((centre, radius), (radius * scale, radius * scale), 12)
            _sides(mesh, disc, w + 0.015, surface)


def add_truck(mesh: Mesh, rng: np.random.Generator) -> Body:
    """Add a truck: a cab and a box, a tarpaulin or a tipper behind it."""
    length, height, w = rng.uniform(6, 9.5), rng.uniform(2.8, 3.7), 1.22
    mesh.thing()
    cab = Surface(Label.TRUCK, paint_colour(rng), Material.PAINT)
    load = Surface(Label.TRUCK, paint_colour(rng), Material.CLOTH)
    frame = Surface(Label.TRUCK, (0.13, 0.13, 0.14))
    glass = Surface(Label.TRUCK, _GLASS, Material.GLASS)
    back, front = -length / 2, length / 2
    _wheels(mesh, Label.TRUCK, w, length * 0.34, 0.48)
    mesh.box((-w + 0.1, 0.5, back), (w - 0.1, 0.95, front), frame)
    mesh.box((-w, 0.55, front - 1.9), (w, min(height, 2.75), front), cab)
    mesh.box((-w, 0.95, back), (w, height, front - 2.1), load)
    _sides(mesh, rectangle(front - 1.4, 1.6, front - 0.3, 2.3), w + 0.01, glass)
    _facing(mesh, rectangle(-w + 0.12, 1.55, w - 0.12, 2.4), front + 0.02, glass, ahead=True)
    _facing(mesh, rectangle(-0.03, 1.0, 0.03, height - 0.05), back - 0.02, frame, ahead=False)
    _lamps(mesh, Label.TRUCK, (back - 0.04, front + 0.04), w, (0.65, 0.85))
    return Body(length, 2 * w, height, 0, 0, 0, 0)


def add_bus(mesh: Mesh, rng: np.random.Generator) -> Body:
    """Add a city bus."""
    return _add_coach(mesh, rng, Label.BUS, rng.uniform(9, 12.5), rng.uniform(2.9, 3.2), 0.3)


def add_tram(mesh: Mesh, rng: np.random.Generator) -> Body:
    """Add a tram, of the class train."""
    return _add_coach(mesh, rng, Label.TRAIN, rng.uniform(16, 28), rng.uniform(3.2, 3.6), 0.18)


def _add_coach(
    mesh: Mesh, rng: np.random.Generator, label: Label, length: float, height: float, floor: float
) -> Body:
    w = 1.26
    mesh.thing()
    colour = paint_colour(rng)
    paint = Surface(label, colour, Material.PAINT)
    skirt = Surface(label, paint_colour(rng) if rng.random() < 0.5 else colour, Material.PAINT)
    glass = Surface(label, _GLASS, Material.GLASS, glow=0.55)
    back, front = -length / 2, length / 2
    if label is Label.BUS:
        _wheels(mesh, label, w, length * 0.3, 0.48)
    mesh.box((-w, floor, back), (w, height, front), paint)
    bays = max(3, round(length / 1.7))
    step = (length - 0.6) / bays
    _sides(mesh, rectangle(back, floor, front, 1.15), w + 0.01, skirt)
    for bay in range(bays):
        start = back + 0.3 + bay * step
        pane = rectangle(start + 0.07, 1.25, start + step - 0.07, height - 0.55)
        _sides(mesh, pane, w + 0.01, glass)
    board = Surface(label, (0.75, 0.45, 0.05), glow=0.9)
    for z, ahead in ((back - 0.02, False), (front + 0.02, True)):
        _facing(mesh, rectangle(-w, floor, w, 1.0), z, skirt, ahead)
        _facing(mesh, rectangle(-w + 0.12, 1.2, w - 0.12, height - 0.6), z, glass, ahead)
        _facing(mesh, rectangle(-0.6, height - 0.5, 0.6, height - 0.2), z, board, ahead)
    _lamps(mesh, label, (back - 0.04, front + 0.04), w, (0.6, 0.85))
    return Body(length, 2 * w, height, 0, 0, 0, 0)


def add_bicycle(mesh: Mesh, rng: np.random.Generator) -> None:
    """Add a bicycle as a counted object."""
    mesh.thing()
    tyre = Surface(Label.BICYCLE, (0.1, 0.1, 0.1))
    frame = Surface(Label.BICYCLE, paint_colour(rng))
    for z in (-0.52, 0.52):
        mesh.lengthways(_ring((z, 0.34), 0.34, 0.085), tyre)
        mesh.upright(rectangle(-0.04, 0, 0.04, 0.68), tyre, z)
    for start, end in (
        ((-0.52, 0.34), (-0.05, 0.3)), ((-0.05, 0.3), (0.36, 0.8)), ((-0.52, 0.34), (-0.18, 0.82)),
        ((-0.05, 0.3), (-0.22, 0.9)), ((-0.2, 0.82), (0.38, 0.84)), ((0.36, 1.02), (0.52, 0.34)),
    ):  # fmt: skip
        mesh.lengthways(limb(start, end, 0.06), frame)
    mesh.lengthways(rectangle(-0.34, 0.9, -0.1, 0.97), tyre)
    mesh.upright(limb((-0.28, 1.02), (0.28, 1.02), 0.06), tyre, 0.36)
    mesh.upright(rectangle(-0.035, 0.3, 0.035, 0.9), frame, -0.2)


def add_motorcycle(mesh: Mesh, rng: np.random.Generator) -> None:
    """Add a motorcycle or a scooter as a counted object."""
    mesh.thing()
    label = Label.MOTORCYCLE
    tyre, paint = Surface(label, _TYRE), Surface(label, paint_colour(rng), Material.PAINT)
    metal = Surface(label, (0.4, 0.4, 0.42))
    for z in (-0.66, 0.66):
        mesh.lengthways(ellipse((z, 0.31), (0.31, 0.31), 12), tyre)
        mesh.lengthways(ellipse((z, 0.31), (0.15, 0.15), 8), metal)
        mesh.upright(rectangle(-0.08, 0, 0.08, 0.62), tyre, z)
    mesh.lengthways([(-0.4, 0.3), (0.35, 0.3), (0.5, 0.6), (0.35, 0.92), (-0.8, 0.78)], paint)
    mesh.lengthways(rectangle(-0.8, 0.74, 0.05, 0.84), tyre)
    mesh.lengthways(limb((0.66, 0.31), (0.42, 1.05), 0.09), metal)
    mesh.upright([(-0.2, 0.35), (0.2, 0.35), (0.24, 0.8), (-0.24, 0.8)], paint, -0.45)
    mesh.upright(limb((-0.36, 1.05), (0.36, 1.05), 0.07), tyre, 0.42)
    mesh.upright(
        rectangle(-0.1, 0.66, 0.1, 0.76), Surface(label, (0.6, 0.05, 0.05), glow=0.7), -0.8
    )


def _ring(centre: Flat, radius: float, width: float) -> list[Flat]:
    """Return a ring as one outline: around outside, and back around inside."""
    outer = ellipse(centre, (radius, radius), 14)
    inner = ellipse(centre, (radius - width, radius - width), 14)
    return [*outer, outer[0], inner[0], *reversed(inner)]
