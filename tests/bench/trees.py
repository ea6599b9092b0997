"""Small copies of the datasets that lie in files, in the layouts of their authors.

Every path is written out as the dataset's documentation has it, so that these trees do not
depend on the layouts that they test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (24, 32)


def draw_image(path: Path, seed: int) -> None:
    """Draw an RGB image of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)


def draw_label(path: Path, values: list[int], seed: int) -> None:
    """Draw a label in which every one of some values occurs, if they are fewer than pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = SIZE[0] * SIZE[1]
    order = np.array(values)[(np.arange(count) + seed) % len(values)]
    Image.fromarray(order.reshape(SIZE).astype(np.uint8)).save(path)


def draw_pairs(root: Path, pairs: Mapping[str, str], values: list[int]) -> None:
    """Draw images and their labels, by their paths."""
    for seed, (image, label) in enumerate(pairs.items()):
        draw_image(root / image, seed)
        draw_label(root / label, values, seed)


def cityscapes(root: Path) -> None:
    """Two cities, both kinds of label."""
    frames = {
        "train": ("aachen/aachen_000000_000019", "bochum/bochum_000000_000313"),
        "val": ("frankfurt/frankfurt_000000_000294",),
    }
    kinds = {"labelIds": list(range(34)), "labelTrainIds": [*range(19), 255]}
    for kind, values in kinds.items():
        for split, names in frames.items():
            images = [f"leftImg8bit/{split}/{name}_leftImg8bit.png" for name in names]
            labels = [f"gtFine/{split}/{name}_gtFine_{kind}.png" for name in names]
            draw_pairs(root, dict(zip(images, labels, strict=True)), values)


def ade20k(root: Path) -> None:
    """Photographs are JPEG; 0 is void."""
    pairs = {
        f"images/{folder}/{name}.jpg": f"annotations/{folder}/{name}.png"
        for folder, names in (
            ("training", ("ADE_train_00000001", "ADE_train_00000002")),
            ("validation", ("ADE_val_00000001",)),
        )
        for name in names
    }
    draw_pairs(root, pairs, list(range(151)))


TREES: dict[str, Callable[[Path], None]] = {"cityscapes": cityscapes, "ade20k": ade20k}
