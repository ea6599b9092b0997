"""The page: one HTML file that opens from disk, on a phone, in the dark and on paper."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bench.core.manifest import Manifest
from bench.core.schema import Record
from bench.report.block import Block, is_generated
from bench.report.images import VOID_COLOUR, Strip
from bench.report.plots import Look, Plot
from bench.report.sheet import Sheet
from bench.report.table import Entry, Sentence, Table

TEMPLATE = "template.html"


class Section(NamedTuple):
    """All that the page shows of one block."""

    anchor: str
    block: Block
    sentences: Sequence[Sentence]
    tables: Sequence[Table]
    plots: Sequence[Plot]
    sheet: Sheet | None
    strips: Sequence[Strip]
    looks: dict[str, Look]

    @property
    def picture_bytes(self) -> int:
        """Bytes of its pictures, before base64."""
        sheet = len(self.sheet.shown.content) if self.sheet else 0
        return sheet + sum(strip.size for strip in self.strips)


class Fact(NamedTuple):
    """One line of a cell's provenance."""

    name: str
    value: str


def render(
    manifest: Manifest,
    sections: Sequence[Section],
    records: Sequence[Record],
    published: Sequence[Table],
    common: Sequence[Table],
    sentences: Sequence[Sentence],
    *,
    digest: str,
    example: bool,
) -> str:
    """Return the page's HTML; the digest says which results it was made from."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    position = {record.key: index for index, record in enumerate(records)}
    environment.globals["sources"] = lambda entry: _sources(entry, position)
    found = {record.key: facts(record, manifest) for record in records}
    shared = _shared(list(found.values()))
    return environment.get_template(TEMPLATE).render(
        manifest=manifest,
        digest=digest,
        stamps=stamps(manifest, records, example=example),
        sections=sections,
        published=published,
        common=common,
        sentences=sentences,
        records=records,
        facts={key: [f for f in each if f not in shared] for key, each in found.items()},
        shared=shared,
        void_colour=VOID_COLOUR,
    )


def _shared(found: Sequence[Sequence[Fact]]) -> list[Fact]:
    """Return what is true of every cell, if there are several, to be written once."""
    if len(found) < 2:
        return []
    return [fact for fact in found[0] if all(fact in each for each in found)]


def _sources(entry: Entry, position: dict[str, int]) -> str:
    """Return the numbers, on the page, of the cells an entry rests on."""
    return " ".join(str(position[key]) for key in entry.keys)


def stamps(manifest: Manifest, records: Sequence[Record], *, example: bool) -> list[str]:
    """Say what must not be overlooked: limits, stand-ins, failures, uncommitted code."""
    found = []
    if example:
        found.append("Example page: it shows what a report looks like.")
    limits = sorted({record.cell.limit for record in records if record.cell.limit is not None})
    if limits:
        count = ", ".join(map(str, limits))
        found.append(f"Limited: only the first {count} images of each test split were scored.")
    tested = {record.cell.test_on.dataset: record.cell.test_on for record in records}
    if manifest.stand_in:
        found.append(f"{manifest.stand_in}.")
    elif any(map(is_generated, tested.values())):
        found.append(
            "Stand-in data: generated images, not photographs. The numbers compare methods with"
            " each other here and nowhere else."
        )
    if any(record.provenance and record.provenance.dirty for record in records):
        found.append("Some cells were made with uncommitted changes in the working tree.")
    if manifest.unavailable:
        count = f"{len(manifest.unavailable)} of {len(manifest.unavailable) + len(records)} cells"
        found.append(f"{count} were not run, for want of data or weights.")
    failed = sum(record.status == "failed" for record in records)
    if failed:
        found.append(f"{failed} of {len(records)} cells failed.")
    return found


def facts(record: Record, manifest: Manifest) -> list[Fact]:
    """Return the provenance of a cell, for whoever asks where its number comes from."""
    cell = record.cell
    found = [
        Fact("Cell", record.key),
        Fact("Method", f"{cell.method}, preset {cell.preset}"),
        Fact("Seeds", f"training {cell.seed}, sampling {cell.sampling_seed}"),
        Fact("Configuration", json.dumps(dict(cell.config), sort_keys=True, default=str)),
        Fact("Trained on", f"{cell.train_on} (content {record.train_data or 'unknown'})"),
        Fact("Tested on", f"{cell.test_on} (content {record.test_data or 'unknown'})"),
        Fact("Condition", f"{cell.condition}, task {cell.task}"),
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
        found += [
            Fact("Commit", f"{made.commit} ({state})"),
            Fact("Device", f"{share}{made.device}, {made.threads} threads, {made.platform}"),
            Fact("Packages", ", ".join(packages)),
        ]
    if record.error:
        found.append(Fact("Error", record.error))
    return [*found, Fact("Command", manifest.command)]
