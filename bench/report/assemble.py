"""A suite's records to the files of its report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from bench.core.files import write_atomic, write_text
from bench.core.manifest import Manifest
from bench.report.answer import Evidence, answer
from bench.report.exports import slug, write_exports
from bench.report.figures.calibration import calibration_plots
from bench.report.figures.codecs import codec_plots
from bench.report.figures.cost import cost_plots
from bench.report.figures.glance import glance_plots
from bench.report.figures.pictures import make_album
from bench.report.figures.published import published_plots
from bench.report.figures.robustness import robustness_plots
from bench.report.figures.sheet import SLUG, make_sheet
from bench.report.figures.style import Plot, looks, save, styled
from bench.report.figures.training import training_plots
from bench.report.kit.latex import latex
from bench.report.page import PAGE, SUMMARY
from bench.report.page.render import Section, render
from bench.report.published import Comparison, make_comparison
from bench.report.selection import main_blocks
from bench.report.statistics import Block, make_blocks
from bench.report.tables.claims import claim_tables
from bench.report.tables.codecs import codec_tables
from bench.report.tables.contrasts import contrast_tables
from bench.report.tables.details import detail_tables
from bench.report.tables.leaderboard import Board, make_board
from bench.report.tables.overview import failures, needs, overview
from bench.report.tables.panoptic import panoptic_tables
from bench.report.tables.paper import STAND_IN, PaperReport
from bench.report.tables.protocol import protocol_tables
from bench.report.tables.published import published_tables
from bench.report.tables.robustness import robustness_tables
from bench.report.tables.scores import score_tables
from bench.report.tables.table import Table, plain
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
    paper = PaperReport(folder, manifest.paper, blocks) if manifest.paper else None
    board = make_board(blocks[0], blocks[1:]) if blocks else None
    with styled():
        sections = [_section(block, blocks) for block in blocks]
    sections = [_marked(section, manifest) for section in sections]
    published = [
        *(paper.tables() if paper else ()),
        *zero_shot_tables(zero_shot),
        *needs(manifest),
    ]
    common = [*_common_tables(blocks, folder, overviewed=not zero_shot.rows)]
    published, common = (
        [_told(table, manifest) for table in tables] for tables in (published, common)
    )
    if board:
        board = board._replace(table=_told(board.table, manifest))
    boards = [board.table] if board else []
    _write_files(destination, manifest, sections, [*boards, *published, *common])
    write_exports(all_blocks, destination / "exports")
    sentences = answer(Evidence(manifest.question, blocks, zero_shot, paper))
    _write_summary(destination, [plain(sentence) for sentence in sentences], board)
    records = [record for block in all_blocks for record in block.records]
    page = render(
        manifest,
        board,
        sections,
        records,
        published,
        common,
        sentences,
        digest=digest,
        example=example,
    )
    write_text(destination / PAGE, page)


def _write_summary(destination: Path, sentences: Sequence[str], board: Board | None) -> None:
    """Write what a terminal shows at the end of a run."""
    table = board.table if board else Table("", "", "", (), ())
    content = {
        "verdict": sentences[0],
        "further": sentences[1:],
        "columns": table.columns,
        "units": table.units(),
        "rows": [[entry.number for entry in row] for row in table.rows],
    }
    write_text(destination / SUMMARY, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _write_files(
    destination: Path, manifest: Manifest, sections: Sequence[Section], tables: Sequence[Table]
) -> None:
    """Write tables and plots, in place of those of an earlier report."""
    for old in ("tables", "plots", "exports"):
        shutil.rmtree(destination / old, ignore_errors=True)
    for section in sections:
        _write_tables(section.tables, destination / "tables", manifest.suite)
        for plot in section.plots:
            save(plot, destination / "plots", plot.slug)
        if section.sheet:
            name = f"{section.stem}{SLUG}{_end(manifest)}.jpg"
            _write_picture(section.sheet.large, destination / "plots" / name)
    _write_tables(tables, destination / "tables", manifest.suite)


def _end(manifest: Manifest) -> str:
    """Return what the names of files end with where something stands in for the data."""
    _, _, share = manifest.suite.partition(f"-{STAND_IN}")
    return f"-{STAND_IN}{share.partition(' ')[0]}" if manifest.stand_in else ""


def _section(block: Block, blocks: Sequence[Block]) -> Section:
    """Make a block's section; pictures are shown of the main one."""
    is_main, comparison = block is blocks[0], make_comparison(block)
    stem = f"{slug(block.title)}-" if len(blocks) > 1 else ""
    sheet = make_sheet(block)
    album = make_album(block) if is_main else None
    return Section(
        anchor=slug(block.title),
        stem=stem,
        block=block,
        tables=[
            table._replace(slug=stem + table.slug) for table in _tables(block, blocks, comparison)
        ],
        plots=[plot._replace(slug=stem + plot.slug) for plot in _plots(block, blocks, comparison)],
        sheet=sheet,
        album=album,
        looks=looks(block),
    )


def _tables(
    block: Block, blocks: Sequence[Block], comparison: Comparison | None
) -> Iterator[Table]:
    yield from score_tables(block)
    yield from contrast_tables(block)
    yield from detail_tables(block)
    yield from uncertainty_tables(block)
    if _trained_here(block, blocks):
        yield from training_tables(block)
    yield from panoptic_tables(block)
    yield from codec_tables(block)
    yield from robustness_tables(block)
    yield from protocol_tables(block)
    yield from published_tables(comparison)


def _plots(block: Block, blocks: Sequence[Block], comparison: Comparison | None) -> Iterator[Plot]:
    yield from glance_plots(block)
    yield from robustness_plots(block)
    yield from cost_plots(block)
    yield from calibration_plots(block)
    yield from codec_plots(block)
    yield from published_plots(comparison)
    if _trained_here(block, blocks):
        yield from training_plots(block)


def _marked(section: Section, manifest: Manifest) -> Section:
    """Return a section in which every caption and file name tells of a stand-in."""
    tables = [_told(table, manifest) for table in section.tables]
    plots = [_told(plot, manifest) for plot in section.plots]
    return section._replace(tables=tables, plots=plots)


def _told(shown: Shown, manifest: Manifest) -> Shown:
    if not manifest.stand_in:
        return shown
    caption = f"{manifest.stand_in}. {shown.caption}"
    return shown._replace(caption=caption, slug=shown.slug + _end(manifest))


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


def _write_tables(tables: Iterable[Table], folder: Path, suite: str) -> None:
    for table in tables:
        forms = {"md": table.markdown(), "csv": table.csv(), "tex": latex(table, suite)}
        for ending, text in forms.items():
            write_text(folder / f"{table.slug}.{ending}", text)
