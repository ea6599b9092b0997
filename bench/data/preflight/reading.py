"""Decoding a sample of a split, and counting what its labels store."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np

from bench.core.errors import DatasetError
from bench.data.dataset import Dataset, Raw
from bench.data.files.raw import RawDataset

SAMPLE = 40
"""Images that a quick check decodes, evenly spread over the split."""

OUTSIDE = -1
"""Stands for all stored values that are no bytes."""
_ROWS = 180
"""Height at which pictures are compared with their labels."""
_BETWEEN = 0.15
"""Of the places where a label changes, the share that may be a pixel with a value between those of
its two neighbours: 0.01 to 0.03 in labels of CamVid and of drawn scenes, also when reduced by
nearest; 0.26 and more when reduced, enlarged or stored like a photograph."""
_LEAST_CHANGES = 30
_LEAST_ROWS = 40
"""Labels with fewer are not judged: in thumbnails every pixel may be an edge."""


class PicturedSample(NamedTuple):
    """What is kept of one image and its label to compare them."""

    image_name: str
    label_name: str
    digest: str
    """Of the decoded image."""
    constant: bool
    """Whether all of its pixels are alike."""
    gradient: np.ndarray  # float32 [h, w], of the image, reduced
    values: np.ndarray  # int16 [h, w], as stored, OUTSIDE for no byte; reduced likewise


class Reading(NamedTuple):
    """What a sample of a split holds."""

    images: int
    stored: np.ndarray  # int64 [256], pixels of each stored label value
    outside: int
    """Pixels whose stored value is no byte."""
    first: Mapping[int, str]
    """The first label that holds each stored value; those that are no bytes under OUTSIDE."""
    sizes: Counter[tuple[int, int]]
    """Images of each height and width."""
    faults: tuple[str, ...]
    """Files that cannot be used, one line each."""
    pictures: tuple[PicturedSample, ...] = ()
    """At most ``SAMPLE``, evenly spread over what was read."""
    blended: tuple[str, ...] = ()
    """Labels whose edges pass through values between those of their neighbours."""

    @property
    def pixels(self) -> int:
        """Number of all pixels."""
        return int(self.stored.sum()) + self.outside


def read(dataset: Dataset, sample: int | None) -> Reading:
    """Decode images and labels: all, or a sample that is evenly spread over the split."""
    indices = range(len(dataset))
    if sample is not None and len(indices) > sample:
        indices = np.linspace(0, len(dataset) - 1, sample).astype(int).tolist()
    stored = np.zeros(256, dtype=np.int64)
    sizes, faults, first = Counter[tuple[int, int]](), [], dict[int, str]()
    outside = 0
    pictures: list[PicturedSample] = []
    blended: list[str] = []
    compared = set(np.linspace(0, len(indices) - 1, SAMPLE).astype(int).tolist())
    for number, index in enumerate(indices):
        try:
            raw = _raw(dataset, index)
        except DatasetError as error:
            faults.append(str(error))
            continue
        values = raw.values.ravel().astype(np.int64)
        inside = (values >= 0) & (values < 256)
        pixels = np.bincount(values[inside], minlength=256)
        for value in np.flatnonzero(pixels).tolist() + [OUTSIDE] * (not inside.all()):
            first.setdefault(value, raw.label_name)
        stored += pixels
        outside += int((~inside).sum())
        sizes[raw.image.shape[:2]] += 1
        blended += [raw.label_name] if _is_blended(raw.values) else []
        if raw.image.shape[:2] != raw.values.shape:
            faults.append(
                f"{raw.label_name}: label is {describe_size(raw.values.shape)}, its image "
                f"{raw.image_name} is {describe_size(raw.image.shape)}; "
                "replace them from the original"
            )
        elif number in compared:
            pictures.append(_picture(raw))
    found = (tuple(faults), tuple(pictures), tuple(blended))
    return Reading(len(indices), stored, outside, first, sizes, *found)


def _is_blended(values: np.ndarray) -> bool:
    """Whether values were averaged with their neighbours; values are numbers of classes."""
    if len(values) < _LEAST_ROWS:
        return False
    between = changes = 0
    for lines in (values, values.T):
        wide = lines[:: max(1, len(lines) // _ROWS)].astype(np.int64)
        before, here, after = wide[:, :-2], wide[:, 1:-1], wide[:, 2:]
        rising, falling = (before < here) & (here < after), (before > here) & (here > after)
        between += int((rising | falling).sum())
        changes += int((before != here).sum())
    return changes >= _LEAST_CHANGES and between > _BETWEEN * changes


def _picture(raw: Raw) -> PicturedSample:
    height, width = raw.values.shape
    factor = min(1.0, _ROWS / height)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    image = cv2.resize(raw.image, size, interpolation=cv2.INTER_AREA)
    colours = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
    slopes = [cv2.Sobel(colours, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1))]
    gradient = np.sqrt(sum((slope**2).sum(axis=2) for slope in slopes))
    wide = raw.values.astype(np.int64)
    stored = np.where((wide < 0) | (wide > 255), OUTSIDE, wide).astype(np.int16)
    return PicturedSample(
        raw.image_name,
        raw.label_name,
        hashlib.blake2b(raw.image.tobytes()).hexdigest(),
        bool((raw.image == raw.image[0, 0]).all()),
        np.asarray(gradient, np.float32),
        cv2.resize(stored, size, interpolation=cv2.INTER_NEAREST),
    )


def _raw(dataset: Dataset, index: int) -> Raw:
    if isinstance(dataset, RawDataset):
        return dataset.raw(index)
    sample = dataset[index]
    return Raw(sample.id, sample.image, sample.label, sample.id, sample.id)


def describe_size(shape: tuple[int, ...]) -> str:
    """Write a size as height x width."""
    return f"{shape[0]}x{shape[1]}"
