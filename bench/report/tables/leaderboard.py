"""The one table that a page opens with: every method, its scores and what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bench.report.captions import BOLD, absent_note, data_note, interval_note, joined
from bench.report.contrasts import RATE, measured
from bench.report.statistics import Block
from bench.report.tables.table import Entry, Table, number
from bench.report.tables.training import not_trained_out, training_costs
from bench.score.significance import leaders, ranks
from bench.score.stats import Estimate

SLUG = "leaderboard"


class Column(NamedTuple):
    """A column of scores, in the order of the rows."""

    name: str
    scores: tuple[Estimate | None, ...]
    missing: str = ""
    """What stands where there is none; by default why there is none."""


class Board(NamedTuple):
    """The table, and what the page filters it by."""

    table: Table
    families: tuple[str, ...]
    """Of each row."""
    by_corruption: dict[str, list[list[tuple[str, float | None]]]]
    """By corruption: for each row what stands in ``columns`` in place of the mean over all."""
    columns: tuple[int, ...]


def make_board(block: Block, others: Sequence[Block] = ()) -> Board:
    """Make the leaderboard of a block, with other test sets as columns."""
    labels = _ordered(block)
    columns = _columns(block, labels)
    rivals = [None if label == block.floor else label for label in labels]
    contests = [
        [score if rival else None for score, rival in zip(column.scores, rivals, strict=True)]
        for column in columns
    ]
    best = leaders(contests)
    columns += [Column(f"{b.title} ↑", tuple(map(b.score, labels))) for b in others]
    shown = [c for c in columns if any(score is not None for score in c.scores)]
    place = _ranks(block, labels)
    facts = list(_facts(block, labels))
    rows = []
    for row, label in enumerate(labels):
        numbers = [
            number(
                column.scores[row],
                best=(index, row) in best,
                missing=column.missing or block.missing(label),
            )
            for index, column in enumerate(columns)
            if column in shown
        ]
        head = (Entry(label), Entry(family_of(block, label)))
        rows.append((*head, *place[row], *numbers, *(entries[row] for _, entries in facts)))
    names = ("Method", "Family", *(("Rank",) if place[0] else ()), *(c.name for c in shown))
    names += tuple(name for name, _ in facts)
    first = 2 + len(place[0])
    swapped = [i for i, c in enumerate(shown) if c.name in ("mPC ↑", "Above floor ↑")]
    return Board(
        Table(
            SLUG, "Leaderboard", _caption(block, shown, ranked=bool(place[0])), names, tuple(rows)
        ),
        tuple(family_of(block, label) for label in labels),
        {
            name: [_under(block, label, name, [shown[i].name for i in swapped]) for label in labels]
            for name in (block.corruptions if swapped else ())
        },
        tuple(first + i for i in swapped),
    )


def family_of(block: Block, label: str) -> str:
    """Name the family that a method counts in: the floor and controls count in none."""
    if label == block.floor:
        return "floor"
    if family := block.families.get(label):
        return family
    if block.task == "reconstruct":
        return "codec"
    return "control" if block.families else "–"


def _ordered(block: Block) -> tuple[str, ...]:
    """Return the methods, the highest clean score first, those without one last."""
    scores = {label: block.score(label) for label in block.labels}
    return tuple(
        sorted(block.labels, key=lambda label: -(s.value if (s := scores[label]) else -1.0))
    )


def _columns(block: Block, labels: Sequence[str]) -> list[Column]:
    columns = [Column(f"{block.primary} ↑", tuple(block.score(label) for label in labels))]
    if block.conditions and block.learned:
        columns.append(Column("mPC ↑", tuple(block.mpc(label) for label in labels)))
        if block.floor:
            kept = tuple(block.above_floor(label) for label in labels)
            columns.append(Column("Above floor ↑", kept, "–"))
    if block.task == "predict":
        ceilings = tuple(block.score(label, task="reconstruct") for label in labels)
        columns.append(Column("Ceiling ↑", ceilings, "–"))
    return columns


def _ranks(block: Block, labels: Sequence[str]) -> list[tuple[Entry, ...]]:
    """Return each row's entry of ranks; none where a method was trained once or not out."""
    scores = {label: score for label in labels if (score := block.score(label)) is not None}
    possible = ranks(list(scores.values())) if len(scores) > 1 else None
    if possible is None or not_trained_out(block):
        return [()] * len(labels)
    extents = dict(zip(scores, possible, strict=True))
    texts = {
        label: f"{best}" if best == worst else f"{best}–{worst}"
        for label, (best, worst) in extents.items()
    }
    return [(Entry(texts.get(label, "–")),) for label in labels]


def _facts(block: Block, labels: Sequence[str]) -> Iterator[tuple[str, list[Entry]]]:
    """Yield the columns of what scores cost and rest on."""
    records = {label: block.of(label) or block.of(label, task="reconstruct") for label in labels}
    keys = {label: tuple(record.key for record in of) for label, of in records.items()}
    rates = {label: measured(block, label).get(RATE) for label in labels}
    if block.task == "reconstruct" and any(rate is not None for rate in rates.values()):
        yield (
            "Bits/pixel ↓",
            [Entry("–", "plain", rates[label], keys=keys[label]) for label in labels],
        )
    parameters = (float(of[0].parameters) if of else None for of in records.values())
    yield (
        "Parameters",
        [
            Entry("–", "count", value, keys=keys[label])
            for label, value in zip(labels, parameters, strict=True)
        ],
    )
    flops = {cost.label: cost for cost in training_costs(block) if cost.flops is not None}
    if flops:
        blank = Entry("–", "plain")
        yield (
            "Training FLOPs",
            [
                Entry("–", "plain", flops[label].flops, keys=flops[label].keys)
                if label in flops
                else blank
                for label in labels
            ],
        )
    seconds = (
        float(np.mean([record.train_seconds for record in of])) if of else None
        for of in records.values()
    )
    yield (
        "Training (s)",
        [
            Entry("–", "count", value, keys=keys[label])
            for label, value in zip(labels, seconds, strict=True)
        ],
    )
    yield (
        "Seeds",
        [
            Entry(unit="count", value=len({record.cell.seed for record in records[label]}))
            for label in labels
        ],
    )


def _under(
    block: Block, label: str, corruption: str, names: Sequence[str]
) -> list[tuple[str, float | None]]:
    """Return what a row has in place of its means over all corruptions."""
    scores = {
        "mPC ↑": block.mpc(label, corruption),
        "Above floor ↑": block.above_floor(label, corruption),
    }
    entries = [number(scores[name], interval=False, missing="–") for name in names]
    return [
        (entry.number, None if entry.value is None or np.isnan(entry.value) else entry.value)
        for entry in entries
    ]


def _caption(block: Block, shown: Sequence[Column], *, ranked: bool) -> str:
    names = {column.name for column in shown}
    rank = "Rank: the best and the worst that the data allow, all pairs decided together (95%)."
    return joined(
        data_note(block),
        absent_note(block.primary),
        f"mPC: mean over severities, then over {len(block.corruptions)} corruptions."
        if "mPC ↑" in names
        else "",
        "Above floor: the share of what a clean score has above the floor that is kept under"
        " corruption, (mPC − floor) / (clean − floor)."
        if "Above floor ↑" in names
        else "",
        "Ceiling: the truth after the method's own encoding and decoding; no bound where the"
        " inverse is learned."
        if "Ceiling ↑" in names
        else "",
        rank if ranked else "One training each: no rank." if block.training_seeds == 1 else "",
        interval_note(block),
        BOLD,
    )
