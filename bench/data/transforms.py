"""From arrays to what a method is given: resize, random changes in training, tensors.

Images are resized bilinearly with antialiasing, labels by nearest neighbour only.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from bench.core import seeding
from bench.core.schema import IGNORE_INDEX, Batch
from bench.core.stage import Augment
from bench.corruptions.colour import hue
from bench.score.prepared import PreparedTruth


class Truth(NamedTuple):
    """What a prediction is compared with."""

    label: np.ndarray  # uint8 [H, W], at the size at which the prediction is scored
    instance: np.ndarray | None  # integers [H, W], where the dataset has any
    prepared: PreparedTruth
    """What every prediction's counts need of it."""


class Loaded(NamedTuple):
    """One image as a method sees it, and its truth."""

    id: str
    image: np.ndarray  # uint8 [h, w, 3], after resize and corruption
    label: np.ndarray  # uint8 [h, w], at the image's size
    truths: tuple[Truth, ...] = ()  # one for each way of scoring; none in training
    instance: np.ndarray | None = None  # int32 [h, w], in training, where the dataset has any


def resize_image(image: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Resize uint8 [H, W, 3] to (height, width), bilinear with antialiasing."""
    if image.shape[:2] == tuple(size):
        return image
    resized = Image.fromarray(image).resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return np.asarray(resized)


def resize_label(label: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Resize integers or depth [H, W] to (height, width) by nearest neighbour."""
    if label.shape == tuple(size):
        return label
    resized = Image.fromarray(label).resize((size[1], size[0]), Image.Resampling.NEAREST)
    return np.asarray(resized)


def to_tensors(samples: Sequence[Loaded], seeds: Sequence[int], device: torch.device) -> Batch:
    """Stack samples of one size into a batch on a device, images scaled to [0, 1].

    The seeds stay on the CPU, where draws are made. Where some samples have instances, the
    others have none at any pixel.
    """
    images = np.stack([sample.image for sample in samples])
    labels = np.stack([sample.label for sample in samples])
    instance = None
    if any(sample.instance is not None for sample in samples):
        none = np.zeros(labels.shape[1:], np.int32)
        stacked = [none if s.instance is None else s.instance for s in samples]
        instance = torch.from_numpy(np.stack(stacked)).to(device).long()
    return Batch(
        image=torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float().div(255).contiguous(),
        label=torch.from_numpy(labels).to(device).long(),
        seeds=torch.tensor(list(seeds)),
        instance=instance,
    )


def augment(sample: Loaded, settings: Augment, crop: tuple[int, int], seed: int) -> Loaded:
    """Apply a training sample's random changes.

    Args:
        sample: image, label and instances at the protocol's size.
        settings: which changes, and how strong.
        crop: height and width of the result; smaller images are padded, labels with
            IGNORE_INDEX, instances with 0, images with their mean colour.
        seed: key of this image's draw in this step.

    Returns:
        The sample with maps of the crop's size.
    """
    random = seeding.numpy_generator(seed)
    factor = random.uniform(*settings.scale)
    if factor != 1.0:
        size = [max(1, round(side * factor)) for side in sample.label.shape]
        sample = _mapped(sample, resize_image, resize_label, size)
    sample = _random_crop(sample, crop, random, settings.cat_max_ratio)
    if settings.flip and random.random() < 0.5:
        sample = _mapped(sample, _mirrored, _mirrored)
    image = sample.image
    if settings.colour:
        image = _jitter(image, settings.colour, random)
    if settings.hue:
        image = hue(np.ascontiguousarray(image), random.uniform(-settings.hue, settings.hue))
    return _mapped(sample._replace(image=image), np.ascontiguousarray, np.ascontiguousarray)


def _mapped(
    sample: Loaded,
    of_image: Callable[..., np.ndarray],
    of_label: Callable[..., np.ndarray],
    *more: Any,
) -> Loaded:
    """Change the image one way, label and instances the other."""
    instance = sample.instance
    return sample._replace(
        image=of_image(sample.image, *more),
        label=of_label(sample.label, *more),
        instance=None if instance is None else of_label(instance, *more),
    )


def _mirrored(values: np.ndarray) -> np.ndarray:
    return values[:, ::-1]


CROPS = 10
"""Drawn at most for one sample, in search of one that is not all of one class."""


def _random_crop(
    sample: Loaded, crop: tuple[int, int], random: np.random.Generator, largest_share: float
) -> Loaded:
    sample = _padded(sample, crop)
    for _ in range(CROPS):
        top, left = (
            int(random.integers(have - want + 1))
            for have, want in zip(sample.label.shape, crop, strict=True)
        )
        area = (slice(top, top + crop[0]), slice(left, left + crop[1]))
        if largest_share == 1 or _share_of_one_class(sample.label[area]) < largest_share:
            break
    return _mapped(sample, operator.getitem, operator.getitem, area)


def _padded(sample: Loaded, least: tuple[int, int]) -> Loaded:
    """Enlarge a sample below and to the right, if it is smaller than a crop."""
    missing = [max(0, want - have) for want, have in zip(least, sample.label.shape, strict=True)]
    if not any(missing):
        return sample
    edges = [(0, missing[0]), (0, missing[1])]
    height, width = sample.label.shape
    mean = sample.image.reshape(-1, 3).mean(axis=0).round().astype(np.uint8)
    image = np.tile(mean, (height + missing[0], width + missing[1], 1))
    image[:height, :width] = sample.image
    return sample._replace(
        image=image,
        label=np.pad(sample.label, edges, constant_values=IGNORE_INDEX),
        instance=None if sample.instance is None else np.pad(sample.instance, edges),
    )


def _share_of_one_class(label: np.ndarray) -> float:
    """Return the share of the most frequent class among labelled pixels; 1 if there are none."""
    counts = np.bincount(label[label != IGNORE_INDEX])
    return float(counts.max() / counts.sum()) if len(counts) else 1.0


def _jitter(image: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Scale brightness, contrast and saturation by factors in 1 +- strength."""
    brightness, contrast, saturation = random.uniform(1 - strength, 1 + strength, 3)
    values = image.astype(np.float32) * brightness
    values = (values - values.mean()) * contrast + values.mean()
    grey = values @ np.array([0.299, 0.587, 0.114], np.float32)
    values = grey[..., None] + (values - grey[..., None]) * saturation
    jittered: np.ndarray = values.round().clip(0, 255).astype(np.uint8)
    return jittered
