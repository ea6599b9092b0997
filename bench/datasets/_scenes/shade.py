"""Colours of what the raster found: materials, daylight, shadows and sky."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bench.datasets._scenes.classes import Label
from bench.datasets._scenes.ground import paint_ground
from bench.datasets._scenes.layout import Layout
from bench.datasets._scenes.mesh import Material, Polygons
from bench.datasets._scenes.raster import FIRST, GROUND, HOOD, SKY, Raster, View, paint_shadows
from bench.datasets._scenes.street import Light, Street
from bench.datasets._scenes.texture import noise, scatter

_ROUGHNESS = {
    Material.PLAIN: (0.05, 8),
    Material.PAINT: (0.09, 2),
    Material.CLOTH: (0.2, 24),
    Material.FOLIAGE: (0.62, 15),
    Material.MASONRY: (0.16, 14),
    Material.FACADE: (0.1, 5),
    Material.PICKETS: (0.14, 9),
    Material.GLASS: (0.5, 3),
}
"""Of each material: strength of its noise, and texels a metre."""


class Surfaces(NamedTuple):
    """Everything at the pixels [H, W] before light and air."""

    label: np.ndarray  # uint8
    instance: np.ndarray  # uint16
    colour: np.ndarray  # float32 [H, W, 3], albedo
    light: np.ndarray  # float32 [H, W, 3], daylight that arrives
    glow: np.ndarray  # float32, own light at night, in parts of the colour
    up: np.ndarray  # float32, upward part of the normal
    road: np.ndarray  # bool


def find_surfaces(street: Street, layout: Layout, raster: Raster, view: View) -> Surfaces:
    """Colour every pixel but the sky."""
    polygons, ids = layout.polygons, raster.ids
    normal = _world_normals(polygons, view)
    count = len(polygons.label)
    label = _per_id(polygons.label, np.uint8, (Label.SKY, Label.ROAD, Label.VOID))[ids]
    instance = _per_id(polygons.instance, np.uint16, (0, 0, 0))[ids]
    colour = _per_id(polygons.colour, np.float32, (0.5, 0.5, 0.07))[ids]
    glow = _per_id(polygons.glow, np.float32, (0, 0, 0))[ids]
    up = _per_id(normal[:, 1], np.float32, (0, 1, 1))[ids]
    light = _daylight(polygons, normal, street.light)[ids]
    detail = np.clip(np.float32(view.focal / 45) / raster.depth, 0, 1)
    materials = np.zeros(count + FIRST, dtype=np.uint8)
    materials[FIRST:] = polygons.material
    material = materials[ids]
    tangent = np.zeros((count + FIRST, 2), dtype=np.float32)
    tangent[FIRST:, 0], tangent[FIRST:, 1] = normal[:, 2], -normal[:, 0]
    along = tangent[ids]
    u = raster.x * along[..., 0] + raster.z * along[..., 1]
    _vary(colour, material, ids, u, raster.y, detail)
    _windows(polygons, colour, glow, material, ids, u, raster.y, detail)
    _pickets(polygons, colour, material, ids, u, detail)
    light *= (0.72 + 0.28 * np.clip(raster.y, 0, 1))[..., None]
    on_ground = ids == GROUND
    ground = paint_ground(street, raster.x[on_ground], raster.z[on_ground], detail[on_ground])
    label[on_ground], colour[on_ground] = ground.label, ground.colour
    light[on_ground] = _ground_light(street.light, layout, view)[on_ground]
    road = np.zeros(ids.shape, dtype=bool)
    road[on_ground] = ground.road
    _hood(colour, light, ids, street.light)
    return Surfaces(label, instance, colour, light, glow, up, road)


def sky_colour(light: Light, raster: Raster) -> np.ndarray:
    """Return float32 [H, W, 3] of the sky, also where it is hidden."""
    rise = np.clip(raster.rise, 0, 1)
    columns = np.linspace(-1, 1, raster.ids.shape[1], dtype=np.float32)[None, :]
    far = 1 / (rise + np.float32(0.12))
    seed = np.float32(light.direction[0] * 97 + 300)
    clouds = noise(columns * far * 26 + seed, far * 34 + 7)
    warm = 1 - light.direction[1]
    if light.overcast:
        low, high = np.array([0.82, 0.83, 0.85]), np.array([0.62, 0.65, 0.7])
        cover = 0.12 * clouds
    else:
        low = np.array([0.86 + 0.1 * warm, 0.87, 0.9 - 0.16 * warm])
        high = np.array([0.3, 0.5, 0.8])
        cover = np.clip(clouds - light.ambient[0] * 1.1 + 0.35, 0, 0.6)
    share = np.clip(rise * 2.2, 0, 1)[..., None]
    base = low.astype(np.float32) * (1 - share) + high.astype(np.float32) * share
    return np.asarray(base + (0.95 - base) * cover[..., None], dtype=np.float32)


def _per_id(values: np.ndarray, dtype: type, fixed: tuple[float, float, float]) -> np.ndarray:
    """Prepend the values of sky, ground and hood to those of the polygons."""
    table = np.zeros((len(values) + FIRST, *values.shape[1:]), dtype=dtype)
    for index, value in zip((SKY, GROUND, HOOD), fixed, strict=True):
        table[index] = value
    table[FIRST:] = values
    return table


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
    """Return float32 [P + FIRST, 3] of light by the way a surface faces."""
    direction = np.array(light.direction)
    lambert = np.clip((normal * direction).sum(axis=1), 0, 1)
    soft = np.isin(polygons.material, (Material.FOLIAGE, Material.CLOTH))
    lambert = np.where(soft, 0.35 + 0.5 * lambert, lambert)
    from_sky = 0.86 + 0.3 * normal[:, 1]
    table = np.ones((len(lambert) + FIRST, 3), dtype=np.float32)
    table[FIRST:] = lambert[:, None] * np.array(light.sun)
    table[FIRST:] += from_sky[:, None] * np.array(light.ambient)
    return table


def _ground_light(light: Light, layout: Layout, view: View) -> np.ndarray:
    sun = np.array(light.sun, dtype=np.float32) * np.float32(light.direction[1])
    ambient = np.array(light.ambient, dtype=np.float32) * np.float32(1.1)
    arrives = np.ones((view.rows, view.columns), dtype=np.float32)
    if not light.overcast:
        arrives[paint_shadows(layout.shadows, view) > 0] = 0.06
    below = np.where(paint_shadows(layout.contacts, view) > 0, np.float32(0.5), np.float32(1))
    return np.asarray((ambient + sun * arrives[..., None]) * below[..., None])


def _vary(
    colour: np.ndarray,
    material: np.ndarray,
    ids: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    detail: np.ndarray,
) -> None:
    """Multiply noise onto the colours, in place."""
    table = np.array([_ROUGHNESS[kind] for kind in Material], dtype=np.float32)
    strength, scale = table[material, 0], table[material, 1]
    seed = ((ids & 63) * 37).astype(np.float32)
    fade = np.float32(0.3) + np.float32(0.7) * detail
    colour *= (1 + strength * fade * noise(u * scale + seed, v * scale + seed))[..., None]


def _windows(
    polygons: Polygons,
    colour: np.ndarray,
    glow: np.ndarray,
    material: np.ndarray,
    ids: np.ndarray,
    u: np.ndarray,
    y: np.ndarray,
    detail: np.ndarray,
) -> None:
    """Cut windows, doors and shop fronts into facades, in place."""
    at = np.nonzero(material == Material.FACADE)
    spacing, floor, shop, seed = polygons.pattern[ids[at] - FIRST].T
    u, y, near = u[at] + seed, y[at], detail[at]
    above = y - np.where(shop > 0, shop, np.float32(0.55))
    column, row = u / spacing, above / floor
    fu, fv = column - np.floor(column), row - np.floor(row)
    column, row = np.floor(column), np.floor(row)
    wide = np.float32(0.2) + (seed % 7) * np.float32(0.018)
    window = (np.abs(fu - 0.5) < wide) & (np.abs(fv - 0.52) < 0.27) & (above > 0)
    frame = (np.abs(fu - 0.5) < wide + 0.05) & (np.abs(fv - 0.5) < 0.34) & (above > 0) & ~window
    ground = (y < shop) & (y > 0.35)
    shop_u = u / (spacing * 2)
    pane = ground & (np.abs(shop_u - np.floor(shop_u) - 0.5) < 0.43) & (y < shop - 0.9)
    board = ground & (y > shop - 0.75) & (y < shop - 0.2)
    chance = scatter(column + seed.astype(np.int32), row)
    base = colour[at]
    tone = np.ones_like(u)
    tone[frame] = 1.22
    base *= tone[:, None]
    glass = np.array([0.2, 0.24, 0.29], dtype=np.float32)
    panes = glass * (0.55 + 1.1 * chance + 0.25 * noise(u * 5, y * 5))[:, None]
    shows = np.where(window | pane, 0.45 + 0.55 * near, 0)[:, None].astype(np.float32)
    base = base * (1 - shows) + panes * shows
    tint = scatter(np.floor(shop_u), seed)
    sign = np.stack([0.25 + 0.5 * tint, 0.6 - 0.4 * tint, 0.2 + 0.4 * ((tint * 7) % 1)], axis=1)
    colour[at] = np.where(board[:, None], sign, base)
    lit = (window & (chance > 0.62)) | (pane & (tint > 0.4)) | (board & (tint > 0.3))
    glow[at] = np.where(lit, 0.9 + chance, 0)


def _pickets(
    polygons: Polygons,
    colour: np.ndarray,
    material: np.ndarray,
    ids: np.ndarray,
    u: np.ndarray,
    detail: np.ndarray,
) -> None:
    """Darken what is seen between the boards of a fence, in place."""
    at = np.nonzero(material == Material.PICKETS)
    period = polygons.pattern[ids[at] - FIRST, 0]
    position = u[at] / period
    between = position - np.floor(position) > 0.6
    depth = np.where(between, 0.55 * (0.4 + 0.6 * detail[at]), 0)[:, None].astype(np.float32)
    behind = np.array([0.2, 0.24, 0.16], dtype=np.float32)
    colour[at] = colour[at] * (1 - depth) + behind * depth


def _hood(colour: np.ndarray, light: np.ndarray, ids: np.ndarray, day: Light) -> None:
    """Shade the own vehicle: dark paint that mirrors some sky."""
    rows = np.linspace(0, 1, ids.shape[0], dtype=np.float32)[:, None]
    at = ids == HOOD
    shine = np.broadcast_to(0.16 + 0.3 * (1 - rows), ids.shape)[at]
    colour[at] = shine[:, None]
    light[at] = np.array(day.ambient, dtype=np.float32) * np.float32(1.6)
