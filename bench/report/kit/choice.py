"""Tables for a paper: chosen methods and scores of one test set, with the signatures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from bench.core.errors import StoreError
from bench.core.registry import suggest
from bench.report.captions import absent_note, data_note, interval_note, joined
from bench.report.kit.latex import Width, latex
from bench.report.signature import signature
from bench.report.statistics import Block, make_blocks
from bench.report.tables.leaderboard import family_of
from bench.report.tables.table import Entry, Table, number
from bench.score.metrics import METRICS
from bench.score.significance import leaders
from bench.score.stats import Estimate
from bench.store.folders import SuiteFolder

Format = Literal["md", "csv", "tex"]
Score = Callable[[Block, str], Estimate | None]
DERIVED: dict[str, tuple[str, str, Score]] = {
    "mPC": ("mPC ↑", "mean over severities, then over corruptions", Block.mpc),
    "rPC": ("rPC ↑", "mPC / clean", Block.retained),
    "above_floor": ("Above floor ↑", "(mPC − floor) / (clean − floor)", Block.above_floor),
    "ceiling": (
        "Ceiling ↑",
        "the truth after the method's own encoding and decoding",
        lambda block, label: block.score(label, task="reconstruct"),
    ),
}
"""Scores beside those of clean images: heading, definition, and what makes them."""


class Choice(NamedTuple):
    """What a table shows."""

    metrics: Sequence[str] = ()
    """Names of ``METRICS`` and ``DERIVED``; the primary one and all derived ones if empty."""
    methods: Sequence[str] = ()
    """Labels in the order of the rows; all if empty."""
    test_set: str = ""
    """A block's title; the first one if empty."""
    intervals: bool = True


def paper_table(
    folder: SuiteFolder, choice: Choice, form: Format = "md", width: Width = "column"
) -> str:
    """Write a table of a suite's results.

    Raises:
        StoreError: if a method, a metric or a test set is not there.
    """
    block = _block(folder, choice.test_set)
    table, notes = _table(block, choice)
    if form == "tex":
        return latex(table, folder.manifest().suite, width, notes)
    if form == "csv":
        return table.csv()
    return table.markdown() + "\n" + "\n".join(f"- `{note}`" for note in notes) + "\n"


def _block(folder: SuiteFolder, title: str) -> Block:
    blocks = {block.title: block for block in make_blocks(folder)}
    if not blocks:
        raise StoreError(f"{folder.path}: no cell has a record; run the suite first")
    _check("test set", [title] if title else [], list(blocks))
    return blocks[title] if title else next(iter(blocks.values()))


def _check(kind: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise StoreError(f"no {kind} {name!r}; {suggest(name, known)}")


def _table(block: Block, choice: Choice) -> tuple[Table, list[str]]:
    """Make the table, and the signature of every row's primary score."""
    _check("method", choice.methods, block.labels)
    _check("metric", choice.metrics, [*METRICS, *DERIVED])
    labels = tuple(choice.methods) or block.labels
    chosen = tuple(choice.metrics) or (block.primary, *DERIVED)
    scores = {name: [_score(block, label, name) for label in labels] for name in chosen}
    if not choice.metrics:
        scores = {name: row for name, row in scores.items() if any(s is not None for s in row)}
    contests = [
        [None if label == block.floor else s for label, s in zip(labels, row, strict=True)]
        for row in scores.values()
    ]
    best = leaders(contests)
    rows = []
    for index, label in enumerate(labels):
        entries = [
            number(
                row[index],
                interval=choice.intervals,
                best=(column, index) in best,
                missing="–" if name in DERIVED else block.missing(label),
            )
            for column, (name, row) in enumerate(scores.items())
        ]
        seeds = Entry(unit="count", value=len({r.cell.seed for r in block.of(label)}))
        rows.append((Entry(label), Entry(family_of(block, label)), *entries, seeds))
    heads = (DERIVED[name][0] if name in DERIVED else f"{name} ↑" for name in scores)
    columns = ("Method", "Family", *heads, "Seeds")
    caption = _caption(block, list(scores), choice)
    table = Table("scores", block.title, caption, columns, tuple(rows))
    signed = ((label, block.of(label)) for label in labels)
    return table, [f"{label}: {signature(of, block.primary)}" for label, of in signed if of]


def _score(block: Block, label: str, name: str) -> Estimate | None:
    if name in DERIVED:
        return DERIVED[name][2](block, label)
    return block.score(label, name) if block.is_stored(label, name) else None


def _caption(block: Block, names: Sequence[str], choice: Choice) -> str:
    kinds = (DERIVED[name] for name in names if name in DERIVED)
    derived = [f"{head.removesuffix(' ↑')}: {text}." for head, text, _ in kinds]
    return joined(
        data_note(block),
        absent_note(*(name for name in names if name in METRICS)),
        *derived,
        interval_note(block) if choice.intervals else "",
        "± is the standard deviation over training seeds." if block.training_seeds > 1 else "",
    )
