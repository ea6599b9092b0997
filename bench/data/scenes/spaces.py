"""The label spaces of the domains: of which drawn labels each class is made.

The street domains of weather have the 19 classes of Cityscapes. The six of the zero-shot
world differ in what they tell apart, as MSeg's six test sets do: ``wild`` has 19 classes,
``drive`` the 11 of CamVid, ``robot`` the seven categories of Cityscapes, ``office`` 13,
``objects`` 11 kinds of things before one background, as PASCAL VOC, and ``context`` 34.
What a class is made of is also said in ``bench/data/taxonomies/scenes.tsv``, in the universal
classes; a test keeps the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import LabelSpace
from bench.data.scenes.classes import CLASSES, PALETTE, Label

Triple = tuple[int, int, int]


class Domain(NamedTuple):
    """How the labels of a domain read."""

    space: LabelSpace
    table: np.ndarray  # uint8 [256], from a drawn label to a class or IGNORE_INDEX


_COUNTED = frozenset(label for label in Label if Label.PERSON <= label <= Label.BICYCLE)
"""Humans and vehicles: what is drawn with a number."""


def _domain(name: str, classes: Mapping[str, tuple[Triple, tuple[Label, ...]]]) -> Domain:
    palette = tuple(colour for colour, _ in classes.values())
    table = np.full(256, IGNORE_INDEX, dtype=np.uint8)
    for index, (_, labels) in enumerate(classes.values()):
        table[list(labels)] = index
    things = tuple(k for k, (_, labels) in classes.items() if set(labels) <= _COUNTED)
    space = LabelSpace(name=name, classes=tuple(classes), palette=palette, things=things)
    return Domain(space, table)


_RIDING = (Label.RIDER, Label.BICYCLE, Label.MOTORCYCLE)
_VEHICLES = (Label.CAR, Label.TRUCK, Label.BUS, Label.TRAIN)
_ROOMS: Mapping[str, tuple[Triple, tuple[Label, ...]]] = {
    "wall": ((174, 199, 232), (Label.WALL,)),
    "floor": ((152, 223, 138), (Label.FLOOR,)),
    "ceiling": ((78, 71, 183), (Label.CEILING,)),
    "window": ((197, 176, 213), (Label.WINDOW,)),
    "door": ((214, 39, 40), (Label.DOOR,)),
    "table": ((255, 152, 150), (Label.TABLE,)),
    "chair": ((188, 189, 34), (Label.CHAIR,)),
    "sofa": ((140, 86, 75), (Label.SOFA,)),
    "bed": ((255, 187, 120), (Label.BED,)),
    "bookshelf": ((148, 103, 189), (Label.BOOKSHELF,)),
    "cabinet": ((31, 119, 180), (Label.CABINET,)),
    "lamp": ((255, 235, 60), (Label.LAMP,)),
    "television": ((23, 190, 207), (Label.TELEVISION,)),
    "picture": ((196, 156, 148), (Label.PICTURE,)),
    "curtain": ((219, 219, 141), (Label.CURTAIN,)),
    "plant": ((44, 160, 44), (Label.PLANT,)),
    "rug": ((227, 119, 194), (Label.RUG,)),
    "person": ((220, 20, 60), (Label.PERSON,)),
}
_STREETS = {
    name: (colour, (Label(index),))
    for index, (name, colour) in enumerate(zip(CLASSES, PALETTE, strict=True))
}

CITYSCAPES = _domain("cityscapes-19", _STREETS)
HOME = _domain("scenes-home-18", _ROOMS)
DRIVE = _domain(
    "scenes-drive-11",
    {
        "sky": ((128, 128, 128), (Label.SKY,)),
        "building": ((128, 0, 0), (Label.BUILDING, Label.WALL)),
        "pole": ((192, 192, 128), (Label.POLE,)),
        "road": ((128, 64, 128), (Label.ROAD,)),
        "pavement": ((60, 40, 222), (Label.SIDEWALK,)),
        "tree": ((128, 128, 0), (Label.VEGETATION,)),
        "sign symbol": ((192, 128, 128), (Label.TRAFFIC_SIGN, Label.TRAFFIC_LIGHT)),
        "fence": ((64, 64, 128), (Label.FENCE,)),
        "car": ((64, 0, 128), _VEHICLES),
        "pedestrian": ((64, 64, 0), (Label.PERSON,)),
        "bicyclist": ((0, 128, 192), _RIDING),
    },
)
ROBOT = _domain(
    "scenes-robot-7",
    {
        "flat": ((128, 64, 128), (Label.ROAD, Label.SIDEWALK)),
        "construction": ((70, 70, 70), (Label.BUILDING, Label.WALL, Label.FENCE)),
        "object": ((220, 220, 0), (Label.POLE, Label.TRAFFIC_LIGHT, Label.TRAFFIC_SIGN)),
        "nature": ((107, 142, 35), (Label.VEGETATION, Label.TERRAIN)),
        "sky": ((70, 130, 180), (Label.SKY,)),
        "human": ((220, 20, 60), (Label.PERSON, Label.RIDER)),
        "vehicle": ((0, 0, 142), (*_VEHICLES, Label.BICYCLE, Label.MOTORCYCLE)),
    },
)
OFFICE = _domain(
    "scenes-office-13",
    {
        **{name: _ROOMS[name] for name in ("wall", "floor", "ceiling", "window", "door")},
        "desk": ((255, 152, 150), (Label.TABLE,)),
        "chair": _ROOMS["chair"],
        "storage": ((31, 119, 180), (Label.CABINET, Label.BOOKSHELF)),
        "screen": ((23, 190, 207), (Label.TELEVISION,)),
        "lamp": _ROOMS["lamp"],
        "decoration": ((44, 160, 44), (Label.PICTURE, Label.CURTAIN, Label.PLANT)),
        "person": _ROOMS["person"],
        "waste bin": ((100, 100, 100), (Label.CLUTTER,)),
    },
)
_THINGS: Mapping[str, tuple[Triple, tuple[Label, ...]]] = {
    "bicycle": ((0, 128, 0), (Label.BICYCLE,)),
    "bus": ((0, 128, 128), (Label.BUS,)),
    "car": ((128, 128, 128), (Label.CAR,)),
    "chair": ((192, 0, 0), (Label.CHAIR,)),
    "dining table": ((192, 128, 0), (Label.TABLE,)),
    "motorbike": ((64, 128, 128), (Label.MOTORCYCLE,)),
    "person": ((192, 128, 128), (Label.PERSON, Label.RIDER)),
    "potted plant": ((0, 64, 0), (Label.PLANT,)),
    "sofa": ((0, 192, 0), (Label.SOFA,)),
    "train": ((128, 192, 0), (Label.TRAIN,)),
    "tv monitor": ((0, 64, 128), (Label.TELEVISION,)),
}
_OF_THINGS = {label for _, labels in _THINGS.values() for label in labels}
OBJECTS = _domain(
    "scenes-objects-12",
    {
        "background": (
            (0, 0, 0),
            tuple(label for label in Label if label not in _OF_THINGS | {Label.VOID}),
        ),
        **_THINGS,
    },
)
CONTEXT = _domain(
    "scenes-context-34",
    {
        **{name: entry for name, entry in _STREETS.items() if name not in ("rider", "terrain")},
        "ground": ((152, 251, 152), (Label.TERRAIN,)),
        "person": ((220, 20, 60), (Label.PERSON, Label.RIDER)),
        **{
            name: _ROOMS[name]
            for name in _ROOMS
            if name not in ("wall", "person", "bed", "plant", "rug", "lamp")
        },
        "potted plant": _ROOMS["plant"],
        "light": _ROOMS["lamp"],
        "bedclothes": ((255, 187, 120), (Label.BED, Label.RUG)),
        "other furniture": ((250, 170, 160), (Label.CLUTTER,)),
    },
)

DOMAINS: Mapping[str, Domain] = {
    **dict.fromkeys(("city", "fog", "rain", "snow", "night", "low_camera"), CITYSCAPES),
    "home": HOME,
    "wild": CITYSCAPES,
    "drive": DRIVE,
    "robot": ROBOT,
    "office": OFFICE,
    "objects": OBJECTS,
    "context": CONTEXT,
}
