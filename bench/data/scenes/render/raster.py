"""Which polygon each pixel shows, and how far away it is there."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bench.data.scenes.render.mesh import Material, Polygons
from bench.data.scenes.render.texture import noise
from bench.data.scenes.street import Camera

NEAR = 0.4
"""Metres in front of the camera at which polygons are cut."""

FAR = 2000.0
"""Metres up to which the ground is drawn; beyond it is sky."""

SKY, GROUND, HOOD, FIRST = 0, 1, 2, 3
"""Pixel ids; polygon p has FIRST + p."""

_SHIFT = 4  # fractional bits of a corner's pixel coordinates


class View(NamedTuple):
    """A camera with an image plane."""

    axes: np.ndarray  # float64 [3, 3], rows: right, up and ahead in the world
    height: float  # metres above ground
    focal: float  # pixels
    rows: int
    columns: int


class Raster(NamedTuple):
    """What is seen at each pixel of [H, W]."""

    ids: np.ndarray  # int64, SKY, GROUND, HOOD or FIRST + polygon
    depth: np.ndarray  # float32 metres along the optical axis, inf in the sky
    x: np.ndarray  # float32 metres, place in the world; 0 in the sky
    y: np.ndarray
    z: np.ndarray
    rise: np.ndarray  # float32, sine of the viewing ray's elevation, roughly


def make_view(camera: Camera, rows: int, columns: int) -> View:
    """Give a camera an image plane of a size in pixels."""
    ahead = np.array(
        [
            math.sin(camera.yaw) * math.cos(camera.pitch),
            -math.sin(camera.pitch),
            math.cos(camera.yaw) * math.cos(camera.pitch),
        ]
    )
    level = np.array([math.cos(camera.yaw), 0.0, -math.sin(camera.yaw)])
    up = np.cross(ahead, level)
    right = math.cos(camera.roll) * level + math.sin(camera.roll) * up
    upright = math.cos(camera.roll) * up - math.sin(camera.roll) * level
    focal = columns / 2 / math.tan(camera.field / 2)
    return View(np.stack([right, upright, ahead]), camera.height, focal, rows, columns)


def rasterise(polygons: Polygons, view: View, hood: float) -> Raster:
    """Paint polygon ids far to near, and find depth and place of every pixel."""
    x, y = _image_plane(view)
    ids = np.zeros((view.rows, view.columns), dtype=np.int32)
    # The ground is y = 0, seen where the inverse depth of that plane is positive.
    ground = -view.axes[:, 1] / view.height
    ids[ground[0] * x + ground[1] * y + ground[2] > 1 / FAR] = GROUND
    seen = to_camera(polygons.vertices, view)
    _paint(ids, polygons, seen, view)
    ids = _ruffle(ids.astype(np.int64), polygons)
    if hood:
        _paint_hood(ids, hood)
    planes = _inverse_depth_planes(polygons, seen, ground)
    depth, place = _unproject(ids, planes, x, y, view)
    rise = view.axes[0, 1] * x + view.axes[1, 1] * y + view.axes[2, 1]
    return Raster(ids, depth, *place, rise.astype(np.float32))


def to_camera(points: np.ndarray, view: View) -> np.ndarray:
    """Turn world points float64 [V, 3] into camera coordinates: right, up, ahead."""
    x, y, z = points.T
    y = y - view.height
    # Written out: a matrix product may round differently on another machine.
    return np.stack([a[0] * x + a[1] * y + a[2] * z for a in view.axes], axis=1)


def paint_shadows(polygons: list[np.ndarray], view: View) -> np.ndarray:
    """Mark ground polygons, float64 [n, 3] each in the world, on uint8 [H, W]."""
    mask = np.zeros((view.rows, view.columns), dtype=np.uint8)
    if polygons:
        start = np.cumsum([0, *map(len, polygons)])
        shown = np.ones(len(polygons), dtype=bool)
        _fill(mask, to_camera(np.concatenate(polygons), view), start, shown, view, lambda _: 1)
    return mask


def _image_plane(view: View) -> tuple[np.ndarray, np.ndarray]:
    """Return the ray of each pixel centre as (x [1, W], y [H, 1]) at depth one, y up."""
    columns: np.ndarray = (np.arange(view.columns) - (view.columns - 1) / 2) / view.focal
    rows: np.ndarray = ((view.rows - 1) / 2 - np.arange(view.rows)) / view.focal
    return columns.astype(np.float32)[None, :], rows.astype(np.float32)[:, None]


def _to_pixels(points: np.ndarray, view: View) -> np.ndarray:
    """Project camera points before the near plane to int32 [n, 2] in 1/16 pixels."""
    scale = view.focal / points[:, 2]
    column = (view.columns - 1) / 2 + points[:, 0] * scale
    row = (view.rows - 1) / 2 - points[:, 1] * scale
    limit = 8 * max(view.rows, view.columns)
    pixels = np.stack([column, row], axis=1).clip(-limit, limit)
    return np.asarray(np.rint(pixels * (1 << _SHIFT)), dtype=np.int32)


def _clip_near(points: np.ndarray) -> np.ndarray:
    """Cut a polygon in camera coordinates at the near plane (Sutherland and Hodgman)."""
    if (points[:, 2] >= NEAR).all():
        return points
    kept: list[np.ndarray] = []
    for start, end in zip(points, np.roll(points, -1, axis=0), strict=True):
        if start[2] >= NEAR:
            kept.append(start)
        if (start[2] >= NEAR) != (end[2] >= NEAR):
            kept.append(start + (end - start) * ((NEAR - start[2]) / (end[2] - start[2])))
    return np.array(kept).reshape(-1, 3)


def _paint(ids: np.ndarray, polygons: Polygons, seen: np.ndarray, view: View) -> None:
    """Write the ids of polygons into a picture, each over those before it."""
    _, offset = _planes(polygons, seen)
    shown = ~(polygons.solid & (offset >= 0))
    _fill(ids, seen, polygons.start, shown, view, lambda polygon: polygon + FIRST)


def _fill(
    picture: np.ndarray,
    seen: np.ndarray,
    start: np.ndarray,
    shown: np.ndarray,
    view: View,
    value: Callable[[int], int],
) -> None:
    """Fill those of the polygons that are shown and in view, in order.

    Args:
        picture: int32 or uint8 [H, W], changed in place.
        seen: float64 [V, 3], corners in camera coordinates.
        start: int64 [P + 1], first corner of each polygon.
        shown: bool [P].
        view: the image plane.
        value: what to write for polygon p.
    """
    import cv2

    first = start[:-1]
    cut = np.minimum.reduceat(seen[:, 2], first) < NEAR
    ahead = np.maximum.reduceat(seen[:, 2], first) > NEAR
    safe = seen.copy()
    safe[:, 2] = np.maximum(safe[:, 2], NEAR)
    pixels = _to_pixels(safe, view)
    low = np.minimum.reduceat(pixels, first, axis=0) >> _SHIFT
    high = np.maximum.reduceat(pixels, first, axis=0) >> _SHIFT
    outside = (high < 0).any(axis=1) | (low >= (view.columns, view.rows)).any(axis=1)
    for polygon in np.flatnonzero(shown & ahead & (cut | ~outside)).tolist():
        part = slice(start[polygon], start[polygon + 1])
        outline = _to_pixels(_clip_near(seen[part]), view) if cut[polygon] else pixels[part]
        cv2.fillPoly(picture, [outline], value(polygon), cv2.LINE_8, _SHIFT)


def _ruffle(ids: np.ndarray, polygons: Polygons) -> np.ndarray:
    """Make leaves ragged where they meet sky, houses or other leaves, by moving pixels about."""
    leafy = np.zeros(len(polygons.label) + FIRST, dtype=bool)
    leafy[FIRST:] = polygons.material == Material.FOLIAGE
    loose = leafy.copy()
    loose[SKY] = True
    loose[FIRST:] |= polygons.material == Material.FACADE
    rows, columns = ids.shape
    scale = np.float32(192 / rows)
    x = np.arange(columns, dtype=np.float32)[None, :] * scale
    y = np.arange(rows, dtype=np.float32)[:, None] * scale
    reach = np.float32(2.4 / scale)
    right = np.rint(noise(x * 7.3, y * 11.9) * reach).astype(np.int64)
    down = np.rint(noise(x * 11.3 + 131, y * 6.7 + 57) * reach).astype(np.int64)
    column = np.clip(np.arange(columns)[None, :] + right, 0, columns - 1)
    row = np.clip(np.arange(rows)[:, None] + down, 0, rows - 1)
    moved = np.take(ids, row * columns + column, mode="clip")
    change = (leafy[ids] | leafy[moved]) & loose[ids] & loose[moved]
    return np.where(change, moved, ids)


def _paint_hood(ids: np.ndarray, share: float) -> None:
    """Cover the lower edge by the own vehicle, a flat arc."""
    rows, columns = ids.shape
    across = (np.arange(columns) + 0.5) / columns * 2 - 1
    top = rows * (1 - share * (1 - 0.55 * across**2))
    ids[np.arange(rows)[:, None] >= top[None, :]] = HOOD


def _planes(polygons: Polygons, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each polygon's normal [P, 3] and its offset n.p [P], camera at the origin."""
    first = polygons.start[:-1]
    origin = seen[first]
    normal = np.cross(seen[first + 1] - origin, seen[first + 2] - origin)
    return normal, (normal * origin).sum(axis=1)


def _inverse_depth_planes(polygons: Polygons, seen: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """Return float32 [P + FIRST, 5]: 1/depth = a x + b y + c, and its least and largest value.

    On a plane n.p = d, 1/depth is n.(x, y, 1) / d; seen from its edge d is zero, and the
    bounds keep the value within what the corners have.
    """
    normal, offset = _planes(polygons, seen)
    inverse = 1 / np.maximum(seen[:, 2], NEAR)
    first = polygons.start[:-1]
    edge_on = np.abs(offset) < 1e-9
    slopes = normal / np.where(edge_on, 1.0, offset)[:, None]
    table = np.zeros((len(first) + FIRST, 5), dtype=np.float32)
    table[SKY] = (0, 0, 0, 1 / FAR, 1 / FAR)
    table[GROUND] = (*ground, 1 / FAR, 1 / NEAR)
    table[HOOD] = (0, 0, 0, 1.0, 1.0)
    table[FIRST:, :3] = np.where(edge_on[:, None], 0.0, slopes)
    table[FIRST:, 3] = np.minimum.reduceat(inverse, first)
    table[FIRST:, 4] = np.maximum.reduceat(inverse, first)
    return table


def _unproject(
    ids: np.ndarray, planes: np.ndarray, x: np.ndarray, y: np.ndarray, view: View
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    a, b, c, low, high = (np.take(column, ids, mode="clip") for column in planes.T.copy())
    depth = 1 / np.clip(a * x + b * y + c, low, high)
    sky = ids == SKY
    axes = view.axes.astype(np.float32)
    place = []
    for axis in range(3):
        ray = axes[0, axis] * x + axes[1, axis] * y + axes[2, axis]
        place.append(np.where(sky, np.float32(0), ray * depth))
    place[1] += np.float32(view.height)
    return np.where(sky, np.float32(np.inf), depth), (place[0], place[1], place[2])
