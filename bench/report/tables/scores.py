"""Clean scores, and what the images can tell of them: pairs, ranks, variance."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from bench.report.captions import (
    BOLD,
    HOLM,
    absent_note,
    data_note,
    interval_note,
    joined,
    resolution_note,
    units,
)
from bench.report.statistics import Block
from bench.report.tables.table import Entry, Table, number, p_value
from bench.report.tables.training import not_trained_out
from bench.score.metrics import METRICS
from bench.score.significance import decide, leaders, ranks
from bench.score.stats import minimum_detectable


def score_tables(block: Block) -> Iterator[Table]:
    """Make every table of clean scores."""
    yield scores(block)
    if len(block.labels) > 1:
        yield comparisons(block)
        yield from order(block)
    if any(len(block.of(label)) > 1 for label in block.labels):
        yield variance(block)


def scores(block: Block) -> Table:
    """Clean scores with intervals, and the lead over the floor."""
    columns = [[block.score(label, metric) for label in block.labels] for metric in block.metrics]
    best = leaders(columns)
    rows = []
    for row, label in enumerate(block.labels):
        numbers = [
            number(scores[row], best=(column, row) in best, missing=block.missing(label))
            for column, scores in enumerate(columns)
        ]
        rows.append((Entry(label), *numbers, *_lead(block, label)))
    floor = f"Floor: {block.floor}, which does not look at the image; difference in percentage"
    caption = joined(
        data_note(block),
        absent_note(*block.metrics),
        interval_note(block),
        BOLD,
        resolution_note(block),
        f"{floor} points." if block.floor else "",
    )
    lead = (f"{block.primary} over floor",) if block.floor else ()
    return Table(
        "scores",
        "Clean images" if block.task == "predict" else "Reconstruction of the truth",
        caption,
        ("Method", *(f"{metric} ↑" for metric in block.metrics), *lead),
        tuple(rows),
    )


def _lead(block: Block, label: str) -> tuple[Entry, ...]:
    if block.floor is None:
        return ()
    score, floor = block.score(label), block.score(block.floor)
    if label == block.floor or score is None or floor is None:
        return (Entry("–", "points"),)
    return (number(score - floor, "points"),)


def comparisons(block: Block) -> Table:
    """Every pair of methods: difference, corrected p value, and what could be detected."""
    pairs = [
        (a, b, first - second)
        for a, b in combinations(block.labels, 2)
        if (first := block.score(a)) is not None and (second := block.score(b)) is not None
    ]
    decisions = decide([difference for _, _, difference in pairs])
    rows = [
        (
            Entry(f"{a} − {b}"),
            number(difference, "points"),
            p_value(decision, difference),
            Entry(unit="percent", value=minimum_detectable(difference), keys=difference.keys),
        )
        for (a, b, difference), decision in zip(pairs, decisions, strict=True)
    ]
    caption = joined(
        data_note(block),
        absent_note(block.primary),
        "Differences in percentage points.",
        interval_note(block),
        HOLM,
        f"Detectable: the true difference that {units(block)} show with 80% power at 5%;"
        " smaller ones are noise.",
    )
    names = ("Pair", f"{block.primary} difference", "p", "Detectable")
    return Table("comparisons", "Pairs of methods", caption, names, tuple(rows))


def order(block: Block) -> Iterator[Table]:
    """Give the ranks that each method may have; nothing where one was trained once or not out."""
    ranked = [(label, score) for label in block.labels if (score := block.score(label)) is not None]
    ranked.sort(key=lambda pair: -pair[1].value)
    possible = ranks([score for _, score in ranked])
    if not ranked or possible is None or not_trained_out(block):
        return
    keys = tuple(key for _, score in ranked for key in score.keys)
    rows = tuple(
        (
            Entry(label),
            number(score),
            *(Entry(unit="count", value=rank, keys=keys) for rank in extent),
        )
        for (label, score), extent in zip(ranked, possible, strict=True)
    )
    caption = joined(
        data_note(block),
        f"The best and the worst rank by clean {block.primary} that the data allow a method;"
        f" {METRICS[block.primary].absent}.",
        "All pairs are decided together: the true ranks of all methods lie in these intervals with"
        " 95% probability, images and training seeds being drawn anew.",
        interval_note(block),
    )
    names = ("Method", f"{block.primary} ↑", "Best rank", "Worst rank")
    yield Table("ranks", "Ranks", caption, names, rows)


def variance(block: Block) -> Table:
    """Split what a clean score varies with: training seed, sampling seed and images."""
    rows = []
    for label in block.labels:
        spread, cells = block.spread(label), block.of(label)
        keys = tuple(record.key for record in cells)
        seeds = (len({getattr(r.cell, name) for r in cells}) for name in ("seed", "sampling_seed"))
        deviations = (
            Entry("incomplete" if spread is None else "one seed", "percent", value, keys=keys)
            for value in (spread or (None, None, None))
        )
        counts = (Entry(unit="count", value=count, keys=keys) for count in seeds)
        rows.append((Entry(label), *counts, *deviations))
    caption = joined(
        data_note(block),
        "Standard deviation, in percentage points, of the clean"
        f" {block.primary} of one cell ({METRICS[block.primary].absent}) over training seeds, over"
        " sampling seeds at prediction, and over images of the same kind (bootstrap).",
        "Sampling seeds are nested in training seeds.",
        "0.0 for sampling: the method does not sample.",
    )
    names = ("Method", "Training seeds", "Sampling seeds", "From training", "From sampling",
             "From images")  # fmt: skip
    return Table("variance", "Variance of a score", caption, names, tuple(rows))
