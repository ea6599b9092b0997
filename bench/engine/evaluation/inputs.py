"""The images that cells show to methods: how they are called, and what they are made of.

Whoever predicts elsewhere needs exactly these, and predictions are looked up by the same names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.core.config import Inputs
from bench.core.schema import CLEAN, Cell, Condition, DataRef, Protocol, fingerprint
from bench.engine.keys import condition_probe, condition_version

if TYPE_CHECKING:
    from bench.data.split import Split  # which loads torch, and plans do without


def folder_name(reference: DataRef, protocol: Protocol, condition: Condition, seed: int) -> str:
    """Name the images of a test set under a condition, such as ``camvid-val/fog-3-seed-0``.

    The seed is the root of a corruption's draws; clean images have none.
    """
    parts = (reference.dataset, reference.subset, reference.split)
    name = "-".join(part for part in parts if part)
    if protocol.short_side is not None:
        name += f"-short-side-{protocol.short_side}"
    if condition == CLEAN:
        return f"{name}/clean"
    return f"{name}/{condition.corruption}-{condition.severity}-seed-{seed}"


def folder_of(cell: Cell) -> str:
    """Name the images of a cell."""
    return folder_name(cell.test_on, cell.protocol, cell.condition, cell.seed)


def inputs_of(cell: Cell, split: Split) -> Inputs:
    """Describe the images of a cell without making them.

    Args:
        cell: one that predicts.
        split: its test set under its protocol, and its limit.

    Raises:
        DatasetError: if a sample cannot be read.
    """
    size = cell.protocol.size_of
    samples = (split.sample(index) for index in range(len(split)))
    sizes = {sample.id: size(*sample.label.shape) for sample in samples}
    content = split.dataset.fingerprint()
    return Inputs(folder_of(cell), digest_of(cell, content), sizes, split.dataset.ids())


def digest_of(cell: Cell, test_data: str) -> str:
    """Fingerprint all that a cell's images are made of.

    Args:
        cell: one that predicts.
        test_data: content fingerprint of its test set.
    """
    protocol = cell.protocol
    made: tuple[object, ...] = (protocol.resize, protocol.short_side)
    if cell.condition != CLEAN:
        version, probe = condition_version(cell), condition_probe(cell)
        made += (cell.condition, version, probe, protocol.corrupt_at, protocol.backend, cell.seed)
    return fingerprint("inputs", test_data, *made)
