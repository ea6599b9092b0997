"""Nearest of 150 colours at 512 x 512 pixels, as CAM-Seg's notebook scores labels."""

import numpy as np

from bench.score.geometry.camseg_notebook import nearest_colour
from tests.helpers.measuring import compare, peak_bytes

COLOURS, SIDE = 150, 512
MOST_MIB = 64


def test_nearest_of_150_colours(performance, light):
    draws = np.random.default_rng(0)
    table = draws.integers(0, 256, (COLOURS, 3)).astype(np.uint8)
    image = draws.integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)

    def broadcast():
        """All differences at once: [H, W, K, 3]."""
        difference = image[:, :, None].astype(np.float32) - table.astype(np.float32)
        return (difference**2).sum(axis=3).argmin(axis=2)

    def ours():
        return nearest_colour(image, table)

    assert (ours() == broadcast()).all()
    ratio = compare(ours, broadcast, 2 if light else 5)
    performance.faster("nearest of 150 colours, 512 x 512", "all differences at once", ratio, 10)
    most, theirs = peak_bytes(ours) / 2**20, peak_bytes(broadcast) / 2**20
    details = f"all differences at once: {theirs:.0f} MiB"
    performance.at_most("memory of the same", most, MOST_MIB, "MiB", details)
