"""Pedestrians and riders as flat figures, drawn around the local origin on the ground."""

from __future__ import annotations

import colorsys

import numpy as np

from bench.data.scenes.classes import Label
from bench.data.scenes.objects.vehicles import add_bicycle, add_motorcycle
from bench.data.scenes.render.mesh import Colour, Material, Mesh, Surface, ellipse, limb, rectangle

_SKIN = ((0.82, 0.63, 0.52), (0.66, 0.47, 0.36), (0.42, 0.29, 0.22), (0.87, 0.7, 0.6))
_HAIR = ((0.1, 0.08, 0.07), (0.3, 0.2, 0.12), (0.55, 0.42, 0.25), (0.5, 0.5, 0.5))


def cloth_colour(rng: np.random.Generator) -> Colour:
    """Draw a colour of clothing: dark or dull more often than bright."""
    if rng.random() < 0.5:
        grey = rng.uniform(0.06, 0.5)
        return (grey, grey * rng.uniform(0.9, 1.05), grey * rng.uniform(0.9, 1.15))
    return colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.3, 0.8), rng.uniform(0.2, 0.8))


def add_pedestrian(mesh: Mesh, rng: np.random.Generator, umbrella: bool = False) -> None:
    """Add a walking or standing person, facing the camera or turned away."""
    mesh.thing()
    label = Label.PERSON
    tall = rng.uniform(1.0, 1.35) if rng.random() < 0.12 else rng.uniform(1.55, 1.9)
    k, broad = tall / 1.75, rng.uniform(0.85, 1.15)
    top = Surface(label, cloth_colour(rng), Material.CLOTH)
    trousers = Surface(label, cloth_colour(rng), Material.CLOTH)
    skin = Surface(label, _SKIN[rng.integers(len(_SKIN))])
    hair = Surface(label, _HAIR[rng.integers(len(_HAIR))])
    stride = rng.uniform(0, 0.34) * k
    swing = stride * rng.uniform(0.4, 0.9)
    w = 0.21 * broad * k
    for side, foot in ((-1, -stride), (1, stride * 0.8)):
        hip = (side * 0.09 * k, 0.88 * k)
        mesh.upright(limb(hip, (foot + side * 0.06, 0.04), 0.17 * k * broad), trousers)
        mesh.upright(rectangle(foot + side * 0.06 - 0.07, 0, foot + side * 0.06 + 0.11, 0.08), hair)
    if rng.random() < 0.25:
        mesh.upright([(-w, 0.5 * k), (w, 0.5 * k), (w * 0.8, 0.95 * k), (-w * 0.8, 0.95 * k)], top)
    for side in (-1, 1):
        hand = (side * (w + 0.05) - swing * side * 0.6, 0.78 * k)
        mesh.upright(limb((side * w * 0.92, 1.38 * k), hand, 0.1 * k), top)
        mesh.upright(ellipse(hand, (0.05, 0.05), 6), skin)
    mesh.upright(
        [(-w * 0.85, 0.82 * k), (w * 0.85, 0.82 * k), (w, 1.36 * k), (w * 0.5, 1.47 * k),
         (-w * 0.5, 1.47 * k), (-w, 1.36 * k)], top
    )  # fmt: skip
    mesh.upright(ellipse((0, 1.6 * k), (0.105 * k, 0.14 * k), 10), skin)
    mesh.upright(ellipse((0, 1.66 * k), (0.115 * k, 0.1 * k), 8, 0, 3.3), hair)
    _belongings(mesh, rng, k, w, umbrella)


def _belongings(mesh: Mesh, rng: np.random.Generator, k: float, w: float, umbrella: bool) -> None:
    surface = Surface(Label.PERSON, cloth_colour(rng), Material.CLOTH)
    if umbrella:
        mesh.upright(
            limb((w, 1.0 * k), (w * 0.5, 2.0 * k), 0.03), Surface(Label.PERSON, (0.2,) * 3)
        )
        mesh.upright(ellipse((w * 0.5, 1.88 * k), (0.55, 0.3), 9, 0, 3.1416), surface)
    elif rng.random() < 0.35:
        mesh.upright(rectangle(w, 0.6 * k, w + 0.2, 0.92 * k), surface)


def add_cyclist(mesh: Mesh, rng: np.random.Generator) -> None:
    """Add a bicycle with its rider, two counted objects."""
    add_bicycle(mesh, rng)
    _add_rider(mesh, rng, seat=(-0.2, 0.95), foot=(0.02, 0.25), hand=(0.34, 1.03), helmet=0.4)


def add_motorcyclist(mesh: Mesh, rng: np.random.Generator) -> None:
    """Add a motorcycle with its rider, two counted objects."""
    add_motorcycle(mesh, rng)
    _add_rider(mesh, rng, seat=(-0.3, 0.86), foot=(0.05, 0.3), hand=(0.38, 1.06), helmet=1.0)


def _add_rider(
    mesh: Mesh,
    rng: np.random.Generator,
    seat: tuple[float, float],
    foot: tuple[float, float],
    hand: tuple[float, float],
    helmet: float,
) -> None:
    """Draw a rider twice, in the plane of the vehicle and across it, for all views."""
    mesh.thing()
    label = Label.RIDER
    top = Surface(label, cloth_colour(rng), Material.CLOTH)
    trousers = Surface(label, cloth_colour(rng), Material.CLOTH)
    skin = Surface(label, _SKIN[rng.integers(len(_SKIN))])
    shade = _HAIR[rng.integers(len(_HAIR))]
    hat = Surface(label, cloth_colour(rng) if rng.random() < helmet else shade)
    shoulder, knee = (seat[0] + 0.24, seat[1] + 0.56), (seat[0] + 0.42, seat[1] - 0.2)
    head = (shoulder[0] + 0.08, shoulder[1] + 0.22)
    mesh.lengthways(limb(seat, knee, 0.17), trousers)
    mesh.lengthways(limb(knee, foot, 0.13), trousers)
    mesh.lengthways(limb((seat[0] - 0.02, seat[1] - 0.06), shoulder, 0.27), top)
    mesh.lengthways(limb(shoulder, hand, 0.1), top)
    mesh.lengthways(ellipse(head, (0.12, 0.14), 10), skin)
    mesh.lengthways(ellipse((head[0], head[1] + 0.05), (0.135, 0.12), 9, -0.2, 3.5), hat)
    z = seat[0] - 0.12
    for side in (-1, 1):
        mesh.upright(limb((side * 0.1, seat[1]), (side * 0.14, foot[1]), 0.13), trousers, z)
        mesh.upright(limb((side * 0.2, shoulder[1]), (side * 0.3, hand[1]), 0.1), top, z)
    low, high = seat[1] - 0.08, shoulder[1] + 0.06
    mesh.upright(
        [
            (-0.17, low),
            (0.17, low),
            (0.23, high - 0.08),
            (0.1, high),
            (-0.1, high),
            (-0.23, high - 0.08),
        ],
        top,
        z,
    )
    mesh.upright(ellipse((0, head[1]), (0.11, 0.14), 10), skin, z)
    mesh.upright(ellipse((0, head[1] + 0.03), (0.125, 0.14), 10), hat, z)
