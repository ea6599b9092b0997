"""Colours of what the raster found: materials, daylight, shadows and sky."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bench.data.scenes.classes import Label
from bench.data.scenes.layout import SceneLayout
from bench.data.scenes.render.ground import paint_ground
from bench.data.scenes.render.mesh import Material, Polygons
from bench.data.scenes.render.raster import FIRST, GROUND, HOOD, SKY, Raster, View, paint_shadows
from bench.data.scenes.render.texture import fraction, noise, scatter
from bench.data.scenes.street import Light, Street

_ROUGHNESS = {
    Material.PLAIN: (0.05, 8),
    Material.PAINT: (0.09, 2),
    Material.CLOTH: (0.2, 24),
    Material.FOLIAGE: (0.6, 46),
    Material.MASONRY: (0.16, 14),
    Material.FACADE: (0.1, 5),
    Material.PICKETS: (0.14, 9),
    Material.GLASS: (0.5, 3),
    Material.FLOORING: (0.1, 16),
}
"""Of each material: strength of its noise, and texels a metre."""


class Surfaces(NamedTuple):
    """Everything at the pixels [H, W] before light and air."""

    label: np.ndarray  # uint8
    instance: np.ndarray  # uint16
    colour: np.ndarray  # float32 [3, H, W], albedo
    light: np.ndarray  # float32 [3, H, W], daylight that arrives
    glow: np.ndarray  # float32, own light at night, in parts of the colour
    up: np.ndarray  # float32, upward part of the normal
    road: np.ndarray  # bool


class _Fabric(NamedTuple):
    """The n pixels that show a polygon, and what their materials are drawn from."""

    colour: np.ndarray  # float32 [3, n]
    glow: np.ndarray  # float32 [n]
    polygon: np.ndarray  # int64 [n]
    material: np.ndarray  # uint8 [n]
    pattern: np.ndarray  # float32 [4, P]
    u: np.ndarray  # float32 [n], metres along the surface, level
    v: np.ndarray  # float32 [n], metres above ground, or on a floor metres ahead
    detail: np.ndarray  # float32 [n] in 0..1, how much fine texture a pixel can show


def find_surfaces(street: Street, layout: SceneLayout, raster: Raster, view: View) -> Surfaces:
    """Colour every pixel but the sky."""
    polygons, ids = layout.polygons, raster.ids
    normal = _world_normals(polygons, view)
    surfaces = Surfaces(
        label=_spread(polygons.label, ids, np.uint8, (Label.SKY, Label.ROAD, Label.VOID)),
        instance=_spread(polygons.instance, ids, np.uint16, (0, 0, 0)),
        colour=_spread(polygons.colour, ids, np.float32, (0.5, 0.5, 0.07)),
        light=_spread(_daylight(polygons, normal, street.light), ids, np.float32, (1, 1, 1)),
        glow=_spread(polygons.glow, ids, np.float32, (0, 0, 0)),
        up=_spread(normal[:, 1], ids, np.float32, (0, 1, 1)),
        road=np.zeros(ids.shape, dtype=bool),
    )
    detail = np.clip(np.float32(view.focal / 45) / raster.depth, 0, 1)
    _weave(surfaces, polygons, normal, raster, detail)
    surfaces.light[...] *= 0.72 + 0.28 * np.clip(raster.y, 0, 1)
    _shade_floor(surfaces, layout, raster, view)
    _ground(surfaces, street, layout, raster, view, detail)
    _hood(surfaces, ids, street.light)
    return surfaces


def sky_colour(light: Light, raster: Raster, at: np.ndarray) -> np.ndarray:
    """Return the sky with its clouds, float32 [3, n], at pixels given as bool [H, W]."""
    rise = np.clip(raster.rise[at], 0, 1)
    columns = np.linspace(-1, 1, at.shape[1], dtype=np.float32)[np.nonzero(at)[1]]
    far = 1 / (rise + np.float32(0.12))
    seed = np.float32(light.direction[0] * 97 + 300)
    clouds = noise(columns * far * 26 + seed, far * 34 + 7)
    if light.overcast:
        high, cover = (0.62, 0.65, 0.7), 0.12 * clouds
    else:
        high = (0.3, 0.5, 0.8)
        cover = np.clip(clouds - np.float32(light.ambient[0] * 1.1 - 0.35), 0, 0.6)
    share = np.clip(rise * np.float32(2.2), 0, 1)
    low = horizon_colour(light)[:, None]
    base = low + (np.array(high, dtype=np.float32)[:, None] - low) * share
    return np.asarray(base + (np.float32(0.95) - base) * cover, dtype=np.float32)


def horizon_colour(light: Light) -> np.ndarray:
    """Return the sky at the horizon, which is also the colour of haze, float32 [3]."""
    warm = 1 - light.direction[1]
    clear = (0.86 + 0.1 * warm, 0.87, 0.9 - 0.16 * warm)
    return np.array((0.82, 0.83, 0.85) if light.overcast else clear, dtype=np.float32)


def _spread(
    values: np.ndarray, ids: np.ndarray, dtype: type, fixed: tuple[float, float, float]
) -> np.ndarray:
    """Give every pixel the value of its polygon, or that of sky, ground or hood.

    Colours, [P, 3], become planes, [3, H, W]: NumPy is several times faster on those.
    """
    table = np.zeros((len(values) + FIRST, *values.shape[1:]), dtype=dtype)
    for index, value in zip((SKY, GROUND, HOOD), fixed, strict=True):
        table[index] = value
    table[FIRST:] = values
    return np.take(np.ascontiguousarray(table.T), ids, axis=-1, mode="clip")


def _weave(
    surfaces: Surfaces,
    polygons: Polygons,
    normal: np.ndarray,
    raster: Raster,
    detail: np.ndarray,
) -> None:
    """Give the polygons' pixels the texture of their materials, in place."""
    at = np.flatnonzero(raster.ids >= FIRST)
    polygon = raster.ids.ravel()[at] - FIRST
    along = np.ascontiguousarray(normal.T, dtype=np.float32)
    x, y, z = (plane.ravel()[at] for plane in (raster.x, raster.y, raster.z))
    level = polygons.material[polygon] == Material.FLOORING
    fabric = _Fabric(
        colour=surfaces.colour.reshape(3, -1)[:, at],
        glow=surfaces.glow.ravel()[at],
        polygon=polygon,
        material=polygons.material[polygon],
        pattern=np.ascontiguousarray(polygons.pattern.T),
        u=np.where(level, x, x * np.take(along[2], polygon) + z * np.take(-along[0], polygon)),
        v=np.where(level, z, y),
        detail=detail.ravel()[at],
    )
    _vary(fabric)
    _windows(fabric)
    _pickets(fabric)
    _boards(fabric)
    surfaces.colour.reshape(3, -1)[:, at] = fabric.colour
    surfaces.glow.reshape(-1)[at] = fabric.glow


def _world_normals(polygons: Polygons, view: View) -> np.ndarray:
    """Return float64 [P, 3] unit normals, turned to the camera."""
    first = polygons.start[:-1]
    origin = polygons.vertices[first]
    a, b = polygons.vertices[first + 1] - origin, polygons.vertices[first + 2] - origin
    normal = np.cross(a, b)
    length = np.sqrt((normal * normal).sum(axis=1))
    normal /= np.maximum(length, 1e-12)[:, None]
    to_camera = np.array([0.0, view.height, 0.0]) - origin
    facing = (normal * to_camera).sum(axis=1)
    return np.asarray(normal * np.where(facing < 0, -1.0, 1.0)[:, None])


def _daylight(polygons: Polygons, normal: np.ndarray, light: Light) -> np.ndarray:
    """Return float64 [P, 3] of light by the way a surface faces."""
    direction = np.array(light.direction)
    lambert = np.clip((normal * direction).sum(axis=1), 0, 1)
    soft = np.isin(polygons.material, (Material.FOLIAGE, Material.CLOTH))
    lambert = np.where(soft, 0.35 + 0.5 * lambert, lambert)
    from_sky = 0.86 + 0.3 * normal[:, 1]
    sun, ambient = np.array(light.sun), np.array(light.ambient)
    return np.asarray(lambert[:, None] * sun + from_sky[:, None] * ambient)


def _ground(
    surfaces: Surfaces,
    street: Street,
    layout: SceneLayout,
    raster: Raster,
    view: View,
    detail: np.ndarray,
) -> None:
    """Colour the ground and lay shadows on it, in place."""
    at = raster.ids == GROUND
    ground = paint_ground(street, raster.x[at], raster.z[at], detail[at])
    surfaces.label[at], surfaces.colour[:, at] = ground.label, ground.colour
    surfaces.road[at] = ground.road
    light = street.light
    arrives = np.full(at.shape, light.direction[1], dtype=np.float32)
    if not light.overcast:
        arrives[paint_shadows(layout.shadows, view) > 0] *= np.float32(0.06)
    contact = paint_shadows(layout.contacts, view)[at] > 0
    below = np.where(contact, np.float32(0.5), np.float32(1))
    ambient = np.array(light.ambient, dtype=np.float32)[:, None] * np.float32(1.1)
    sun = np.array(light.sun, dtype=np.float32)[:, None]
    surfaces.light[:, at] = (ambient + sun * arrives[at]) * below


def _shade_floor(surfaces: Surfaces, layout: SceneLayout, raster: Raster, view: View) -> None:
    """Darken a room's floor below what stands on it, in place; streets have none."""
    floor = np.zeros(len(layout.polygons.material) + FIRST, dtype=bool)
    floor[FIRST:] = layout.polygons.material == Material.FLOORING
    if floor.any():
        below = floor[raster.ids] & (paint_shadows(layout.contacts, view) > 0)
        surfaces.light[:, below] *= np.float32(0.55)


def _vary(fabric: _Fabric) -> None:
    """Multiply noise onto the colours, in place."""
    table = np.array([_ROUGHNESS[kind] for kind in Material], dtype=np.float32)
    strength, scale = table.T[:, fabric.material]
    seed = (((fabric.polygon + FIRST) & 63) * 37).astype(np.float32)
    fade = np.float32(0.3) + np.float32(0.7) * fabric.detail
    grain = noise(fabric.u * scale + seed, fabric.v * scale + seed)
    fabric.colour[...] *= 1 + strength * fade * grain


def _windows(fabric: _Fabric) -> None:
    """Cut windows and shop fronts into facades, in place."""
    at = np.flatnonzero(fabric.material == Material.FACADE)
    polygon = fabric.polygon[at]
    spacing, floor, shop, seed = np.take(fabric.pattern, polygon, axis=1)
    u, v, near = fabric.u[at] + seed, fabric.v[at], fabric.detail[at]
    above = v - np.where(shop > 0, shop, np.float32(0.55))
    column, row = np.floor(u / spacing), np.floor(above / floor)
    across, upwards = np.abs(u / spacing - column - 0.5), np.abs(above / floor - row - 0.51)
    wide = np.float32(0.2) + np.take(fabric.pattern[3] % 7, polygon) * np.float32(0.018)
    upstairs = above > 0
    window = (across < wide) & (upwards < 0.27) & upstairs
    frame = (across < wide + 0.05) & (upwards < 0.33) & upstairs & ~window
    bay = np.floor(u / (spacing * 2))
    within = np.abs(u / (spacing * 2) - bay - 0.5)
    pane = (v < shop - 0.9) & (v > 0.35) & (within < 0.43)
    board = (v > shop - 0.75) & (v < shop - 0.2)
    chance, tint = scatter(column + np.floor(seed), row), scatter(bay, seed)
    base = fabric.colour[:, at] * np.where(frame, np.float32(1.22), np.float32(1))
    glass = np.array([0.2, 0.24, 0.29], dtype=np.float32)[:, None]
    panes = glass * (0.55 + 1.1 * chance + 0.25 * noise(u * 5, v * 5))
    shows = np.where(window | pane, 0.45 + 0.55 * near, 0).astype(np.float32)
    base = base * (1 - shows) + panes * shows
    sign = np.stack([0.25 + 0.5 * tint, 0.6 - 0.4 * tint, 0.2 + 0.4 * fraction(tint * 7)])
    fabric.colour[:, at] = np.where(board, sign, base)
    lit = (window & (chance > 0.62)) | (pane & (tint > 0.4)) | (board & (tint > 0.3))
    fabric.glow[at] = np.where(lit, 0.9 + chance, 0)


def _pickets(fabric: _Fabric) -> None:
    """Darken what is seen between the boards of a fence, in place."""
    at = np.flatnonzero(fabric.material == Material.PICKETS)
    between = fraction(fabric.u[at] / fabric.pattern[0, fabric.polygon[at]]) > 0.6
    share = (between * (0.22 + 0.33 * fabric.detail[at])).astype(np.float32)
    behind = np.array([0.2, 0.24, 0.16], dtype=np.float32)[:, None]
    fabric.colour[:, at] = fabric.colour[:, at] * (1 - share) + behind * share


def _boards(fabric: _Fabric) -> None:
    """Lay boards or tiles of a width and a length, each with its own tone, in place."""
    at = np.flatnonzero(fabric.material == Material.FLOORING)
    width, length, joint, contrast = np.take(fabric.pattern, fabric.polygon[at], axis=1)
    column = np.floor(fabric.u[at] / width)
    ahead = fabric.v[at] / length + scatter(column, column) * joint
    row = np.floor(ahead)
    edge = (fraction(fabric.u[at] / width) < 0.05) | (fraction(ahead) < 0.02)
    tone = contrast * (scatter(column, row) - np.float32(0.5)) - np.float32(0.2) * edge
    fabric.colour[:, at] *= 1 + tone * fabric.detail[at]


def _hood(surfaces: Surfaces, ids: np.ndarray, day: Light) -> None:
    """Shade the own vehicle: dark paint that mirrors some sky, in place."""
    rows = np.linspace(0, 1, ids.shape[0], dtype=np.float32)[:, None]
    at = ids == HOOD
    surfaces.colour[:, at] = np.broadcast_to(0.16 + 0.3 * (1 - rows), ids.shape)[at]
    surfaces.light[:, at] = np.array(day.ambient, dtype=np.float32)[:, None] * np.float32(1.6)
