"""The released augmentation pool (mahmed10/CAMSS data/base_dataset.py).

An image gets k members of the pool, k from 0 to 8. Gaussian noise, salt and pepper, both
blurs and colour jitter are in it, so a model trained with it has seen the corruptions of
the paper's robustness section. The released training script leaves the pool off.

Two deviations: labels are resampled by nearest neighbour, where the release blends their
colours, and pixels that come from outside the image are unlabelled. Lengths are for
images of 768 pixels and follow the image's height.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bench import IGNORE_INDEX, Batch, ensure_torchvision, seeding

ensure_torchvision()
from torchvision.transforms.v2 import InterpolationMode  # noqa: E402
from torchvision.transforms.v2 import functional as F  # noqa: E402

WEIGHTS = np.array([0.4, 0.3, 0.3, 0.2, 0.2, 0.05, 0.05, 0.02, 0.02])
"""Of k = 0, 1, ..., 8; the release normalises them too."""
HEIGHT = 768


class LabelledImage(NamedTuple):
    """One image with its truth."""

    image: Tensor  # float32 [3, H, W] in [0, 1]
    label: Tensor  # int64 [H, W]


def augment(batch: Batch) -> Batch:
    """Apply the pool to each image of a batch, by its own seed."""
    seeds = seeding.derive(batch.seeds, "pool").tolist()
    pairs = [
        _augment(LabelledImage(image, label), seeding.numpy_generator(seed))
        for image, label, seed in zip(batch.image, batch.label, seeds, strict=True)
    ]
    return Batch(
        torch.stack([pair.image for pair in pairs]),
        torch.stack([pair.label for pair in pairs]),
        batch.seeds,
    )


def _augment(pair: LabelledImage, random: np.random.Generator) -> LabelledImage:
    count = random.choice(len(WEIGHTS), p=WEIGHTS / WEIGHTS.sum())
    for member in random.choice(len(POOL), size=count, replace=False):
        pair = POOL[member](pair, random)
    return pair


def _both(
    pair: LabelledImage, change: Callable[..., Tensor], *args: object, **kwargs: object
) -> LabelledImage:
    """Change image and label alike: bilinear and nearest, black and unlabelled outside."""
    nearest, bilinear = InterpolationMode.NEAREST, InterpolationMode.BILINEAR
    image = change(pair.image, *args, interpolation=bilinear, fill=0.0, **kwargs)
    label = change(
        pair.label[None].float(), *args, interpolation=nearest, fill=float(IGNORE_INDEX), **kwargs
    )
    return LabelledImage(image, label[0].long())


def _flip_sideways(pair: LabelledImage, random: np.random.Generator) -> LabelledImage:
    return LabelledImage(pair.image.flip(-1), pair.label.flip(-1))


def _flip_upside_down(pair: LabelledImage, random: np.random.Generator) -> LabelledImage:
    return LabelledImage(pair.image.flip(-2), pair.label.flip(-2))


def _crop(pair: LabelledImage, random: np.random.Generator) -> LabelledImage:
    height, width = size = pair.label.shape
    share = random.uniform(0.6, 0.9)
    inside = [round(share * side) for side in size]
    top, left = (
        int(random.integers(side - part + 1)) for side, part in zip(size, inside, strict=True)
    )
    area = (top, left, *inside, [height, width])
    label = F.resized_crop(pair.label[None], *area, interpolation=InterpolationMode.NEAREST)
    return LabelledImage(F.resized_crop(pair.image, *area, antialias=True), label[0])


def _rotate(pair: LabelledImage, random: np.random.Generator) -> LabelledImage:
    return _both(pair, F.rotate, random.uniform(-90, 90))


def _shear(pair: LabelledImage, random: np.random.Generator) -> LabelledImage:
    shear = [random.uniform(-10, 10), 0.0]
    return _both(
        pair, F.affine, angle=0.0, translate=[0, 0], scale=random.uniform(0.8, 1.2), shear=shear
    )


def _skew(pair: LabelledImage, random: np.random.Generator) -> LabelledImage:
    height, width = pair.label.shape
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]])
    inward = np.sign(corners.mean(axis=0) - corners)
    moved = corners + inward * random.uniform(0, 0.1, (4, 2)) * [width, height]
    return _both(pair, F.perspective, corners.tolist(), moved.tolist())


def _hide_and_seek(pair: LabelledImage, random: np.random.Generator) -> LabelledImage:
    """Grey out each square of a grid with probability one half (arXiv:1704.04232)."""
    height, width = pair.label.shape
    side = max(1, round(random.uniform(90, 210) * height / HEIGHT))
    hidden = torch.from_numpy(random.random((-(-height // side), -(-width // side))) < 0.5)
    cells = hidden.repeat_interleave(side, 0).repeat_interleave(side, 1)[:height, :width]
    mean = pair.image.mean(dim=(1, 2), keepdim=True)
    return pair._replace(image=pair.image.where(~cells.to(pair.image.device), mean))


def _gaussian_noise(pair: LabelledImage, random: np.random.Generator) -> LabelledImage:
    noise = random.uniform(5, 20) / 255 * random.standard_normal(tuple(pair.image.shape))
    return pair._replace(image=(pair.image + torch.from_numpy(noise).to(pair.image)).clamp(0, 1))


def _salt_and_pepper(pair: LabelledImage, random: np.random.Generator) -> LabelledImage:
    """Whiten and blacken pixels, each with its own probability; black wins."""
    image = pair.image.clone()
    for value in (1.0, 0.0):
        chosen = random.random(tuple(pair.label.shape)) < random.uniform(0.01, 0.03)
        image[:, torch.from_numpy(chosen).to(image.device)] = value
    return pair._replace(image=image)


def _gaussian_blur(pair: LabelledImage, random: np.random.Generator) -> LabelledImage:
    return pair._replace(image=F.gaussian_blur(pair.image, [3, 3]))


def _motion_blur(pair: LabelledImage, random: np.random.Generator) -> LabelledImage:
    """Average along a row, over an odd number of pixels."""
    length = 2 * (int(random.integers(3, 16)) // 2) + 1
    kernel = torch.full((1, 1, 1, length), 1 / length).to(pair.image)
    rows = torch.nn.functional.pad(pair.image[:, None], (length // 2,) * 2 + (0, 0), "replicate")
    return pair._replace(image=torch.nn.functional.conv2d(rows, kernel)[:, 0])


def _jitter(pair: LabelledImage, random: np.random.Generator) -> LabelledImage:
    image = pair.image
    for change in (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation):
        image = change(image, random.uniform(0.8, 1.2))
    return pair._replace(image=F.adjust_hue(image, random.uniform(-0.2, 0.2)))


POOL: tuple[Callable[[LabelledImage, np.random.Generator], LabelledImage], ...] = (
    _flip_sideways,
    _flip_upside_down,
    _crop,
    _rotate,
    _shear,
    _skew,
    _hide_and_seek,
    _gaussian_noise,
    _salt_and_pepper,
    _gaussian_blur,
    _motion_blur,
    _jitter,
)
