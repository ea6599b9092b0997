"""A stand-in for depth where a dataset has none."""

from __future__ import annotations

import numpy as np

CAMERA_HEIGHT_M = 1.3
FOCAL_LENGTH = 2.2
"""In image heights; Cityscapes' camera has about 2260 px at 1024."""
HORIZON = 0.45
"""As a fraction of the image height, from the top."""
FARTHEST_M = 300.0


def ground_plane_depth(height: int, width: int) -> np.ndarray:
    """Give every row the distance at which it meets a flat road, float32 [H, W] metres.

    A pinhole camera that looks level from a car, d = f h / (y - horizon), at most 300 m;
    rows above the horizon are that far too. What stands up from the road is nearer in
    truth, so its fog is overdone, and the more the higher it reaches.
    """
    below = np.arange(height) + 0.5 - HORIZON * height  # px
    distance = FOCAL_LENGTH * height * CAMERA_HEIGHT_M / np.maximum(below, 1e-6)
    rows = np.minimum(distance, FARTHEST_M).astype(np.float32)
    return np.broadcast_to(rows[:, None], (height, width))
