"""Poles, signs, lights, trees, fences, walls and unlabelled clutter, around a local origin."""

from __future__ import annotations

import math

import numpy as np

from bench.data.scenes.classes import Label
from bench.data.scenes.objects.people import cloth_colour
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

_RED, _BLUE, _YELLOW = (0.75, 0.08, 0.08), (0.1, 0.25, 0.65), (0.9, 0.72, 0.1)
_WHITE, _BLACK = (0.9, 0.9, 0.88), (0.05, 0.05, 0.05)


def _metal(rng: np.random.Generator) -> Surface:
    grey = rng.uniform(0.2, 0.62)
    return Surface(Label.POLE, (grey, grey * 1.01, grey * rng.uniform(0.95, 1.05)))


def add_lamp_post(mesh: Mesh, rng: np.random.Generator, reach: float) -> tuple[float, float]:
    """Add a street lamp whose arm reaches ``reach`` metres to +x; return the lamp's (x, y)."""
    metal, height = _metal(rng), rng.uniform(5, 9)
    mesh.upright([(-0.1, 0), (0.1, 0), (0.055, height), (-0.055, height)], metal)
    mesh.upright(limb((0, height), (reach, height + 0.35), 0.09), metal)
    head = (reach + math.copysign(0.25, reach), height + 0.3)
    mesh.upright(
        rectangle(head[0] - 0.35, head[1] - 0.1, head[0] + 0.35, head[1] + 0.06),
        metal._replace(glow=2.2, colour=(0.75, 0.72, 0.62)),
    )
    return head


def add_post(mesh: Mesh, rng: np.random.Generator) -> None:
    """Add a bare pole: a mast of overhead wires, or a bollard."""
    metal = _metal(rng)
    if rng.random() < 0.4:
        mesh.upright(rectangle(-0.07, 0, 0.07, rng.uniform(0.7, 1.0)), metal)
    else:
        mesh.upright(rectangle(-0.11, 0, 0.11, rng.uniform(5, 8)), metal)


def add_sign(mesh: Mesh, rng: np.random.Generator) -> None:
    """Add a pole with one or two traffic signs."""
    height = rng.uniform(2.1, 2.9)
    mesh.upright(rectangle(-0.04, 0, 0.04, height + 0.6), _metal(rng))
    size = rng.uniform(0.32, 0.48)
    _plate(mesh, rng, (0.0, height + 0.3), size)
    if rng.random() < 0.3:
        _plate(mesh, rng, (0.0, height - 0.55), size * 0.8)


def _plate(mesh: Mesh, rng: np.random.Generator, centre: Flat, r: float) -> None:
    x, y = centre
    label = Label.TRAFFIC_SIGN
    kind = int(rng.integers(6))
    if kind == 0:  # a warning triangle
        outer = [(x - r, y - r * 0.7), (x + r, y - r * 0.7), (x, y + r)]
        inner = [(x - r * 0.6, y - r * 0.48), (x + r * 0.6, y - r * 0.48), (x, y + r * 0.58)]
        colours = (_RED, _WHITE)
    elif kind == 1:  # a speed limit
        outer = ellipse(centre, (r, r), 14)
        inner = ellipse(centre, (r * 0.68, r * 0.68), 12)
        colours = (_RED, _WHITE)
    elif kind == 2:  # an order
        outer = ellipse(centre, (r, r), 14)
        inner = limb((x - r * 0.4, y - r * 0.3), (x + r * 0.4, y + r * 0.35), r * 0.3)
        colours = (_BLUE, _WHITE)
    elif kind == 3:  # right of way
        outer = [(x - r, y), (x, y - r), (x + r, y), (x, y + r)]
        inner = [(x - r * 0.65, y), (x, y - r * 0.65), (x + r * 0.65, y), (x, y + r * 0.65)]
        colours = (_WHITE, _YELLOW)
    elif kind == 4:  # a board with directions
        outer = rectangle(x - r * 2.2, y - r * 0.8, x + r * 2.2, y + r * 0.9)
        inner = rectangle(x - r * 1.7, y - r * 0.2, x + r * 0.9, y + r * 0.3)
        colours = (_YELLOW if rng.random() < 0.5 else _BLUE, _WHITE)
    else:  # its unpainted back
        outer = ellipse(centre, (r, r), 8)
        inner = rectangle(x - 0.05, y - r, x + 0.05, y + r)
        colours = ((0.5, 0.5, 0.52), (0.4, 0.4, 0.42))
    mesh.upright(outer, Surface(label, colours[0], glow=0.12))
    mesh.upright(inner, Surface(label, colours[1], glow=0.12))


def add_traffic_light(mesh: Mesh, rng: np.random.Generator, reach: float) -> None:
    """Add a traffic light on a pole, with a second one over the road if ``reach`` is not 0."""
    metal = _metal(rng)
    state = int(rng.integers(3))
    height = rng.uniform(2.2, 2.7)
    mesh.upright(rectangle(-0.08, 0, 0.08, 5.6 if reach else height + 1.1), metal)
    if reach:
        mesh.upright(limb((0, 5.5), (reach, 5.7), 0.13), metal)
        _lights(mesh, (reach, 4.9), state)
    _lights(mesh, (0.0, height), state)


def _lights(mesh: Mesh, foot: Flat, state: int) -> None:
    x, y = foot
    box = Surface(Label.TRAFFIC_LIGHT, (0.08, 0.09, 0.08))
    mesh.upright(rectangle(x - 0.21, y, x + 0.21, y + 1.0), box)
    for index, lit in enumerate(((0.05, 0.75, 0.35), (0.95, 0.65, 0.05), (0.9, 0.08, 0.05))):
        on = index == state
        colour = lit if on else (lit[0] * 0.25, lit[1] * 0.25, lit[2] * 0.25)
        lens = ellipse((x, y + 0.2 + 0.3 * index), (0.13, 0.13), 8)
        mesh.upright(lens, Surface(Label.TRAFFIC_LIGHT, colour, glow=2.0 if on else 0.0))


def leaf_colour(rng: np.random.Generator) -> Colour:
    """Draw a colour of leaves, from spring green to autumn and bare twigs."""
    kind = rng.random()
    if kind < 0.75:
        green = rng.uniform(0.26, 0.46)
        return (green * rng.uniform(0.55, 0.95), green, green * rng.uniform(0.3, 0.6))
    if kind < 0.9:
        return (rng.uniform(0.4, 0.6), rng.uniform(0.25, 0.4), rng.uniform(0.08, 0.16))
    return (rng.uniform(0.3, 0.4), rng.uniform(0.27, 0.34), rng.uniform(0.2, 0.27))


def add_tree(mesh: Mesh, rng: np.random.Generator, colour: Colour, clumps: int = 9) -> float:
    """Add a tree: a trunk and a crown of clumps, darker below; return the crown's radius."""
    height, radius = rng.uniform(5, 11), rng.uniform(1.5, 3.2)
    slim = rng.random() < 0.2
    if slim:
        radius *= 0.5
    clear = rng.uniform(0.6, 1.2) if slim else rng.uniform(1.8, 2.8)
    brown = rng.uniform(0.16, 0.34)
    bark = Surface(Label.VEGETATION, (brown, brown * 0.85, brown * 0.7), Material.CLOTH)
    girth = rng.uniform(0.12, 0.24)
    mesh.upright(
        [(-girth, 0), (girth, 0), (girth * 0.6, height * 0.7), (-girth * 0.6, height * 0.7)], bark
    )
    half = (height - clear) / 2
    draws = rng.random((clumps, 4)).tolist()
    outlines = _ragged(rng, clumps)
    for clump, (turn, out, size, tint) in enumerate(draws):
        angle, out = 2 * math.pi * turn, (0.35 + 0.37 * out) * (clump > 0)
        size = 0.3 + 0.2 * size if clump else 0.75
        x, rise = out * radius * math.cos(angle), out * math.sin(angle)
        shade = 1.0 + 0.42 * rise + 0.16 * tint
        y = clear + half * (1 + rise)
        mesh.upright(
            [(x + size * radius * dx, y + size * half * dy) for dx, dy in outlines[clump]],
            _leaves(colour, shade),
        )
    return radius


def add_bush(mesh: Mesh, rng: np.random.Generator, colour: Colour, width: float) -> None:
    """Add a bush or a piece of hedge, ``width`` metres wide."""
    height = rng.uniform(0.7, 2.2)
    for outline, shade, scale in zip(_ragged(rng, 2), (0.75, 1.0), (1.0, 0.72), strict=True):
        across, upwards = width / 2 * scale, height * 0.55 * scale
        mesh.upright(
            [(across * dx, max(height * 0.42 + upwards * dy, 0)) for dx, dy in outline],
            _leaves(colour, shade),
        )


def _leaves(colour: Colour, shade: float) -> Surface:
    tint = (colour[0] * shade, colour[1] * shade, colour[2] * shade)
    return Surface(Label.VEGETATION, tint, Material.FOLIAGE)


def _ragged(rng: np.random.Generator, count: int) -> list[list[Flat]]:
    """Return ``count`` uneven unit circles of 14 corners."""
    wobble = rng.uniform(0.8, 1.12, (count, 14, 1))
    outlines: list[list[Flat]] = (wobble * np.array(ellipse((0, 0), (1, 1), 14))).tolist()
    return outlines


def add_fence(mesh: Mesh, rng: np.random.Generator, length: float) -> None:
    """Add a fence along +z with pickets or boards, its posts taller."""
    height = rng.uniform(0.9, 1.9)
    wood = rng.random() < 0.5
    k = rng.uniform(0.25, 0.75)
    colour = (k, k * 0.8, k * 0.6) if wood else (k * 0.8, k * 0.85, k * 0.82)
    period = rng.uniform(0.14, 0.34)
    panel = Surface(Label.FENCE, colour, Material.PICKETS, pattern=(period, height, 0.0, 0.0))
    mesh.lengthways(rectangle(0, 0.05, length, height), panel)
    rail = Surface(Label.FENCE, (colour[0] * 0.8, colour[1] * 0.8, colour[2] * 0.8))
    mesh.lengthways(rectangle(0, height * 0.78, length, height * 0.78 + 0.08), rail)
    mesh.lengthways(rectangle(0, height * 0.25, length, height * 0.25 + 0.08), rail)
    for post in np.arange(0, length, 2.5).tolist():
        mesh.lengthways(rectangle(post - 0.06, 0, post + 0.06, height + 0.12), rail)


def add_wall(mesh: Mesh, rng: np.random.Generator, length: float, outward: float) -> None:
    """Add a free-standing wall along +z, thickness towards ``outward`` (+1 or -1 in x)."""
    height, k = rng.uniform(0.9, 3.0), rng.uniform(0.3, 0.72)
    colour = (k, k * rng.uniform(0.72, 1.0), k * rng.uniform(0.55, 1.0))
    stone = Surface(Label.WALL, colour, Material.MASONRY, pattern=(0.6, 0.25, 0.0, 0.0))
    coping = Surface(Label.WALL, (k * 0.85, k * 0.84, k * 0.82))
    low, high = sorted((0.0, 0.35 * outward))
    mesh.box((low, 0, 0), (high, height, length), stone)
    mesh.box((low - 0.05, height, 0), (high + 0.05, height + 0.1, length), coping)


def add_clutter(mesh: Mesh, rng: np.random.Generator) -> None:
    """Add a thing that no class of Cityscapes covers: a bin, a box, a bench or a bus shelter."""
    surface = Surface(Label.CLUTTER, cloth_colour(rng), Material.CLOTH)
    kind = rng.random()
    if kind < 0.45:
        mesh.box((-0.3, 0, -0.35), (0.3, rng.uniform(0.9, 1.2), 0.35), surface)
    elif kind < 0.7:
        mesh.box((-0.6, 0, -0.25), (0.6, rng.uniform(1.0, 1.5), 0.25), surface)
    elif kind < 0.85:
        mesh.box((-0.25, 0.4, -0.9), (0.25, 0.48, 0.9), surface)
        mesh.box((0.2, 0.48, -0.9), (0.26, 0.9, 0.9), surface)
    else:
        glass = Surface(Label.CLUTTER, (0.5, 0.55, 0.58), Material.GLASS, glow=0.4)
        mesh.box((0.5, 0.3, -1.8), (0.56, 2.3, 1.8), glass)
        mesh.box((-0.7, 2.3, -1.9), (0.7, 2.42, 1.9), surface)
