"""The page: one HTML file that opens from disk, on a phone, in the dark and on paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bench.core.manifest import Manifest
from bench.core.record import Record
from bench.report.captions import data_note
from bench.report.figures.sheet import Sheet
from bench.report.figures.strips import VOID_COLOUR, Strip
from bench.report.figures.style import Look, Plot
from bench.report.page.provenance import Fact, facts, stamps
from bench.report.selection import Selection
from bench.report.tables.overview import OVERVIEW
from bench.report.tables.table import Entry, Sentence, Table

TEMPLATE = "template.html"
LEAD = ("scores", "contrasts", "rates", "robustness", "ceilings", "published")
"""Tables that are open, above the figures; all others are folded below them."""


class Section(NamedTuple):
    """All that the page shows of one block."""

    anchor: str
    block: Selection
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

    @property
    def data_note(self) -> str:
        """Which data it is about."""
        return data_note(self.block)


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
    provenance = {record.key: facts(record, manifest) for record in records}
    shared = _shared(list(provenance.values()))
    return environment.get_template(TEMPLATE).render(
        manifest=manifest,
        digest=digest,
        stamps=stamps(manifest, records, example=example),
        sections=sections,
        published=published,
        common=common,
        sentences=sentences,
        records=records,
        facts={key: [f for f in known if f not in shared] for key, known in provenance.items()},
        shared=shared,
        void_colour=VOID_COLOUR,
        lead=LEAD,
        overview=OVERVIEW,
    )


def _shared(cells: Sequence[Sequence[Fact]]) -> list[Fact]:
    """Return what is true of every cell, if there are several, to be written once."""
    if len(cells) < 2:
        return []
    return [fact for fact in cells[0] if all(fact in cell for cell in cells)]


def _sources(entry: Entry, position: dict[str, int]) -> str:
    """Return the numbers, on the page, of the cells an entry rests on."""
    return " ".join(str(position[key]) for key in entry.keys)
