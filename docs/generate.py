"""Make the README's figure, tables and sentences from the committed measurements.

    python -m docs.generate

writes what stands between ``<!-- NAME -->`` and ``<!-- /NAME -->`` in README.md and in
``docs/codecs.md``, and ``docs/camvid.svg``. ``tests/test_readme.py`` compares.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path

from bench.report.answer import Evidence, answer
from bench.report.contrasts import Compared, compare, contrasts_of, measured
from bench.report.figures.glance import glance
from bench.report.figures.style import styled
from bench.report.selection import main_blocks
from bench.report.statistics import Block, make_blocks
from bench.report.tables.leaderboard import make_board
from bench.report.tables.table import Entry, Table, number, plain
from bench.report.zero_shot import ZeroShot
from bench.score.significance import decide
from bench.store.folders import SuiteFolder

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
CODEC_PAGE = ROOT / "docs" / "codecs.md"
FIGURE = ROOT / "docs" / "camvid.svg"
REFERENCE = ROOT / "results" / "reference"
CODECS = {"scenes": "reconstruction/scenes", "CamVid": "reconstruction/camvid"}
SENTENCES = 3
"""Of the answer, the verdict included."""
LEFT_OUT = {"Parameters"}
"""Columns of the leaderboard that the README has no room for."""


def main() -> None:
    """Write the README and its figure again."""
    for path, contents in parts().items():
        text = path.read_text()
        for name, content in contents.items():
            text = replaced(text, name, content)
        path.write_text(text)
    FIGURE.write_text(drawn())


def parts() -> dict[Path, dict[str, str]]:
    """Return by file what stands between the markers of each name."""
    camvid = main_blocks(make_blocks(SuiteFolder(REFERENCE / "camvid")))
    codecs = {name: make_blocks(SuiteFolder(REFERENCE / p))[0] for name, p in CODECS.items()}
    sentences = {name: said([block]) for name, block in codecs.items()}
    verdicts = "\n".join(f"- {name}: {lines[0]}" for name, lines in sentences.items())
    return {
        README: {
            "camvid": f"{bullets(said(camvid))}\n\n{scores(camvid)}",
            "codecs": f"{verdicts}\n\n{contrast_table(codecs)}",
        },
        CODEC_PAGE: {"codecs": codec_table(codecs)},
    }


def replaced(text: str, name: str, content: str) -> str:
    """Put content between the markers of a name.

    Raises:
        ValueError: if the text has no such markers.
    """
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"the page has no <!-- {name} --> ... <!-- /{name} -->")
    return pattern.sub(lambda found: f"{found[1]}{content}\n{found[2]}", text)


def said(blocks: Sequence[Block]) -> list[str]:
    """Return the answer of a suite, the verdict first."""
    question = blocks[0].folder.manifest().question
    sentences = answer(Evidence(question, blocks, ZeroShot([]), None))
    return [plain(sentence) for sentence in sentences]


def bullets(sentences: Sequence[str]) -> str:
    """Write the verdict and the first further sentences."""
    verdict, *further = sentences[:SENTENCES]
    return "\n".join([f"**{verdict}**", "", *(f"- {sentence}" for sentence in further)])


def scores(blocks: Sequence[Block]) -> str:
    """Write the leaderboard, narrower and without twins and parts."""
    board = make_board(blocks[0], blocks[1:])
    table = board.table
    kept = [i for i, name in enumerate(table.columns) if name not in LEFT_OUT]
    columns = tuple(table.columns[i] for i in kept)
    rows = tuple(
        tuple(row[i] for i in kept)
        for row, family in zip(table.rows, board.families, strict=True)
        if family != "control"
    )
    return grid(Table("", "", "", columns, rows))


def codec_table(blocks: dict[str, Block]) -> str:
    """Write rate and score of every codec on both sets of data."""
    labels = dict.fromkeys(label for block in blocks.values() for label in block.labels)
    heads = [f"{name}: {what}" for name in blocks for what in ("bits/pixel", "mIoU ↑", "seeds")]
    rows = []
    for label in labels:
        entries: list[Entry] = [Entry(label)]
        for block in blocks.values():
            rate = measured(block, label).get("bits_per_pixel")
            seeds = len({record.cell.seed for record in block.of(label)})
            score = number(block.score(label), interval=False)
            entries += [Entry("–", "plain", rate), score, Entry("", "count", seeds)]
        rows.append(tuple(entries))
    return grid(Table("", "", "", ("Codec", *heads), tuple(rows)))


def contrast_table(blocks: dict[str, Block]) -> str:
    """Write the declared differences with their intervals and what is decided."""
    names = {c.name: c for block in blocks.values() for c in contrasts_of(block)}
    rows = []
    for name, contrast in names.items():
        entries = [Entry(f"{contrast.first_name.split(' and ')[0]} − {contrast.second}, {name}")]
        for block in blocks.values():
            compared = compare(block, contrast)
            decided = _decided(block)
            if isinstance(compared, Compared):
                entries += [number(compared.difference, "points"), Entry(decided[name])]
            else:
                entries += [Entry("–", "points"), Entry("no number")]
        rows.append(tuple(entries))
    heads = [f"{name}: {what}" for name in blocks for what in ("points", "verdict")]
    return grid(Table("", "", "", ("Difference", *heads), tuple(rows)))


def _decided(block: Block) -> dict[str, str]:
    """Return the verdict and p value on each contrast, decided together."""
    scored = {c.name: compare(block, c) for c in contrasts_of(block)}
    differences = {n: c.difference for n, c in scored.items() if isinstance(c, Compared)}
    decisions = zip(differences, decide(list(differences.values())), strict=True)
    return {name: f"{d.verdict} (p {d.p_text})" for name, d in decisions}


def grid(table: Table) -> str:
    """Write a table alone, without its caption."""
    lines = table.markdown().splitlines()
    return "\n".join(line for line in lines if line.startswith("|"))


def drawn() -> str:
    """Return the figure as SVG on white, the same for the same results."""
    text = io.StringIO()
    with styled():
        figure = glance(main_blocks(make_blocks(SuiteFolder(REFERENCE / "camvid")))[0]).figure
        figure.savefig(text, format="svg", facecolor="white", metadata={"Date": None})
    return text.getvalue()


if __name__ == "__main__":
    main()
