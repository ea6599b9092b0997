"""A suite's records to the files of its report."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from bench.core.files import write_atomic, write_text
from bench.core.manifest import Manifest
from bench.report.answer import answer, brief_answer
from bench.report.exports import slug, write_exports
from bench.report.figures.calibration import calibration_plots
from bench.report.figures.codecs import codec_plots
from bench.report.figures.cost import cost_plots
from bench.report.figures.published import published_plots
from bench.report.figures.robustness import robustness_plots
from bench.report.figures.sheet import SLUG, make_sheet
from bench.report.figures.strips import BUDGET_BYTES, make_strips
from bench.report.figures.style import Plot, looks, save, styled
from bench.report.figures.training import training_plots
from bench.report.page import PAGE
from bench.report.page.render import Section, render
from bench.report.published import make_comparison
from bench.report.selection import main_blocks
from bench.report.statistics import Block, make_blocks
from bench.report.tables.claims import claim_tables
from bench.report.tables.codecs import codec_tables
from bench.report.tables.contrasts import contrast_tables
from bench.report.tables.details import detail_tables
from bench.report.tables.overview import failures, needs, overview
from bench.report.tables.panoptic import panoptic_tables
from bench.report.tables.paper import STAND_IN, PaperReport
from bench.report.tables.protocol import protocol_tables
from bench.report.tables.published import published_tables
from bench.report.tables.robustness import robustness_tables
from bench.report.tables.scores import score_tables
from bench.report.tables.table import Table
from bench.report.tables.training import training_tables
from bench.report.tables.uncertainty import uncertainty_tables
from bench.report.tables.zero_shot import zero_shot_tables
from bench.report.zero_shot import ZeroShot
from bench.store.folders import SuiteFolder

Shown = TypeVar("Shown", Table, Plot)


def assemble(
    folder: SuiteFolder, destination: Path, *, digest: str, example: bool, allow_mixed: bool
) -> None:
    """Write every table, plot and the page; see :func:`bench.report.write`."""
    manifest = folder.manifest()
    all_blocks = make_blocks(folder, allow_mixed=allow_mixed)
    blocks, zero_shot = main_blocks(all_blocks), ZeroShot(all_blocks)
    sections: list[Section] = []
    with styled():
        for block in blocks:
            left = BUDGET_BYTES - sum(section.picture_bytes for section in sections)
            sections.append(_marked(_section(block, blocks, left), manifest.stand_in))
    paper = PaperReport(folder, manifest.paper, blocks) if manifest.paper else None
    published = [
        *(paper.tables() if paper else ()),
        *zero_shot_tables(zero_shot),
        *needs(manifest),
    ]
    published = [_told(table, manifest.stand_in) for table in published]
    common = [
        _told(table, manifest.stand_in)
        for table in _common_tables(blocks, folder, overviewed=not zero_shot.rows)
    ]
    _write_files(destination, manifest, sections, [*published, *common])
    write_exports(all_blocks, destination / "exports")
    sentences = [
        *([paper.answer()] if paper else []),
        *zero_shot.sentences(),
        *(sections[0].sentences if sections else []),
    ]
    records = [record for block in all_blocks for record in block.records]
    page = render(
        manifest, sections, records, published, common, sentences, digest=digest, example=example
    )
    write_text(destination / PAGE, page)


def _write_files(
    destination: Path, manifest: Manifest, sections: Sequence[Section], tables: Sequence[Table]
) -> None:
    """Write tables and plots, in place of those of an earlier report."""
    _, _, share = manifest.suite.partition(f"-{STAND_IN}")
    end = f"-{STAND_IN}{share.partition(' ')[0]}" if manifest.stand_in else ""
    for old in ("tables", "plots", "exports"):
        shutil.rmtree(destination / old, ignore_errors=True)
    for section in sections:
        stem = f"{section.anchor}-" if len(sections) > 1 else ""
        _write_tables(section.tables, destination / "tables", stem, end)
        for plot in section.plots:
            save(plot, destination / "plots", stem + plot.slug + end)
        if section.sheet:
            _write_picture(section.sheet.large, destination / "plots" / f"{stem}{SLUG}{end}.jpg")
    _write_tables(tables, destination / "tables", "", end)


def _section(block: Block, blocks: Sequence[Block], left: int) -> Section:
    """Make a block's section with at most so many bytes of pictures as the page has left."""
    sheet, comparison = make_sheet(block, left // 2), make_comparison(block)
    left -= len(sheet.shown.content) if sheet else 0
    return Section(
        anchor=slug(block.title),
        block=block,
        sentences=answer(block) if block is blocks[0] else brief_answer(block),
        tables=[
            *score_tables(block),
            *detail_tables(block),
            *uncertainty_tables(block),
            *(training_tables(block) if _trained_here(block, blocks) else ()),
            *panoptic_tables(block),
            *codec_tables(block),
            *contrast_tables(block),
            *robustness_tables(block),
            *protocol_tables(block),
            *published_tables(comparison),
        ],
        plots=[
            *robustness_plots(block),
            *(training_plots(block) if _trained_here(block, blocks) else ()),
            *cost_plots(block),
            *calibration_plots(block),
            *codec_plots(block),
            *published_plots(comparison),
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
    same = (other for other in blocks if other.first.train_on == block.first.train_on)
    return next(same) is block


def _common_tables(
    blocks: Sequence[Block], folder: SuiteFolder, *, overviewed: bool
) -> Iterable[Table]:
    if len(blocks) > 1 and overviewed:
        yield overview(blocks)
    yield from claim_tables(folder)
    yield from failures(blocks)


def _write_picture(content: bytes, path: Path) -> None:
    write_atomic(path, lambda file: file.write(content))


def _write_tables(tables: Iterable[Table], folder: Path, stem: str, end: str) -> None:
    for table in (table._replace(slug=stem + table.slug + end) for table in tables):
        forms = {"md": table.markdown(), "csv": table.csv(), "tex": table.latex()}
        for ending, text in forms.items():
            write_text(folder / f"{table.slug}.{ending}", text)
