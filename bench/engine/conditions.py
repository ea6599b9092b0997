"""What makes a cell's condition: its version, and a probe that shows a drift beneath it."""

from __future__ import annotations

from bench import corruptions
from bench.core.schema import CLEAN, Cell
from bench.corruptions import latents as perturbations


def condition_version(cell: Cell) -> int:
    """Return the version of what made a cell's condition; 0 for clean."""
    if cell.condition == CLEAN:
        return 0
    return corruptions.VERSION if cell.task == "predict" else perturbations.VERSION


def condition_probe(cell: Cell) -> str:
    """Return the hash of a probe image under a cell's corruption; empty if images stay clean."""
    corruption, severity = cell.condition.corruption, cell.condition.severity
    if cell.condition == CLEAN or cell.task == "reconstruct":
        return ""
    return corruptions.probe_hash(corruption, severity, cell.protocol.backend)
