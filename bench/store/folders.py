"""Results on disk: content-keyed, written atomically, safe for several writers.

Layout under the output folder::

    stages/<stage key>/     stage.json  log.jsonl  weights.safetensors  (checkpoint.pt)
    <suite>/suite.json      the cells of the latest run, in order
    <suite>/records/        <cell key>.json, one a cell
    <suite>/counts/         <cell key>.npz, per-image counts of a finished cell
    <suite>/previews/       <cell key>.npz, a few images with label and prediction
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.core.errors import StoreError
from bench.core.files import write_atomic, write_json
from bench.core.manifest import Manifest
from bench.core.schema import Record

if TYPE_CHECKING:
    import numpy as np

    from bench.score.counts import Counts


class Preview(NamedTuple):
    """A few images of a cell, as the method saw them."""

    ids: np.ndarray  # str [n]
    image: np.ndarray  # uint8 [n, H, W, 3], after resize and corruption
    label: np.ndarray  # uint8 [n, H, W]
    prediction: np.ndarray  # uint8 [n, H, W]


class SuiteFolder:
    """The records of one suite."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def paths(self) -> tuple[Path, ...]:
        """The folders that results are read from."""
        return (self.path,)

    def stage(self, key: str) -> StageFolder:
        """Return the folder of a training stage behind a cell."""
        return StageFolder(self.path.parent, key)

    def manifest(self) -> Manifest:
        """Read which cells the latest run asked for."""
        path = self.path / "suite.json"
        if not self.exists():
            raise StoreError(f"{path}: no such file; `python -m bench run` writes it")
        return Manifest.model_validate_json(path.read_text())

    def exists(self) -> bool:
        """Whether a run has left its manifest."""
        return (self.path / "suite.json").exists()

    def write_manifest(self, manifest: Manifest) -> None:
        """Write which cells this run asks for."""
        write_json(self.path / "suite.json", manifest.model_dump_json(indent=1))

    def record(self, key: str) -> Record | None:
        """Read a cell's record, or None if there is none."""
        try:
            text = (self.path / "records" / f"{key}.json").read_text()
        except FileNotFoundError:
            return None
        return Record.model_validate_json(text)

    def write(self, record: Record, counts: Counts | None, preview: Preview | None) -> None:
        """Write a cell: arrays first, so that a record never lacks its counts."""
        import numpy as np

        for folder, arrays in (("counts", counts), ("previews", preview)):
            if arrays is not None:
                known = {name: a for name, a in arrays._asdict().items() if a is not None}
                save = partial(np.savez_compressed, **known)
                write_atomic(self.path / folder / f"{record.key}.npz", save)
        write_json(self.path / "records" / f"{record.key}.json", record.model_dump_json(indent=1))

    def counts(self, key: str) -> Counts:
        """Read a finished cell's per-image counts."""
        from bench.score.counts import Counts

        return Counts(**self._arrays("counts", key))

    def preview(self, key: str) -> Preview | None:
        """Read a cell's stored images, or None where none were kept."""
        if not (self.path / "previews" / f"{key}.npz").exists():
            return None
        return Preview(**self._arrays("previews", key))

    def records(self) -> Iterator[Record]:
        """Read the records of the latest run in the suite's order, missing ones left out."""
        for key in self.manifest().keys:
            record = self.record(key)
            if record is not None:
                yield record

    def _arrays(self, folder: str, key: str) -> dict[str, np.ndarray]:
        import numpy as np

        path = self.path / folder / f"{key}.npz"
        if not path.exists():
            raise StoreError(f"{path}: no such file; delete the record beside it and run again")
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}


def suite_folders(path: Path) -> list[SuiteFolder]:
    """Find the suites below a folder (or the folder itself), in order of their names."""
    found = sorted(manifest.parent for manifest in path.rglob("suite.json"))
    if not found:
        raise StoreError(f"{path}: no results here (no suite.json at or below it)")
    return [SuiteFolder(folder) for folder in found]


class StageFolder:
    """One training stage on disk."""

    def __init__(self, output: Path, key: str) -> None:
        self.key = key
        self.path = output / "stages" / key
        self.weights = self.path / "weights.safetensors"
        self.checkpoint = self.path / "checkpoint.pt"
        self.log = self.path / "log.jsonl"

    def summary(self) -> dict[str, object] | None:
        """Read what a finished stage recorded of itself, or None if it is not finished."""
        try:
            text = (self.path / "stage.json").read_text()
        except FileNotFoundError:
            return None
        content: dict[str, object] = json.loads(text)
        return content

    def finish(self, summary: dict[str, object]) -> None:
        """Mark the stage finished; its checkpoint is of no more use."""
        write_json(self.path / "stage.json", json.dumps(summary, indent=1))
        self.checkpoint.unlink(missing_ok=True)
