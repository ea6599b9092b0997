"""Cells and stages on disk: content-keyed, written atomically, each with its checksum.

Layout under the output folder::

    stages/<stage key>/       stage.json  log.jsonl  weights.safetensors  (checkpoint.pt)
    cells/<xx>/<cell key>.json          the record
    cells/<xx>/<cell key>.npz           per-image counts
    cells/<xx>/<cell key>.preview.npz   a few images with label and prediction
    locks/                    who is training or evaluating what
    damaged/                  files that were not as they were written, set aside
    <suite>/suite.json        the cells of a suite, in order

A cell belongs to no suite: suites that ask for the same number share its record.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple

from bench.core.errors import StoreError
from bench.core.files import DamagedFile, read_sealed, write_atomic, write_sealed
from bench.core.record import Record
from bench.store.locks import make_lock

if TYPE_CHECKING:
    import numpy as np
    from filelock import BaseFileLock

    from bench.score.counts import Counts

SAMPLE = 200
"""Records that stand for all where speeds are asked for."""
State = Literal["missing", "done", "failed"]
logger = logging.getLogger("bench.store")


class Glance(NamedTuple):
    """What a record tells before it is read in full."""

    state: State
    source: Mapping[str, str] = {}
    """Digests of the code that computed a finished cell, as of ``Record.source``."""


class Preview(NamedTuple):
    """A few images of a cell, as the method saw them."""

    ids: np.ndarray  # str [n]
    image: np.ndarray  # uint8 [n, H, W, 3], after resize and corruption
    label: np.ndarray  # uint8 [n, H, W]
    prediction: np.ndarray  # uint8 [n, H, W]


class CellStore:
    """The cells under an output folder."""

    def __init__(self, output: Path) -> None:
        self.output = output

    def lock(self, name: str) -> BaseFileLock:
        """Return the lock of a stage or of a group of cells, not yet held."""
        return make_lock(self.output / "locks" / f"{name}.lock")

    def stage(self, key: str) -> StageFolder:
        """Return the folder of a training stage."""
        return StageFolder(self.output, key)

    def record(self, key: str) -> Record | None:
        """Read a cell's record; None if there is none, or it is damaged and was set aside."""
        text = read_or_set_aside(self.output, self._path(key, ".json"))
        return None if text is None else Record.model_validate_json(text)

    def is_done(self, key: str) -> bool:
        """Whether a cell has its number."""
        return self.state(key) == "done"

    def state(self, key: str, since: str = "") -> State:
        """Return what is known of a cell, from its record alone.

        Args:
            key: of the cell.
            since: an ISO 8601 time in UTC; what failed before it counts as missing.
        """
        return self.glance(key, since).state

    def glance(self, key: str, since: str = "") -> Glance:
        """Return a cell's state, and the code that computed it.

        A number that was made with other weights than its stages have now is missing: the
        stages were trained again, on another machine perhaps. Where weights are no longer
        here, the number stands.

        Args:
            key: of the cell.
            since: an ISO 8601 time in UTC; what failed before it counts as missing.
        """
        text = read_or_set_aside(self.output, self._path(key, ".json"))
        if text is None:
            return Glance("missing")
        content = json.loads(text)
        if content["status"] != "ok":
            return Glance("failed" if content["finished"] >= since else "missing")
        stages = zip(content["stages"], content["weights"], strict=True)
        same = all(self.stage(stage).digest() in ("", digest) for stage, digest in stages)
        return Glance("done", content.get("source", {})) if same else Glance("missing")

    def glances(self, keys: Iterable[str]) -> dict[str, Glance]:
        """Return :meth:`glance` of many cells, by key."""
        return {key: self.glance(key) for key in keys}

    def stage_keys(self) -> list[str]:
        """Return the keys of all stages, finished or not, sorted."""
        return sorted(path.name for path in (self.output / "stages").glob("*") if path.is_dir())

    def cell_keys(self) -> list[str]:
        """Return the keys of all cells that have a record, sorted."""
        return sorted(path.stem for path in (self.output / "cells").glob("??/*.json"))

    def sample_records(self) -> Iterator[Record]:
        """Yield some hundred of the records, spread over all keys: enough to tell speeds."""
        keys = self.cell_keys()
        for key in keys[:: max(1, len(keys) // SAMPLE)]:
            if (record := self.record(key)) is not None:
                yield record

    def size_of(self, key: str) -> int:
        """Return the bytes of a cell's files."""
        return sum(path.stat().st_size for path in self.files(key) if path.exists())

    def write(self, record: Record, counts: Counts | None, preview: Preview | None) -> None:
        """Write a cell: arrays first, so that a record never lacks its counts."""
        digests = {}
        for ending, arrays in ((".npz", counts), (".preview.npz", preview)):
            if arrays is not None:
                content = _compressed(arrays._asdict())
                write_atomic(self._path(record.key, ending), partial(_write_bytes, content))
                digests[ending] = hashlib.sha256(content).hexdigest()
        sealed = record.model_copy(update={"files": {**record.files, **digests}})
        write_sealed(self._path(record.key, ".json"), sealed.model_dump_json())

    def counts(self, record: Record) -> Counts:
        """Read a finished cell's per-image counts.

        Raises:
            StoreError: if they are missing or damaged; the record is then set aside, so that
                the next run computes the cell again.
        """
        from bench.score.counts import Counts

        return Counts(**self._arrays(record, ".npz"))

    def preview(self, record: Record) -> Preview | None:
        """Read a cell's stored images, or None where none were kept."""
        if (
            ".preview.npz" not in record.files
            or not self._path(record.key, ".preview.npz").exists()
        ):
            return None
        return Preview(**self._arrays(record, ".preview.npz"))

    def files(self, key: str) -> tuple[Path, ...]:
        """Return the paths of a cell's files, whether or not they exist."""
        return tuple(self._path(key, ending) for ending in (".json", ".npz", ".preview.npz"))

    def _path(self, key: str, ending: str) -> Path:
        return Path(f"{self.output}/cells/{key[:2]}/{key}{ending}")  # many thousands in a plan

    def _arrays(self, record: Record, ending: str) -> dict[str, np.ndarray]:
        path = self._path(record.key, ending)
        try:
            return read_arrays(path.read_bytes(), record.files.get(ending, ""))
        except (OSError, DamagedFile) as error:
            for damaged in (path, self._path(record.key, ".json")):
                set_aside(self.output, damaged)
            raise StoreError(f"{path}: missing or damaged ({error}); run again") from error


class StageFolder:
    """One training stage on disk."""

    def __init__(self, output: Path, key: str) -> None:
        self.output = output
        self.key = key
        self.path = output / "stages" / key
        self.weights = self.path / "weights.safetensors"
        self.checkpoint = self.path / "checkpoint.pt"
        self.log = self.path / "log.jsonl"

    def summary(self) -> dict[str, Any] | None:
        """Read what a finished stage recorded of itself, or None if it is not finished."""
        text = read_or_set_aside(self.output, self.path / "stage.json")
        return None if text is None else json.loads(text)

    def digest(self) -> str:
        """Return the SHA-256 of a finished stage's weights; empty if it is not finished."""
        summary = self.summary()
        return "" if summary is None else str(summary["weights"])

    def log_lines(self) -> list[dict[str, Any]]:
        """Return the log of the training, a mapping per line; torn lines are left out."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return []
        parsed = []
        for line in lines:
            try:
                parsed.append(json.loads(line))
            except ValueError:
                logger.warning("%s: a torn line is left out", self.log)
        return parsed

    def log_digest(self) -> str:
        """Return the SHA-256 of the log; empty if there is none."""
        try:
            return hashlib.sha256(self.log.read_bytes()).hexdigest()
        except FileNotFoundError:
            return ""

    def checkpoint_content(self) -> bytes | None:
        """Return what :meth:`write_checkpoint` wrote; None if there is none, or it is damaged."""
        try:
            whole = self.checkpoint.read_bytes()
        except FileNotFoundError:
            return None
        digest, content = whole[:32], whole[32:]
        return content if hashlib.sha256(content).digest() == digest else None

    def write_checkpoint(self, content: bytes) -> None:
        """Keep what training goes on from, with its checksum."""
        digest = hashlib.sha256(content).digest()
        write_atomic(self.checkpoint, lambda file: file.write(digest + content))

    def is_finished(self) -> bool:
        """Whether its weights are here, as far as its summary and their presence tell."""
        return self.weights.exists() and self.summary() is not None

    def is_intact(self) -> bool:
        """Whether its weights are here as they were written."""
        summary = self.summary()
        if summary is None:
            return False
        try:
            with self.weights.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return False
        return digest == str(summary["weights"])

    def set_aside_damaged(self) -> None:
        """Move weights that are not as they were written out of the way.

        Only for whoever holds the stage's lock: another may be writing them.
        """
        if self.weights.exists() and not self.is_intact():
            if self.summary() is not None:
                logger.warning("%s: damaged; it is set aside and trained again", self.weights)
                set_aside(self.output, self.path / "stage.json")
            set_aside(self.output, self.weights)

    def finish(self, summary: dict[str, object]) -> None:
        """Mark the stage finished; its checkpoint is of no more use."""
        write_sealed(self.path / "stage.json", json.dumps(summary))
        self.checkpoint.unlink(missing_ok=True)


def read_or_set_aside(output: Path, path: Path) -> str | None:
    """Read a sealed file; None if there is none, or if it is damaged, which is told."""
    try:
        return read_sealed(path)
    except FileNotFoundError:
        return None
    except DamagedFile as error:
        logger.warning("%s; it is set aside and computed again", error)
        set_aside(output, path)
        return None


def set_aside(output: Path, path: Path) -> None:
    """Move a damaged file out of the way, if the store can be written to."""
    destination = output / "damaged" / f"{time.time_ns()}-{path.name}"
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, destination)
    except OSError as error:
        logger.warning("%s: cannot be set aside (%s)", path, error.strerror)


def read_arrays(content: bytes, digest: str) -> dict[str, np.ndarray]:
    """Return the arrays of an ``npz`` file by name.

    Raises:
        DamagedFile: if the content's SHA-256 is another.
    """
    import numpy as np

    if hashlib.sha256(content).hexdigest() != digest:
        raise DamagedFile("its checksum differs")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _write_bytes(content: bytes, file: IO[bytes]) -> None:
    file.write(content)


def _compressed(arrays: dict[str, Any]) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: a for name, a in arrays.items() if a is not None})
    return buffer.getvalue()
