"""A stand-in for depth where a dataset has none."""

from __future__ import annotations

import numpy as np

CAMERA_HEIGHT_M = 1.3
HALF_STREET_M = 10.0
FOCAL_LENGTH = 2.2
"""In image heights; Cityscapes' camera has about 2260 px at 1024."""
HORIZON = 0.45
"""As a fraction of the image height, from the top."""
FARTHEST_M = 300.0


def street_depth(height: int, width: int) -> np.ndarray:
    """Give the depth of an empty street canyon, float32 [H, W] in metres.

    A level pinhole camera in the middle of a flat road between two endless walls: a
    row meets the road at d = f h / (row - horizon), a column a wall at
    d = f w / |column - centre|, and the nearer counts, up to 300 m. What stands on the
    road, and the sky above low walls, get too much or too little fog.
    """
    below = np.arange(height)[:, None] + 0.5 - HORIZON * height  # px
    aside = np.abs(np.arange(width) + 0.5 - width / 2)
    road = FOCAL_LENGTH * height * CAMERA_HEIGHT_M / np.maximum(below, 1e-6)
    wall = FOCAL_LENGTH * height * HALF_STREET_M / np.maximum(aside, 1e-6)
    depth = np.minimum(np.minimum(road, wall), FARTHEST_M)
    return np.asarray(depth, np.float32)
