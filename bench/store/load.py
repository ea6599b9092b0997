"""Finished cells as a table to compute with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.core.record import Record
from bench.core.schema import Protocol
from bench.score.metrics import METRICS
from bench.store.folders import SuiteFolder, suite_folders

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "suite", "method", "label", "preset", "train_on", "train_split", "test_on", "test_split",
    "resolution", "eval_at", "corrupt_at", "precision", "mapping", "corruption", "severity",
    "task", "seed", "sampling_seed", "curve", "metric", "value", "num_images", "limit",
    "status", "key",
)  # fmt: skip


def load_results(path: str | Path) -> pd.DataFrame:
    """Read the cells of the latest runs below a folder, one row per cell and metric.

    Args:
        path: an output folder, or one suite's folder in it.

    Returns:
        The columns ``COLUMNS``: ``corruption`` is ``none`` and ``severity`` 0 for clean
        images, ``resolution`` is what images are resized to (``80x160``, ``short side 512`` or
        ``native``), ``curve`` the share of the budget that a point of a learning curve had, NaN
        for all other cells, ``value`` is a fraction and NaN for a failed cell, and ``limit`` is
        missing where all images of the split were used.

    Raises:
        StoreError: if there are no results at or below the path.
    """
    import pandas as pd

    rows = [
        row
        for folder in suite_folders(Path(path))
        for record in folder.records()
        for row in _rows(folder, record)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"limit": "Int64", "value": float})


def resolution(protocol: Protocol) -> str:
    """Say what size images are resized to."""
    if protocol.resize is not None:
        return f"{protocol.resize[0]}x{protocol.resize[1]}"
    return f"short side {protocol.short_side}" if protocol.short_side else "native"


def _rows(folder: SuiteFolder, record: Record) -> Iterator[dict[str, Any]]:
    cell = record.cell
    counts = folder.counts(record.key) if record.status == "ok" else None
    for name in cell.protocol.metrics:
        yield {
            "suite": cell.suite,
            "method": cell.method,
            "label": cell.label,
            "preset": cell.preset,
            "train_on": str(cell.train_on),
            "train_split": cell.train_on.split,
            "test_on": str(cell.test_on),
            "test_split": cell.test_on.split,
            "resolution": resolution(cell.protocol),
            "eval_at": cell.protocol.eval_at,
            "corrupt_at": cell.protocol.corrupt_at,
            "precision": cell.protocol.precision,
            "mapping": cell.mapping,
            "corruption": cell.condition.corruption,
            "severity": cell.condition.severity,
            "task": cell.task,
            "seed": cell.seed,
            "sampling_seed": cell.sampling_seed,
            "curve": float("nan") if cell.curve is None else cell.curve,
            "metric": name,
            "value": METRICS[name](counts) if counts is not None else float("nan"),
            "num_images": len(record.image_ids),
            "limit": cell.limit,
            "status": record.status,
            "key": record.key,
        }
