"""Colours of CAM-Seg's maskiges."""

from __future__ import annotations

import torch
from torch import Tensor

from bench import DataSpec
from methods._nn.palettes import maximin
from methods.cam_seg.config import Config

RELEASED = (
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
    (0, 130, 180),
    (220, 20, 60),
    (255, 0, 0),
    (0, 0, 142),
    (0, 0, 70),
    (0, 60, 100),
    (0, 80, 100),
    (0, 0, 230),
    (119, 11, 32),
)
"""Cityscapes' colours by training id, but for the sky, which is (70, 130, 180) there
(mahmed10/CAMSS data/base_dataset.py)."""
VOID = (0, 0, 0)


def colours(config: Config, data: DataSpec) -> Tensor:
    """Return the palette, float32 [K + 1, 3] in [-1, 1], void's colour last.

    Raises:
        ValueError: the released colouring with other than 19 classes, or a class that has
            the colour of void while void is painted.
    """
    if config.colouring == "released":
        if data.num_classes != len(RELEASED):
            raise ValueError(
                f"colouring 'released' has {len(RELEASED)} colours, the data have "
                f"{data.num_classes} classes; 'dataset' and 'maximin' fit any number"
            )
        classes = list(RELEASED)
    elif config.colouring == "dataset":
        classes = list(data.palette)
    else:
        # The first is black, where its farthest-point insertion starts: void's.
        classes = [(int(r), int(g), int(b)) for r, g, b in maximin(data.num_classes + 1)[1:]]
    if config.void == "paint" and VOID in classes:
        name = data.classes[classes.index(VOID)]
        raise ValueError(
            f"class {name!r} is black, as void is; colouring 'maximin' keeps them apart"
        )
    return torch.tensor([*classes, VOID], dtype=torch.float32) / 127.5 - 1
