"""Cityscapes' label ids: the label space of most sets of street scenes.

Names, ids and colours: github.com/mcordts/cityscapesScripts,
``cityscapesscripts/helpers/labels.py``. Shares: from the published class weights of ERFNet
(github.com/Eromera/erfnet_pytorch, ``train/main.py``), weight = 1 / ln(1.10 + share) with
the share among all pixels of the training split.
"""

from __future__ import annotations

import math

from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import LabelSpace

_CLASSES = (  # name, label id, colour, ERFNet's weight
    ("road", 7, (128, 64, 128), 2.8149201869965),
    ("sidewalk", 8, (244, 35, 232), 6.9850029945374),
    ("building", 11, (70, 70, 70), 3.7890393733978),
    ("wall", 12, (102, 102, 156), 9.9428062438965),
    ("fence", 13, (190, 153, 153), 9.7702074050903),
    ("pole", 17, (153, 153, 153), 9.5110931396484),
    ("traffic light", 19, (250, 170, 30), 10.311357498169),
    ("traffic sign", 20, (220, 220, 0), 10.026463508606),
    ("vegetation", 21, (107, 142, 35), 4.6323022842407),
    ("terrain", 22, (152, 251, 152), 9.5608062744141),
    ("sky", 23, (70, 130, 180), 7.8698215484619),
    ("person", 24, (220, 20, 60), 9.5168733596802),
    ("rider", 25, (255, 0, 0), 10.373730659485),
    ("car", 26, (0, 0, 142), 6.6616044044495),
    ("truck", 27, (0, 0, 70), 10.260489463806),
    ("bus", 28, (0, 60, 100), 10.287888526917),
    ("train", 31, (0, 80, 100), 10.289801597595),
    ("motorcycle", 32, (0, 0, 230), 10.405355453491),
    ("bicycle", 33, (119, 11, 32), 10.138095855713),
)

_NUM_LABEL_IDS = 34
"""Label ids 0..33; license plates, -1, are never drawn."""

LABEL_IDS = {
    **dict.fromkeys(range(_NUM_LABEL_IDS), IGNORE_INDEX),
    **{label_id: index for index, (_, label_id, _, _) in enumerate(_CLASSES)},
}
CITYSCAPES_IDS = {name: label_id for name, label_id, _, _ in _CLASSES}
"""By class, the value in files of labels, and in what Cityscapes' server takes."""
TRAIN_IDS = {**{index: index for index in range(len(_CLASSES))}, 255: IGNORE_INDEX}

ENCODINGS = {"labelIds": LABEL_IDS, "labelTrainIds": TRAIN_IDS}

_SHARES = {name: math.exp(1 / weight) - 1.10 for name, _, _, weight in _CLASSES}
SHARES = {name: share / sum(_SHARES.values()) for name, share in _SHARES.items()}


_FIRST_THING = 24
"""Label id of the first human or vehicle: those, and no others, have instances."""
GROUP_BELOW = 1000
"""In ``instanceIds`` an object has its label id times this plus a number, and all else its label
id alone: stuff, and groups of things that were not told apart."""


def label_space(name: str) -> LabelSpace:
    """Return the 19 classes in the order of their train ids, under a name of the set's own."""
    return LabelSpace(
        name=name,
        classes=tuple(entry[0] for entry in _CLASSES),
        palette=tuple(entry[2] for entry in _CLASSES),
        things=tuple(entry[0] for entry in _CLASSES if entry[1] >= _FIRST_THING),
    )
