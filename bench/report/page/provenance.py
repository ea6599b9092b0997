"""Where numbers come from: the stamps of a page, and the provenance of a cell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from bench.core.manifest import Manifest
from bench.core.record import Record
from bench.report.signature import signature, verify_command


class Fact(NamedTuple):
    """One line of a cell's provenance."""

    name: str
    value: str


def stamps(manifest: Manifest, records: Sequence[Record], *, example: bool) -> list[str]:
    """Say what must not be overlooked: limits, stand-ins, failures, uncommitted code."""
    notes = []
    if example:
        notes.append("Example page: it shows what a report looks like.")
    limits = sorted({record.cell.limit for record in records if record.cell.limit is not None})
    if limits:
        count = ", ".join(map(str, limits))
        notes.append(f"Limited: only the first {count} images of each test split were scored.")
    if manifest.stand_in:
        notes.append(f"{manifest.stand_in}.")
    elif any(record.test_set.generated for record in records):
        notes.append(
            "Stand-in data: generated images, not photographs. The numbers compare the methods on"
            " this page and mean nothing elsewhere."
        )
    if any(record.provenance and record.provenance.dirty for record in records):
        notes.append("Some cells were made with uncommitted changes in the working tree.")
    if manifest.unavailable:
        count = f"{len(manifest.unavailable)} of {len(manifest.unavailable) + len(records)} cells"
        notes.append(f"{count} were not run: data or weights are missing.")
    failed = sum(record.status == "failed" for record in records)
    if failed:
        notes.append(f"{failed} of {len(records)} cells failed.")
    return notes


def facts(record: Record, manifest: Manifest) -> list[Fact]:
    """Return the provenance of a cell: all that its number comes from."""
    cell = record.cell
    lines = [
        Fact("Cell", record.key),
        Fact("Method", f"{cell.method}, preset {cell.preset}"),
        Fact("Seeds", f"training {cell.seed}, sampling {cell.sampling_seed}"),
        Fact("Configuration", json.dumps(dict(cell.config), sort_keys=True, default=str)),
        Fact("Trained on", f"{cell.train_on} (content {record.train_data or 'unknown'})"),
        Fact("Tested on", f"{cell.test_on} (content {record.test_data or 'unknown'})"),
        Fact("Condition", f"{_condition(record)}, task {cell.task}"),
        Fact("Protocol", cell.protocol.model_dump_json(exclude_none=True)),
        Fact(
            "Images", f"{len(record.image_ids)}" + (f", limit {cell.limit}" if cell.limit else "")
        ),
        Fact("Weights (SHA-256)", ", ".join(record.weights) or "none"),
        Fact("Stages", ", ".join(record.stages) or "none"),
        Fact("Finished", record.finished or "unknown"),
    ]
    made = record.provenance
    if made is not None:
        packages = (f"{name} {version}" for name, version in sorted(made.packages.items()))
        state = "with uncommitted changes" if made.dirty else "clean"
        share = f"{made.processes} x " if made.processes > 1 else ""
        lines += [
            Fact("Commit", f"{made.commit} ({state})"),
            Fact("Device", f"{share}{made.device}, {made.threads} threads, {made.platform}"),
            Fact("Packages", ", ".join(packages)),
        ]
    if record.error:
        lines.append(Fact("Error", record.error))
    return [
        *lines,
        Fact("Signature", signature((record,), manifest.primary)),
        Fact("Compute it again", verify_command(manifest, record.key)),
        Fact("Command of the run", manifest.command),
    ]


def _condition(record: Record) -> str:
    """Name a condition with its family and the values of its parameters, as recorded."""
    text = str(record.cell.condition)
    if record.condition is None:
        return text
    values = "; ".join(f"{name}: {value:g}" for name, value in record.condition.parameters)
    return f"{text} ({record.condition.family}; {values})"
