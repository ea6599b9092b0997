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
from bench.report.statistics import Block, separated
from bench.report.tables.table import Entry, Table, number
from bench.score.metrics import METRICS
from bench.score.stats import RESAMPLES, Estimate, Ranks, holm, minimum_detectable, ranks


def score_tables(block: Block) -> Iterator[Table]:
    """Make every table of clean scores."""
    yield scores(block)
    if len(block.labels) > 1:
        yield comparisons(block)
        yield order(block)
    if any(len(block.of(label)) > 1 for label in block.labels):
        yield variance(block)


def scores(block: Block) -> Table:
    """Clean scores with intervals, and the lead over the floor."""
    columns = [[block.score(label, metric) for label in block.labels] for metric in block.metrics]
    best = separated(columns)
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
    adjusted = holm([difference.p_value() for _, _, difference in pairs])
    rows = [
        (
            Entry(f"{a} − {b}"),
            number(difference, "points"),
            Entry(unit="p", value=p, keys=difference.keys),
            Entry(unit="percent", value=minimum_detectable(difference), keys=difference.keys),
        )
        for (a, b, difference), p in zip(pairs, adjusted, strict=True)
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


def order(block: Block) -> Table:
    """How stable the order of the methods is over resamples of the images."""
    ranked = [(label, score) for label in block.labels if (score := block.score(label)) is not None]
    ranked.sort(key=lambda pair: -pair[1].value)
    estimates = [score for _, score in ranked]
    stability = ranks(estimates) if ranked else None
    rows = [
        _ranked(label, estimates, stability, row)
        for row, (label, _) in enumerate(ranked)
        if stability is not None
    ]
    caption = joined(
        data_note(block),
        f"Order by clean {block.primary}; {METRICS[block.primary].absent}.",
        f"95% ranks, and the share of {RESAMPLES:,} paired resamples of the images in which a"
        " method has each rank, in per cent.",
        "Training seeds are averaged, so their variance is not included.",
    )
    columns = (f"Rank {rank}" for rank in range(1, len(ranked) + 1))
    return Table("ranks", "Ranks", caption, ("Method", "Rank", "95% ranks", *columns), tuple(rows))


def _ranked(label: str, scores: list[Estimate], stability: Ranks, row: int) -> tuple[Entry, ...]:
    """Return a method's row; the scores are in descending order."""
    keys = tuple(key for score in scores for key in score.keys)
    ends = tuple(dict.fromkeys((int(stability.low[row]), int(stability.high[row]))))
    rank = 1 + sum(other.value > scores[row].value for other in scores)
    shares = (Entry(unit="percent", value=float(p), keys=keys) for p in stability.probability[row])
    interval = Entry("–".join(map(str, ends)))
    return (Entry(label), Entry(unit="count", value=rank, keys=keys), interval, *shares)


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
