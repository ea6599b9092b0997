"""Buildings: house fronts along the street and the skyline behind it."""

from __future__ import annotations

import numpy as np

from bench.data.scenes.classes import Label
from bench.data.scenes.render.mesh import Colour, Material, Mesh, Surface, rectangle


def wall_colour(rng: np.random.Generator) -> Colour:
    """Draw a colour of plaster, stone or brick."""
    kind, k = rng.random(), rng.uniform(0.35, 0.85)
    if kind < 0.25:
        return (k * 0.82, k * 0.52, k * 0.42)  # brick
    if kind < 0.5:
        return (k, k * 0.99, k * 0.97)  # concrete, white
    warmth = rng.uniform(0.75, 1.0)
    return (k, k * (0.55 + 0.42 * warmth), k * (0.25 + 0.7 * warmth))


def add_block(
    mesh: Mesh, rng: np.random.Generator, width: float, depth: float, outward: float
) -> float:
    """Add a house with a flat roof, its front along +z at x = 0; return its height.

    Args:
        mesh: receives the polygons.
        rng: the house's own stream.
        width: of the front, metres.
        depth: away from the street, metres.
        outward: +1 if the street is on the side of smaller x, -1 if of larger x.
    """
    floor = rng.uniform(2.9, 3.7)
    floors = int(rng.integers(2, 8))
    ground = rng.uniform(3.2, 4.4)
    height = ground + floor * (floors - 1) + 0.6
    front = _facade(rng, floor, ground if rng.random() < 0.6 else 0.0)
    roof = Surface(Label.BUILDING, (0.25, 0.24, 0.25))
    low, high = sorted((0.0, depth * outward))
    profile = [(0, 0), (width, 0), (width, height), (0, height)]
    mesh.extrude(profile, (low, high), [roof, front, roof, front], front)
    _cornice(mesh, rng, front, width, height, outward)
    return height


def _facade(rng: np.random.Generator, floor: float, ground: float) -> Surface:
    """Draw a front: its pattern is window spacing, floor height, shop height and seed."""
    spacing = rng.uniform(1.7, 3.4)
    return Surface(
        Label.BUILDING,
        wall_colour(rng),
        Material.FACADE,
        glow=0.35,
        pattern=(spacing, floor, ground, rng.uniform(1, 250)),
    )


def _cornice(
    mesh: Mesh,
    rng: np.random.Generator,
    front: Surface,
    width: float,
    height: float,
    outward: float,
) -> None:
    k = rng.uniform(0.6, 1.25)
    colour = tuple(min(c * k, 0.95) for c in front.colour)
    ledge = Surface(Label.BUILDING, (colour[0], colour[1], colour[2]))
    out = -0.3 * outward
    low, high = sorted((out, 0.05 * outward))
    mesh.box((low, height - 0.45, 0), (high, height, width), ledge)


def add_house(
    mesh: Mesh, rng: np.random.Generator, width: float, depth: float, outward: float
) -> float:
    """Add a house with a pitched roof, placed as by ``add_block``; return its height."""
    eaves = rng.uniform(3.2, 6.5)
    ridge = eaves + rng.uniform(1.8, 3.5)
    front = _facade(rng, rng.uniform(2.6, 3.1), 0.0)
    k = rng.uniform(0.25, 0.5)
    tiles = Surface(
        Label.BUILDING,
        (k, k * rng.uniform(0.4, 0.95), k * rng.uniform(0.35, 0.95)),
        Material.MASONRY,
        pattern=(0.3, 0.35, 0.0, 0.0),
    )
    low, high = sorted((0.0, depth * outward))
    middle = (low + high) / 2
    mesh.box((low, 0, 0), (high, eaves, width), front)
    near = [(low, eaves, 0.0), (middle, ridge, 0.0), (high, eaves, 0.0)]
    mesh.polygon(near, front, solid=True)
    left = [(low, eaves, 0.0), (low, eaves, width), (middle, ridge, width), (middle, ridge, 0.0)]
    right = [(high, eaves, width), (high, eaves, 0.0), (middle, ridge, 0.0), (middle, ridge, width)]
    mesh.polygon(left, tiles, solid=True)
    mesh.polygon(right, tiles, solid=True)
    if rng.random() < 0.5:
        z = rng.uniform(0.2, 0.8) * width
        mesh.box(
            (middle - 0.3, eaves, z - 0.3),
            (middle + 0.3, ridge + 0.7, z + 0.3),
            front._replace(material=Material.MASONRY, pattern=(0.3, 0.1, 0.0, 0.0)),
        )
    return ridge


def add_skyline(mesh: Mesh, rng: np.random.Generator, half_width: float) -> None:
    """Add a far row of blocks and trees that closes the view."""
    x = -half_width
    while x < half_width:
        width = rng.uniform(8, 30)
        green = rng.random() < 0.5
        height = rng.uniform(6, 14) if green else rng.uniform(9, 34)
        if green:
            k = rng.uniform(0.22, 0.36)
            surface = Surface(Label.VEGETATION, (k * 0.8, k, k * 0.5), Material.FOLIAGE)
            steps = np.linspace(0, width, 9).tolist()
            tops = (height * rng.uniform(0.6, 1.0, 9)).tolist()
            outline = [(x + width, 0.0), (x, 0.0)]
            outline += [(x + step, top) for step, top in zip(steps, tops, strict=True)]
        else:
            surface = _facade(rng, 3.2, 0.0)
            outline = rectangle(x, 0, x + width, height)
        mesh.upright(outline, surface, z=rng.uniform(-6, 6))
        x += width * rng.uniform(0.75, 1.1)
