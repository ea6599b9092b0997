"""The ground: its zones across the street, their textures and the marks on the road."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bench.core.seeding import key, numpy_generator
from bench.data.scenes.classes import Label
from bench.data.scenes.render.texture import fraction, noise, scatter
from bench.data.scenes.street import Street


class Ground(NamedTuple):
    """The ground at n pixels."""

    label: np.ndarray  # uint8 [n]
    colour: np.ndarray  # float32 [3, n]
    road: np.ndarray  # bool [n]


class _Zones(NamedTuple):
    """Strips along the street from left to right; bounds lie between them."""

    bounds: np.ndarray  # float32 [10]
    labels: np.ndarray  # uint8 [11]
    colours: np.ndarray  # float32 [11, 3]


_ROAD_ZONE, _SIDEWALK_ZONES = 5, (2, 8)


def paint_ground(street: Street, x: np.ndarray, z: np.ndarray, detail: np.ndarray) -> Ground:
    """Find class and colour of ground points.

    Args:
        street: what the ground belongs to.
        x: float32 [n], metres.
        z: float32 [n], metres.
        detail: float32 [n] in 0..1, how much of fine texture a pixel can show.
    """
    rng = numpy_generator(key("scenes", street.seed, "ground"))
    zones = _zones(street, rng)
    q = x - np.float32(0.5 * street.bend) * z * z + np.float32(street.camera_q)
    zone = np.searchsorted(zones.bounds, q)
    crossing = _apply_crossing(street, q, z, zone)
    label = zones.labels[zone]
    road = label == Label.ROAD
    tone = _texture(zone, label, x, z, detail)
    tone += _road_wear(street, q, z, detail, rng) * road
    colour = np.take(np.ascontiguousarray(zones.colours.T), zone, axis=1) * (1 + tone)
    kerb = _kerb(street, q) & ~crossing
    colour[:, kerb] = np.float32(rng.uniform(0.5, 0.75))
    paint = _marks(street, q, z, rng) & road
    worn = noise(x * 9, z * 9) < rng.uniform(0.4, 0.95)
    paint &= worn | (detail < 0.3)
    white = np.float32(rng.uniform(0.68, 0.95))
    strength = (0.85 * paint).astype(np.float32)
    return Ground(label, colour * (1 - strength) + white * strength, road)


def _zones(street: Street, rng: np.random.Generator) -> _Zones:
    bounds, labels = [], []
    for side in (0, 1):
        beside = street.sides[side]
        edge = street.edge(side)
        outwards = [street.half_width, edge, edge + beside.verge]
        outwards += [outwards[-1] + beside.sidewalk, street.front(side)]
        soft = Label.SIDEWALK if beside.garden_paved else Label.TERRAIN
        beyond = Label.TERRAIN if beside.character != "urban" else soft
        kinds = [Label.ROAD, Label.TERRAIN, Label.SIDEWALK, soft, beyond]
        bounds.append([-b for b in outwards[::-1]] if side == 0 else outwards)
        labels.append(kinds[::-1] if side == 0 else kinds)
    all_labels = np.array([*labels[0], Label.ROAD, *labels[1]], dtype=np.uint8)
    grey, pale = rng.uniform(0.27, 0.5), rng.uniform(0.38, 0.66)
    warm, lush = rng.uniform(-0.03, 0.03), rng.uniform(0, 1)
    green = rng.uniform(0.28, 0.46)
    look = {
        Label.ROAD: (grey * (1 + warm), grey, grey * (1.02 - warm)),
        Label.SIDEWALK: (pale * (1.03 + warm), pale * (0.99 + warm / 2), pale * (0.94 - warm)),
        Label.TERRAIN: (green * (1.25 - 0.55 * lush), green, green * (0.7 - 0.2 * lush)),
    }
    colours = np.array([look[Label(int(label))] for label in all_labels], dtype=np.float32)
    for parking in (4, 6):
        colours[parking] *= rng.uniform(0.82, 1.15)
    flat = np.array([*bounds[0], *bounds[1]], dtype=np.float32)
    return _Zones(flat, all_labels, colours)


def _apply_crossing(street: Street, q: np.ndarray, z: np.ndarray, zone: np.ndarray) -> np.ndarray:
    """Lay the crossing street over the zones in place; return where it is."""
    gap = street.crossing
    if gap is None:
        return np.zeros(q.shape, dtype=bool)
    away = np.abs(z - np.float32(gap.z))
    inside = away < gap.half_width
    for side, sidewalk in enumerate(_SIDEWALK_ZONES):
        beyond = (q < -street.edge(0)) if side == 0 else (q > street.edge(1))
        zone[beyond & (away < gap.half_width + gap.sidewalk)] = sidewalk
    zone[inside] = _ROAD_ZONE
    return inside


def _texture(
    zone: np.ndarray, label: np.ndarray, x: np.ndarray, z: np.ndarray, detail: np.ndarray
) -> np.ndarray:
    """Return the relative brightness of the bare surface."""
    rough = np.array([0.1, 0.1, *[0.0] * 7, 0.34, *[0.0] * 246], dtype=np.float32)[label]
    tone = rough * (0.7 * noise(x * 11, z * 11) + 0.3) * (0.25 + 0.75 * detail)
    tone += 0.09 * noise(x * 1.3 + 40, z * 1.3)
    slabs = (label == Label.SIDEWALK) & (detail > 0.25)
    joint = (fraction(x * 1.6) < 0.07) | (fraction(z * 1.6) < 0.07)
    stone = scatter(np.floor(x * 1.6), np.floor(z * 1.6)) - 0.5
    tone = tone + slabs * detail * np.where(joint, np.float32(-0.22), 0.16 * stone)
    return np.asarray(tone, dtype=np.float32)


def _road_wear(
    street: Street, q: np.ndarray, z: np.ndarray, detail: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return brightness of wheel tracks, mended patches, cracks and manhole covers."""
    width = 2 * street.half_width / street.lanes
    in_lane = fraction((q + street.half_width) / width)
    tracks = np.minimum(np.abs(in_lane - 0.25), np.abs(in_lane - 0.75))
    tone: np.ndarray = np.where(tracks < 0.12, np.float32(rng.uniform(-0.12, 0.02)), np.float32(0))
    for _ in range(int(rng.integers(0, 5))):
        s, place = rng.uniform(4, 40), rng.uniform(-1, 1) * street.half_width
        patch = (np.abs(z - s) < rng.uniform(0.8, 6)) & (np.abs(q - place) < rng.uniform(0.4, 1.4))
        tone = tone + np.float32(rng.uniform(-0.2, 0.12)) * patch
    crack = np.abs(noise(q * 4 + 90, z * 4 + 30)) < 0.035
    tone = tone - 0.22 * crack * detail
    for _ in range(int(rng.integers(0, 3))):
        s, place = rng.uniform(4, 22), rng.uniform(-1, 1) * street.half_width
        tone = tone - 0.35 * ((z - s) ** 2 + (q - place) ** 2 < 0.14)
    return np.asarray(tone, dtype=np.float32)


def _kerb(street: Street, q: np.ndarray) -> np.ndarray:
    left, right = street.edge(0), street.edge(1)
    at_left, at_right = (q < -left) & (q > -left - 0.16), (q > right) & (q < right + 0.16)
    return np.asarray(at_left | at_right)


def _marks(street: Street, q: np.ndarray, z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return where the road is painted: lane lines, edge lines, zebra and stop line."""
    width = 2 * street.half_width / street.lanes
    painted = np.zeros(q.shape, dtype=bool)
    period, share = rng.uniform(4, 9), rng.uniform(0.4, 0.6)
    dashed = fraction(z / period) < share
    marked = rng.random() < 0.85
    for lane in range(1, street.lanes):
        line = np.abs(q + street.half_width - lane * width) < 0.075
        middle = lane == street.lanes // 2
        if marked:
            painted |= line & (dashed if not middle or rng.random() < 0.6 else True)
    if rng.random() < 0.45:
        painted |= np.abs(np.abs(q) - (street.half_width - 0.15)) < 0.065
    gap = street.crossing
    if gap is not None:
        before = gap.z - gap.half_width
        painted &= np.abs(z - gap.z) > gap.half_width
        if gap.zebra:
            for middle_line in (before - 2.2, gap.z + gap.half_width + 2.2):
                strip = (np.abs(z - middle_line) < 1.6) & (np.abs(q) < street.half_width)
                painted = np.where(strip, fraction(q) < 0.5, painted)
        painted |= (np.abs(z - before + 5.0) < 0.2) & (q > 0) & (q < street.half_width)
    return np.asarray(painted)
