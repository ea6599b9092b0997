"""What is wrong with a codec, by name: collapsed codebooks, empty posteriors, lost classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from bench.core.record import Record
from bench.core.schema import CLEAN

if TYPE_CHECKING:
    from bench.score.counts import Counts

LEAST_USE = 0.05
"""Share of a codebook that must be seen, or it has collapsed."""
LEAST_BITS = 0.01
"""Divergence of a latent number in bits below which the posterior has collapsed."""

NAMED = 3
"""Classes that a finding names; the confusion matrix has the others."""


class CodecProblem(NamedTuple):
    """One thing that is wrong with one trained codec."""

    record: Record
    kind: str
    text: str


def examine(records: Iterable[Record], counts: Callable[[str], Counts]) -> list[CodecProblem]:
    """Look through the clean reconstructions among finished cells; counts by a record's key."""
    found: list[CodecProblem] = []
    for record in records:
        if record.cell.task == "reconstruct" and record.cell.condition == CLEAN:
            found += _collapses(record)
            if lost := _lost_classes(record, counts(record.key)):
                more = f"; and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
                text = "; ".join(lost[:NAMED]) + more
                found.append(CodecProblem(record, "classes not separated", text))
    return found


def _collapses(record: Record) -> list[CodecProblem]:
    found = []
    use = record.measured.get("codebook_use")
    if use is not None and use < LEAST_USE:
        text = f"{use:.1%} of the codes are used, less than {LEAST_USE:.0%}"
        found.append(CodecProblem(record, "collapsed codebook", text))
    bits = record.measured.get("kl_bits_per_latent")
    if bits is not None and bits < LEAST_BITS:
        text = f"{bits:.2g} bits per latent, less than {LEAST_BITS:g}"
        found.append(CodecProblem(record, "posterior collapse", text))
    return found


def _lost_classes(record: Record, counts: Counts) -> list[str]:
    """Name each class more of whose pixels come back as one other class than as itself."""
    import numpy as np

    classes = counts.num_classes
    confusion = np.zeros((classes + 1, classes + 1), np.int64)
    np.add.at(confusion, (counts.truth, counts.predicted), counts.pixels)
    lost = []
    for k, name in enumerate(record.classes):
        most = int(confusion[k, :classes].argmax())
        if confusion[k, most] > confusion[k, k]:
            share = confusion[k, most] / confusion[k].sum()
            lost.append(f"{name} comes back as {record.classes[most]} ({share:.0%} of it)")
    return lost
