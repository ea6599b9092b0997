"""What is drawn: the 19 Cityscapes classes with their train ids, and what stands in rooms.

Order, names and colours of the first: github.com/mcordts/cityscapesScripts,
``cityscapesscripts/helpers/labels.py``. A domain's own label space is made of these in
``spaces``.
"""

from __future__ import annotations

from enum import IntEnum

from bench.core.schema import IGNORE_INDEX


class Label(IntEnum):
    """Train ids of Cityscapes, then further ids in an order of our own."""

    ROAD = 0
    SIDEWALK = 1
    BUILDING = 2
    WALL = 3
    FENCE = 4
    POLE = 5
    TRAFFIC_LIGHT = 6
    TRAFFIC_SIGN = 7
    VEGETATION = 8
    TERRAIN = 9
    SKY = 10
    PERSON = 11
    RIDER = 12
    CAR = 13
    TRUCK = 14
    BUS = 15
    TRAIN = 16
    MOTORCYCLE = 17
    BICYCLE = 18
    CLUTTER = 19
    FLOOR = 20
    CEILING = 21
    WINDOW = 22
    DOOR = 23
    TABLE = 24
    CHAIR = 25
    SOFA = 26
    BED = 27
    BOOKSHELF = 28
    CABINET = 29
    LAMP = 30
    TELEVISION = 31
    PICTURE = 32
    CURTAIN = 33
    PLANT = 34
    RUG = 35
    VOID = IGNORE_INDEX


PALETTE = (
    (128, 64, 128),
    (244, 35, 232),
    (70, 70, 70),
    (102, 102, 156),
    (190, 153, 153),
    (153, 153, 153),
    (250, 170, 30),
    (220, 220, 0),
    (107, 142, 35),
    (152, 251, 152),
    (70, 130, 180),
    (220, 20, 60),
    (255, 0, 0),
    (0, 0, 142),
    (0, 0, 70),
    (0, 60, 100),
    (0, 80, 100),
    (0, 0, 230),
    (119, 11, 32),
)

CLASSES = tuple(label.name.lower().replace("_", " ") for label in Label if label <= Label.BICYCLE)

THINGS = frozenset(range(Label.PERSON, Label.BICYCLE + 1))
"""Classes whose objects are counted."""
