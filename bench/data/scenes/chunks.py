"""Drawn scenes on disk, a few dozen at a time, as Hugging Face datasets.

A chunk is a folder that ``datasets.load_from_disk`` opens, with the raw bytes of the four
arrays of each scene, and beside them the digest of its data. It is drawn under another
name and then renamed, so that it is whole or absent, whoever else draws it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.data.scenes.draw import Scene, draw_scene

if TYPE_CHECKING:
    from datasets import Dataset

_DIGEST = "digest.txt"


class Chunk:
    """Scenes ``first`` to ``first + len(chunk)`` of one domain, split and size."""

    def __init__(self, rows: Dataset, height: int, width: int) -> None:
        self._rows = rows.with_format("arrow")
        self._size = (height, width)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Scene:
        row = self._rows[index]

        def array(name: str, dtype: type, *more: int) -> np.ndarray:
            stored: np.ndarray = np.frombuffer(row.column(name)[0].as_buffer(), dtype=dtype)
            return stored.reshape(*self._size, *more).copy()

        return Scene(
            array("image", np.uint8, 3),
            array("label", np.uint8),
            array("instance", np.uint16),
            array("depth", np.float32),
        )


def open_chunk(
    folder: Path, domain: str, split: str, size: tuple[int, int], indices: range
) -> Chunk:
    """Open a chunk, after drawing it if it is absent or damaged."""
    path = folder / f"{indices.start:06d}-{indices.stop:06d}"
    rows = _load(path)
    if rows is None:
        _write(path, domain, split, size, indices)
        rows = _load(path)
    if rows is None:
        raise OSError(f"{path}: drawn scenes cannot be read back; is the disk full or damaged?")
    return Chunk(rows, *size)


def _load(path: Path) -> Dataset | None:
    """Open a stored chunk, or return None if there is none whose data are as written."""
    from datasets import load_from_disk

    try:
        if (path / _DIGEST).read_text() != _digest(path):
            return None
        return load_from_disk(str(path))
    except (OSError, ValueError, KeyError):
        return None


def _write(path: Path, domain: str, split: str, size: tuple[int, int], indices: range) -> None:
    from datasets import Dataset, Features, Value

    path.parent.mkdir(parents=True, exist_ok=True)
    scenes = [draw_scene(domain, split, i, *size) for i in _progress(indices, domain, split)]
    columns = {name: [getattr(scene, name).tobytes() for scene in scenes] for name in Scene._fields}
    features = Features({name: Value("binary") for name in Scene._fields})
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".drawing-") as temporary:
        drawn = Path(temporary) / "chunk"
        with _quiet():
            Dataset.from_dict(columns, features=features).save_to_disk(str(drawn))
        (drawn / _DIGEST).write_text(_digest(drawn))
        _replace(drawn, path)


def _replace(drawn: Path, path: Path) -> None:
    """Move a finished chunk into place; another writer's is the same, and may stay."""
    try:
        os.rename(drawn, path)
    except OSError:
        if _load(path) is None:
            shutil.move(path, drawn.with_name("damaged"))
            os.rename(drawn, path)


def _digest(path: Path) -> str:
    total = hashlib.blake2b(digest_size=16)
    for file in sorted(path.glob("*.arrow")):
        with file.open("rb") as content:
            total.update(hashlib.file_digest(content, "blake2b").digest())
    return total.hexdigest()


def _progress(indices: range, domain: str, split: str) -> Iterator[int]:
    """Show a bar on a terminal while a chunk is drawn."""
    from tqdm import tqdm

    text = f"drawing scenes/{domain} {split} {indices.start}-{indices.stop}"
    return iter(tqdm(indices, desc=text, leave=False, disable=None))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep ``datasets`` from showing a bar of its own."""
    from datasets.utils.logging import (
        disable_progress_bar,
        enable_progress_bar,
        is_progress_bar_enabled,
    )

    shown = is_progress_bar_enabled()
    disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            enable_progress_bar()
