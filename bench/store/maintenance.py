"""Looking after a store: is every file as it was written, and what does no suite use?"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from filelock import Timeout

from bench.core.errors import StoreError
from bench.core.files import DamagedFile, read_sealed
from bench.core.record import Record
from bench.store.cells import CellStore, read_arrays, set_aside
from bench.store.folders import MANIFEST, suite_folders

WRITING_SECONDS = 3600.0
"""Age from which a file that is not yet in its place is taken for one that never will be."""


class StoreFault(NamedTuple):
    """A file that is not as it should be."""

    path: Path
    text: str


def check(output: Path) -> Iterator[StoreFault]:
    """Read every file of a store; set damaged ones aside, so that a run makes them again.

    Args:
        output: the store's folder.

    Raises:
        StoreError: if there is no such folder.
    """
    if not output.is_dir():
        raise StoreError(f"{output}: no such folder; --output says where the results are")
    store = CellStore(output)
    for path in sorted(output.rglob(MANIFEST)):
        yield from _sealed(output, path)
    for key in store.stage_keys():
        yield from _stage(store, key)
    for key in store.cell_keys():
        yield from _cell(store, key)
    for path in _torn(output):
        yield StoreFault(path, "left by a write that did not end")


def _torn(output: Path) -> list[Path]:
    """List what writes left that were killed before they ended."""
    hidden = (path for path in output.rglob(".*.*") if path.is_file())
    return sorted(path for path in hidden if path.suffix != ".lock")


def _sealed(output: Path, path: Path) -> Iterator[StoreFault]:
    try:
        read_sealed(path)
    except DamagedFile as error:
        set_aside(output, path)
        yield StoreFault(path, str(error).removeprefix(f"{path}: "))


def _stage(store: CellStore, key: str) -> Iterator[StoreFault]:
    stage = store.stage(key)
    if stage.checkpoint.exists() and stage.checkpoint_content() is None:
        set_aside(store.output, stage.checkpoint)
        yield StoreFault(stage.checkpoint, "not as it was written (its checksum differs)")
    summary = stage.path / "stage.json"
    if summary.exists():
        faults = list(_sealed(store.output, summary))
        yield from faults
        if not faults:
            yield from _stage_files(store, key)
    elif stage.weights.exists():
        set_aside(store.output, stage.weights)
        yield StoreFault(stage.weights, "weights of a stage that has no stage.json")


def _stage_files(store: CellStore, key: str) -> Iterator[StoreFault]:
    stage = store.stage(key)
    content = stage.summary() or {}
    for path, digest in ((stage.weights, content["weights"]), (stage.log, content["log"])):
        if path.exists() and _digest(path) != digest:
            set_aside(store.output, path)
            yield StoreFault(path, "not as it was written (its checksum differs)")


def _cell(store: CellStore, key: str) -> Iterator[StoreFault]:
    path = store.files(key)[0]
    faults = list(_sealed(store.output, path))
    yield from faults
    record = None if faults else store.record(key)
    if record is None or record.status != "ok":
        return
    if record.key != key:
        set_aside(store.output, path)
        yield StoreFault(path, f"the record of another cell, {record.key}")
        return
    for file, ending in zip(store.files(key)[1:], (".npz", ".preview.npz"), strict=True):
        if ending in record.files and (text := _array_fault(file, record.files[ending])):
            for damaged in (file, path):
                set_aside(store.output, damaged)
            yield StoreFault(file, text)
            return
    yield from _weights_of(store, record, path)


def _weights_of(store: CellStore, record: Record, path: Path) -> Iterator[StoreFault]:
    """Name a record whose stages have other weights than those that made it."""
    for key, digest in zip(record.stages, record.weights, strict=True):
        if store.stage(key).digest() not in ("", digest):
            yield StoreFault(path, f"made with other weights than stage {key} has now")


def _array_fault(path: Path, digest: str) -> str:
    try:
        read_arrays(path.read_bytes(), digest)
    except FileNotFoundError:
        return "missing"
    except (DamagedFile, OSError, ValueError) as error:
        return str(error)
    return ""


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Unused(NamedTuple):
    """What no suite of a store uses."""

    paths: tuple[Path, ...]
    bytes: int


def unused(output: Path) -> Unused:
    """Find cells and stages that no manifest names, what damage and kills left, old jobs' logs.

    Stages and cells that a run holds at this moment are left out.

    Raises:
        StoreError: if the folder holds no results.
    """
    store = CellStore(output)
    cells: set[str] = set()
    for folder in suite_folders(output):
        cells |= {entry.key for entry in folder.manifest().cells}
    records = (store.record(key) for key in cells)
    stages = {stage for record in records if record is not None for stage in record.stages}
    paths = [
        path
        for key in store.cell_keys()
        if key not in cells and not _is_held(store, f"cells-{key}")
        for path in store.files(key)
        if path.exists()
    ]
    for key in store.stage_keys():
        if key not in stages and not _is_held(store, f"stage-{key}"):
            paths += [path for path in store.stage(key).path.iterdir() if path.is_file()]
    paths += [
        path for path in _torn(output) if time.time() - path.stat().st_mtime > WRITING_SECONDS
    ]
    for place in ("damaged", "jobs"):
        paths += [path for path in (output / place).rglob("*") if path.is_file()]
    return Unused(tuple(sorted(paths)), sum(path.stat().st_size for path in paths))


def _is_held(store: CellStore, name: str) -> bool:
    lock = store.lock(name)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    lock.release()
    return False
