"""Small copies of the datasets, one file each, in the layouts of their authors.

``tests/helpers/trees/<name>.py`` defines ``TREE``: the file name is the registry, and a dataset
without one fails the tests of all datasets.

Every path is written out as the dataset's documentation has it, so that these trees do not
depend on the layouts that they test. A builder returns nothing and draws all subsets, so that
one root serves a whole dataset.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

SIZE = (24, 32)
LABEL_IDS = tuple(range(34))
TRAIN_IDS = (*range(19), 255)


class Tree(NamedTuple):
    """How to draw a small copy, and one image and label of the default subset in it."""

    draw: Callable[[Path], object]
    """For datasets that need no files, does nothing."""
    split: str = ""
    image: str = ""
    """Path of an image; empty where there are no files."""
    label: str = ""
    options: Mapping[str, Any] = {}
    """Settings without which the dataset is nothing; ``{root}`` in one is the tree's folder."""

    def options_at(self, root: Path) -> dict[str, Any]:
        """Return the settings of a tree drawn in a folder."""
        return {
            name: value.replace("{root}", str(root)) if isinstance(value, str) else value
            for name, value in self.options.items()
        }


def draw_image(path: Path, seed: int = 0) -> None:
    """Draw an RGB image of noise; JPEG where the name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)


def some_of(values: Iterable[int], seed: int = 0) -> np.ndarray:
    """Return numbers [H, W] in which every value occurs, if there are pixels enough."""
    values = np.array(list(values))
    order = (np.arange(SIZE[0] * SIZE[1]) + seed) % len(values)
    return values[order].reshape(SIZE)


def draw_label(path: Path, values: Iterable[int], seed: int = 0) -> None:
    """Draw a greyscale label."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(some_of(values, seed).astype(np.uint8)).save(path)


def draw_pairs(root: Path, pairs: Iterable[tuple[str, str]], values: Iterable[int]) -> None:
    """Draw images and their labels, by their paths."""
    values = list(values)
    for seed, (image, label) in enumerate(pairs):
        draw_image(root / image, seed)
        draw_label(root / label, values, seed)


def write_list(path: Path, names: Iterable[str]) -> None:
    """Write names, one a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}\n" for name in names))


def tree_of(name: str) -> Tree:
    """Return the tree of a dataset."""
    return importlib.import_module(f"{__name__}.{name}").TREE


def trees_in_files() -> dict[str, Tree]:
    """Return the trees of all datasets that are read from files and need no options."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return {name: tree for name in names if (tree := tree_of(name)).image and not tree.options}
