"""The images of a cell that are kept to be looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.data.transforms import Loaded, resize_image, resize_label
from bench.store.cells import Preview

PREVIEWS = 8
"""Images of a cell that are kept, from which a report picks the worst, the median and the best."""
WIDEST_PX = 512
"""Wider images are kept at this width, so that a cell at full size stays a few megabytes."""


def preview_places(images: int) -> frozenset[int]:
    """Return which images of a split are kept: evenly spaced, as neighbours are often alike."""
    count = min(PREVIEWS, images)
    return frozenset((2 * index + 1) * images // (2 * count) for index in range(count))


def make_preview(kept: Sequence[tuple[Loaded, np.ndarray]]) -> Preview:
    """Put images and their predictions uint8 [H, W] together: those of the first one's size."""
    shape = kept[0][0].label.shape
    alike = [(sample, prediction) for sample, prediction in kept if sample.label.shape == shape]
    height, width = shape
    size = (max(1, round(height * WIDEST_PX / width)), WIDEST_PX) if width > WIDEST_PX else shape
    return Preview(
        ids=np.array([sample.id for sample, _ in alike]),
        image=np.stack([resize_image(sample.image, size) for sample, _ in alike]),
        label=np.stack([resize_label(sample.label, size) for sample, _ in alike]),
        prediction=np.stack([resize_label(prediction, size) for _, prediction in alike]),
    )
