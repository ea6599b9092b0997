"""A suite's results in three files, as references are committed.

``records.jsonl.gz`` has a record per line, ``stages.jsonl.gz`` a training stage per line with
its log, and ``counts.npz`` the per-image counts of all cells: per field of the counts the
cells' arrays one after the other, and their shapes. Weights, checkpoints and previews (which
hold images of datasets) are left out.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_LZMA, ZipFile, ZipInfo

from bench.core.errors import StoreError
from bench.core.files import write_atomic
from bench.core.record import Record
from bench.store.cells import Preview

if TYPE_CHECKING:
    import numpy as np

    from bench.score.counts import Counts

RECORDS, STAGES, COUNTS = "records.jsonl.gz", "stages.jsonl.gz", "counts.npz"


class PackedStage:
    """A training stage, without its weights."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content

    def summary(self) -> dict[str, Any] | None:
        """Return what the finished stage recorded of itself, if anything."""
        return self._content.get("summary")

    def log_lines(self) -> list[dict[str, Any]]:
        """Return the log, a mapping per line."""
        lines: list[dict[str, Any]] = self._content.get("log", [])
        return lines


class PackedCells:
    """The cells in a suite's folder of three files; read only."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(self, key: str) -> Record | None:
        """Return a cell's record, or None."""
        line = self._records.get(key)
        return None if line is None else Record.model_validate_json(line)

    def stage(self, key: str) -> PackedStage:
        """Return a training stage."""
        return PackedStage(self._stages.get(key, {}))

    def counts(self, record: Record) -> Counts:
        """Return a finished cell's per-image counts.

        Raises:
            StoreError: if the file has none of them.
        """
        from bench.score.counts import Counts

        if record.key not in self._arrays:
            raise StoreError(f"{self.path / COUNTS}: has no counts of {record.key}")
        return Counts(**self._arrays[record.key])

    def preview(self, record: Record) -> Preview | None:
        """Return None: no pictures are kept."""
        return None

    def cell_keys(self) -> tuple[str, ...]:
        """Return the keys of all cells."""
        return tuple(self._records)

    def stage_keys(self) -> tuple[str, ...]:
        """Return the keys of all stages."""
        return tuple(self._stages)

    @cached_property
    def _records(self) -> dict[str, str]:
        return {json.loads(line)["key"]: line for line in _lines(self.path / RECORDS)}

    @cached_property
    def _stages(self) -> dict[str, dict[str, Any]]:
        contents = (json.loads(line) for line in _lines(self.path / STAGES))
        return {content["key"]: content for content in contents}

    @cached_property
    def _arrays(self) -> dict[str, dict[str, np.ndarray]]:
        import numpy as np

        try:
            # Opened here: given a path, NumPy leaves a damaged file open.
            with (self.path / COUNTS).open("rb") as file, np.load(file) as stored:
                return _unstacked({name: stored[name] for name in stored.files})
        except Exception as error:  # one flipped bit can make an archive anything
            raise StoreError(f"{self.path / COUNTS}: cannot be read ({error})") from error


def write_packed(
    path: Path, cells: Iterable[tuple[Record, Counts | None]], stages: Iterable[dict[str, Any]]
) -> None:
    """Write cells and stages into a folder, the same bytes for the same content.

    Args:
        path: the suite's folder.
        cells: records, with counts where they are finished.
        stages: ``key``, ``summary`` and ``log`` of each.
    """
    lines, counted = [], {}
    for record, counts in cells:
        lines.append(record.model_dump_json())
        if counts is not None:
            known = {name: a for name, a in counts._asdict().items() if a is not None}
            counted[record.key] = known
    _write_lines(path / RECORDS, lines)
    _write_lines(path / STAGES, [json.dumps(stage) for stage in stages])
    write_atomic(path / COUNTS, lambda file: file.write(_zipped(_stacked(counted))))


def _stacked(counted: dict[str, dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Put the arrays of all cells one after the other, per field, in the smallest integers."""
    import numpy as np

    stacked = {"keys": np.array(list(counted))}
    for field in dict.fromkeys(name for arrays in counted.values() for name in arrays):
        owners = [key for key, arrays in counted.items() if field in arrays]
        arrays = [counted[key][field] for key in owners]
        flat = np.concatenate([array.ravel() for array in arrays])
        stacked[f"{field}.keys"] = np.array([list(counted).index(key) for key in owners])
        stacked[f"{field}.shapes"] = np.array([array.shape for array in arrays])
        stacked[f"{field}.dtype"] = np.array(str(arrays[0].dtype))
        stacked[field] = flat.astype(_smallest(flat)) if flat.dtype.kind in "iu" else flat
    return stacked


def _smallest(values: np.ndarray) -> np.dtype[Any]:
    """Return the smallest integer type that holds all values."""
    import numpy as np

    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    return np.promote_types(np.min_scalar_type(low), np.min_scalar_type(high))


def _unstacked(stored: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """Return the arrays of each cell by name: what :func:`_stacked` was given."""
    import numpy as np

    keys = stored["keys"].tolist()
    counted: dict[str, dict[str, np.ndarray]] = {key: {} for key in keys}
    for field in (name for name in stored if f"{name}.shapes" in stored):
        flat = stored[field].astype(str(stored[f"{field}.dtype"].item()))
        shapes = stored[f"{field}.shapes"]
        ends = shapes.prod(axis=1).cumsum()
        parts = np.split(flat, ends[:-1])
        for owner, part, shape in zip(stored[f"{field}.keys"], parts, shapes, strict=True):
            counted[keys[owner]][field] = part.reshape(shape)
    return counted


def _zipped(arrays: dict[str, np.ndarray]) -> bytes:
    """Return an ``npz`` file without times in it."""
    import numpy as np

    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_LZMA) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(ZipInfo(f"{name}.npy"), content.getvalue(), ZIP_LZMA)
    return buffer.getvalue()


def _write_lines(path: Path, lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    write_atomic(path, lambda file: file.write(gzip.compress(text.encode(), 9, mtime=0)))


def _lines(path: Path) -> list[str]:
    try:
        return gzip.decompress(path.read_bytes()).decode().splitlines()
    except FileNotFoundError:
        return []
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise StoreError(f"{path}: cannot be read ({error})") from error
