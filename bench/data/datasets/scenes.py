"""Scenes drawn from code: a dataset that needs no file and no licence.

A scene is a function of (domain, split, index). The first domains are streets labelled in
Cityscapes' train ids: image i of each shows the same street, so that domains are compared
on paired images; ``low_camera`` sees it from near the ground. ``home`` has rooms, to be
trained on beside the streets. The last six are a zero-shot world, made like MSeg's six test
sets: streets in weather (``wild``), through another camera and in 11 classes (``drive``), and
from near the ground in 7 (``robot``); rooms of another kind in 13 (``office``); things close
to the camera, all else background (``objects``); streets and rooms in 34 (``context``).
Things of streets have instance numbers, and every pixel a depth.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

from pydantic import Field

from bench.core.errors import DatasetError
from bench.core.schema import Frozen, Positive, fingerprint
from bench.data.dataset import Dataset, LabelSpace, Sample
from bench.data.files.cache import cache_folder
from bench.data.scenes.spaces import DOMAINS

VERSION = 1
"""Raised whenever a drawing changes, even by one pixel."""

_CHUNK = 50
"""Scenes that are drawn and stored together."""


class SceneOptions(Frozen):
    """How many scenes, and how large; pixels."""

    images: Positive = 400
    height: Annotated[int, Field(ge=48)] = 96
    width: Annotated[int, Field(ge=96)] = 192


class Scenes(Dataset):
    """Drawn scenes, kept in the cache folder once drawn."""

    title = "Scenes (streets and rooms drawn from code)"
    licence = "Apache-2.0, as the code that draws them"
    homepage = ""
    citation = """\
@misc{bench_scenes,
  title = {Scenes: streets and rooms drawn from code, in several label spaces},
  note = {Part of this benchmark; the version is that of the generator},
  year = {2026}
}"""
    splits = ("train", "val", "test")
    subsets = tuple(DOMAINS)
    needs_root = False
    Options = SceneOptions

    def __init__(self, split: str, subset: str, root: Path | None, options: Frozen) -> None:
        super().__init__(split, subset, root, options)
        if not isinstance(options, SceneOptions):
            raise DatasetError(f"scenes takes SceneOptions, not {type(options).__name__}")
        self._count, self._size = options.images, (options.height, options.width)
        self._chunks: dict[int, object] = {}

    @property
    def label_space(self) -> LabelSpace:
        """That of the domain: the 19 classes of Cityscapes, or one of its own."""
        return DOMAINS[self.subset].space

    def check(self) -> None:
        """Refuse a split or domain that is not drawn; there is nothing on disk to miss."""
        for name, value, known in (
            ("split", self.split, self.splits),
            ("domain", self.subset, self.subsets),
        ):
            if value not in known:
                raise DatasetError(f"scenes has no {name} {value!r}; it has {', '.join(known)}")

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        from bench.data.scenes.chunks import Chunk, open_chunk

        if not 0 <= index < self._count:
            raise IndexError(f"scene {index} of {self._count}")
        number, place = divmod(index, _CHUNK)
        if number not in self._chunks:
            first = number * _CHUNK
            indices = range(first, min(first + _CHUNK, self._count))
            self._chunks[number] = open_chunk(
                self._folder(), self.subset, self.split, self._size, indices
            )
        scene = cast("Chunk", self._chunks[number])[place]
        return Sample(self._id(index), *scene)

    def ids(self) -> tuple[str, ...]:
        """Ids such as ``city/val/00007``."""
        return tuple(self._id(index) for index in range(self._count))

    def fingerprint(self) -> str:
        """Hash what the drawing depends on, and the number of scenes."""
        return fingerprint(self._generator(), self._count)

    def _id(self, index: int) -> str:
        return f"{self.subset}/{self.split}/{index:05d}"

    def _generator(self) -> dict[str, object]:
        return {
            "generator": "scenes",
            "version": VERSION,
            "domain": self.subset,
            "split": self.split,
            "size": self._size,
        }

    def _folder(self) -> Path:
        return cache_folder() / "scenes" / fingerprint(self._generator())
