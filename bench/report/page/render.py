"""The page: one HTML file that opens from disk, on a phone, in the dark and on paper."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bench.core.manifest import Manifest
from bench.core.record import Record
from bench.report.captions import data_note
from bench.report.figures.pictures import ERROR_PALETTE, VOID_COLOUR, Album
from bench.report.figures.sheet import Sheet
from bench.report.figures.style import Look, Plot
from bench.report.page.provenance import Fact, facts, stamps
from bench.report.selection import Selection
from bench.report.tables.leaderboard import Board
from bench.report.tables.table import Entry, Sentence, Table

TEMPLATE = "template.html"
OPEN_PLOTS = 2
"""Figures that are open; the others are folded, and so are all tables but the leaderboard."""


class Section(NamedTuple):
    """All that is made of one block."""

    anchor: str
    stem: str
    """What the names of its files begin with."""
    block: Selection
    tables: Sequence[Table]
    plots: Sequence[Plot]
    sheet: Sheet | None
    album: Album | None
    looks: dict[str, Look]

    @property
    def data_note(self) -> str:
        """Which data it is about."""
        return data_note(self.block)


def render(
    manifest: Manifest,
    board: Board | None,
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
    environment.globals["first_cell"] = lambda entry: entry.keys[0]
    return environment.get_template(TEMPLATE).render(
        manifest=manifest,
        digest=digest,
        stamps=stamps(manifest, records, example=example),
        board=board,
        by_corruption=_json(board.by_corruption if board else {}),
        main=sections[0] if sections else None,
        sections=sections,
        published=published,
        common=common,
        sentences=sentences,
        records=records,
        cells=_json(_cells(records, manifest)),
        album=_json(_album(sections[0].album) if sections and sections[0].album else {}),
        void_colour=VOID_COLOUR,
        wrong_colour=ERROR_PALETTE[1],
        open_plots=OPEN_PLOTS,
    )


def _cells(records: Sequence[Record], manifest: Manifest) -> dict[str, Any]:
    """Return the provenance of all cells, each fact once."""
    numbers: dict[Fact, int] = {}
    cells = [
        {
            "key": record.key,
            "title": str(record.cell),
            "failed": record.status != "ok",
            "facts": [numbers.setdefault(fact, len(numbers)) for fact in facts(record, manifest)],
        }
        for record in records
    ]
    return {"facts": [list(fact) for fact in numbers], "cells": cells}


def _album(album: Album) -> dict[str, Any]:
    """Return every picture once, and of every example which it shows."""
    return {
        "pictures": {key: picture.uri for key, picture in album.pictures.items()},
        "examples": [
            {
                "method": example.label,
                "condition": example.condition,
                "place": example.place,
                "title": example.title,
                "shown": [[picture.caption, picture.key] for picture in example.pictures],
            }
            for example in album.examples
        ],
    }


def _json(content: Mapping[str, Any]) -> Markup:
    """Return JSON that may stand within a script element."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


def _sources(entry: Entry, position: dict[str, int]) -> str:
    """Return the numbers, on the page, of the cells an entry rests on."""
    return " ".join(str(position[key]) for key in entry.keys)
