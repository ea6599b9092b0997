"""A suite's results in three files, as references are committed.

``records.jsonl.gz`` has a record per line, ``stages.jsonl.gz`` a training stage per line with
its log, and ``counts.npz`` the per-image counts of all cells, each array named
``<cell key>.<name>``. Weights, checkpoints and previews (which hold images of datasets) are
left out.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.core.errors import StoreError
from bench.core.files import write_atomic
from bench.core.schema import Record
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

        arrays = {
            name: self._arrays[f"{record.key}.{name}"]
            for name in Counts._fields
            if f"{record.key}.{name}" in self._arrays
        }
        if not arrays:
            raise StoreError(f"{self.path / COUNTS}: has no counts of {record.key}")
        return Counts(**arrays)

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
    def _arrays(self) -> Any:
        import numpy as np

        try:
            return np.load(self.path / COUNTS, allow_pickle=False)
        except (OSError, zipfile.BadZipFile) as error:
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
    lines, arrays = [], {}
    for record, counts in cells:
        lines.append(record.model_dump_json())
        for name, array in counts._asdict().items() if counts else ():
            if array is not None:
                arrays[f"{record.key}.{name}"] = array
    _write_lines(path / RECORDS, lines)
    _write_lines(path / STAGES, [json.dumps(stage) for stage in stages])
    write_atomic(path / COUNTS, lambda file: file.write(_zipped(arrays)))


def _zipped(arrays: dict[str, np.ndarray]) -> bytes:
    """Return an ``npz`` file without times in it."""
    import numpy as np

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy"), content.getvalue(), zipfile.ZIP_DEFLATED
            )
    return buffer.getvalue()


def _write_lines(path: Path, lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    write_atomic(path, lambda file: file.write(gzip.compress(text.encode(), 9, mtime=0)))


def _lines(path: Path) -> list[str]:
    try:
        return gzip.decompress(path.read_bytes()).decode().splitlines()
    except FileNotFoundError:
        return []
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: cannot be read ({error})") from error
