"""A suite's records to the files of its report."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from bench.core.files import write_atomic, write_text
from bench.report import PAGE
from bench.report.answer import answer, brief_answer
from bench.report.block import PRIMARY, Block, describe, main_blocks, make_blocks
from bench.report.claims import claims_table
from bench.report.clean import clean_tables, missing, separated
from bench.report.codec_plots import codec_plots
from bench.report.codecs import codec_tables
from bench.report.exports import slug, write_exports
from bench.report.images import BUDGET_BYTES, make_strips
from bench.report.page import Section, render
from bench.report.panoptic import panoptic_tables
from bench.report.paper import STAND_IN, PaperReport, needs_table
from bench.report.plots import Plot, looks, make_plots, save
from bench.report.protocol import protocol_tables
from bench.report.published import comparison_plots, make_comparison
from bench.report.robust import robust_tables
from bench.report.sheet import SLUG, make_sheet
from bench.report.table import Entry, Table, number
from bench.report.zero_shot import ZeroShot
from bench.score.metrics import METRICS
from bench.store.folders import SuiteFolder

Shown = TypeVar("Shown", Table, Plot)


def assemble(
    folder: SuiteFolder, destination: Path, *, digest: str, example: bool, allow_mixed: bool
) -> None:
    """Write every table, plot and the page; see :func:`bench.report.write`."""
    manifest = folder.manifest()
    every = make_blocks(folder, allow_mixed=allow_mixed)
    blocks, zero_shot = main_blocks(every), ZeroShot(every)
    records = [record for block in every for record in block.records]
    sections: list[Section] = []
    for block in blocks:
        left = BUDGET_BYTES - sum(section.picture_bytes for section in sections)
        sections.append(_marked(_section(block, blocks, left), manifest.stand_in))
    common = list(_common_tables(blocks, folder, overviewed=not zero_shot.rows))
    paper = PaperReport(folder, manifest.paper, blocks) if manifest.paper else None
    published = [*(paper.tables() if paper else ()), *zero_shot.tables()]
    published += [needs_table(manifest)] if manifest.unavailable else []
    common = [_told(each, manifest.stand_in) for each in common]
    published = [_told(each, manifest.stand_in) for each in published]
    end = f"-{STAND_IN}" if manifest.stand_in else ""
    for old in ("tables", "plots", "exports"):
        shutil.rmtree(destination / old, ignore_errors=True)
    for section in sections:
        stem = f"{section.anchor}-" if len(sections) > 1 else ""
        _write_tables(section.tables, destination / "tables", stem, end)
        for plot in section.plots:
            save(plot, destination / "plots", stem + plot.slug + end)
        if section.sheet:
            _write_picture(section.sheet.large, destination / "plots" / f"{stem}{SLUG}{end}.jpg")
    _write_tables([*published, *common], destination / "tables", "", end)
    write_exports(every, destination / "exports")
    sentences = [
        *([paper.answer()] if paper else []),
        *zero_shot.sentences(),
        *(sections[0].sentences if sections else []),
    ]
    page = render(
        manifest, sections, records, published, common, sentences, digest=digest, example=example
    )
    write_text(destination / PAGE, page)


def _section(block: Block, blocks: Sequence[Block], left: int) -> Section:
    """Make a block's section with at most so many bytes of pictures as the page has left."""
    sheet, comparison = make_sheet(block, left // 2), make_comparison(block)
    left -= len(sheet.shown.content) if sheet else 0
    return Section(
        anchor=slug(block.title),
        block=block,
        sentences=answer(block) if block is blocks[0] else brief_answer(block),
        tables=[
            *clean_tables(block),
            *panoptic_tables(block),
            *codec_tables(block),
            *robust_tables(block),
            *protocol_tables(block),
            *([comparison.table()] if comparison else []),
        ],
        plots=[
            *make_plots(block, training=_trained_here(block, blocks)),
            *codec_plots(block),
            *comparison_plots(comparison),
        ],
        sheet=sheet,
        strips=make_strips(block, min(left, BUDGET_BYTES // len(blocks))),
        looks=looks(block),
    )


def _marked(section: Section, stand_in: str) -> Section:
    """Return a section in which every caption tells of a stand-in."""
    tables = [_told(table, stand_in) for table in section.tables]
    plots = [_told(plot, stand_in) for plot in section.plots]
    return section._replace(tables=tables, plots=plots)


def _told(shown: Shown, stand_in: str) -> Shown:
    if not stand_in:
        return shown
    caption = f"{stand_in}. {shown.caption}"
    return shown._replace(caption=caption)


def _trained_here(block: Block, blocks: Sequence[Block]) -> bool:
    """Whether no earlier block shows the same training."""
    same = (each for each in blocks if each.first.train_on == block.first.train_on)
    return next(same) is block


def _common_tables(
    blocks: Sequence[Block], folder: SuiteFolder, *, overviewed: bool
) -> Iterable[Table]:
    if len(blocks) > 1 and overviewed:
        yield overview(blocks)
    claims = claims_table(folder)
    if claims is not None:
        yield claims
    if any(len(block.finished) < len(block.records) for block in blocks):
        yield failures(blocks)


def overview(blocks: Sequence[Block]) -> Table:
    """The clean score of every method on every test set."""
    labels = tuple(dict.fromkeys(label for block in blocks for label in block.labels))
    scores = [[block.score(label) for label in labels] for block in blocks]
    best = separated(scores)
    rows = [
        (
            Entry(label),
            *(
                number(row[at], best=(index, at) in best, missing=missing(blocks[index], label))
                for index, row in enumerate(scores)
            ),
        )
        for at, label in enumerate(labels)
    ]
    caption = f"Clean {PRIMARY} in per cent ({METRICS[PRIMARY].absent}). "
    sizes = (f"{describe(b.first.test_on, 'val')} {b.num_images}" for b in blocks)
    caption += f"Images: {', '.join(sizes)}. "
    caption += "Bold: separated from every other method on that test set (Holm over the table, 5%)."
    names = ("Method", *(f"{block.title} ↑" for block in blocks))
    return Table("overview", "All test sets, clean", caption, names, tuple(rows))


def failures(blocks: Sequence[Block]) -> Table:
    """Every failed cell with its error."""
    rows = [
        (
            Entry(record.cell.label),
            Entry(str(record.cell.test_on)),
            Entry(str(record.cell.condition)),
            Entry(record.cell.task),
            Entry(str(record.cell.seed)),
            Entry(record.error),
        )
        for block in blocks
        for record in block.records
        if record.status == "failed"
    ]
    caption = "Cells without a result, and why. Running the suite again tries them anew."
    names = ("Method", "Test set", "Condition", "Task", "Seed", "Error")
    return Table("failures", "Failed cells", caption, names, tuple(rows))


def _write_picture(content: bytes, path: Path) -> None:
    write_atomic(path, lambda file: file.write(content))


def _write_tables(tables: Iterable[Table], folder: Path, stem: str, end: str) -> None:
    for table in (table._replace(slug=stem + table.slug + end) for table in tables):
        forms = {"md": table.markdown(), "csv": table.csv(), "tex": table.latex()}
        for ending, text in forms.items():
            write_text(folder / f"{table.slug}.{ending}", text)
