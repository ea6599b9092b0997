"""Tables about clean images: scores, comparisons, classes, definitions, ceilings, cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from bench.report.block import PRIMARY, Block
from bench.report.table import Entry, Table, number
from bench.score.metrics import METRICS
from bench.score.stats import RESAMPLES, Estimate, holm, minimum_detectable, ranks

ALPHA = 0.05


def separated(rows: Sequence[Sequence[Estimate | None]]) -> set[tuple[int, int]]:
    """Find where a row's best is separated from all its others, (row, column).

    Two-sided paired bootstrap tests of the best against each other entry, corrected
    over the whole table by Holm's method at 5%.
    """
    tests: list[tuple[int, int, float]] = []
    for index, row in enumerate(rows):
        known = [(estimate.value, at) for at, estimate in enumerate(row) if estimate is not None]
        if len(known) > 1:
            _, best = max(known)
            leader = row[best]
            assert leader is not None
            others = [each for at, each in enumerate(row) if each is not None and at != best]
            tests += [(index, best, (leader - other).p_value()) for other in others]
    adjusted = holm([p for _, _, p in tests])
    unsure = {at[:2] for at, p in zip(tests, adjusted, strict=True) if p >= ALPHA}
    return {at[:2] for at in tests} - unsure


def metric_names(block: Block) -> tuple[str, ...]:
    """Return the suite's metrics, the primary one first."""
    return tuple(dict.fromkeys((PRIMARY, *block.first.protocol.metrics)))


def absent_note(*names: str) -> str:
    """Say what each definition does with absent classes, for captions."""
    policies = [f"{name}: {METRICS[name].absent}" for name in names]
    return f"Per cent. {'; '.join(policies)}."


def missing(block: Block, label: str) -> str:
    """Say why a method has no number."""
    failed = any(r.status == "failed" and r.cell.label == label for r in block.records)
    return "failed" if failed else "not run"


def clean_tables(block: Block) -> Iterator[Table]:
    """Make every table that needs clean images only."""
    yield scores(block)
    if len(block.labels) > 1:
        yield comparisons(block)
        yield order(block)
    if any(len(block.of(label)) > 1 for label in block.labels):
        yield variance(block)
    yield definitions(block)
    if any(block.of(label) for label in block.labels):
        yield classes(block)
    if block.task == "predict" and any(r.cell.task == "reconstruct" for r in block.records):
        yield ceilings(block)
    yield cost(block)


def scores(block: Block) -> Table:
    """Clean scores with intervals, and the lead over the floor."""
    names = metric_names(block)
    columns = [[block.score(label, name) for label in block.labels] for name in names]
    best = separated(columns)
    rows = []
    for at, label in enumerate(block.labels):
        numbers = [
            number(column[at], best=(index, at) in best, missing=missing(block, label))
            for index, column in enumerate(columns)
        ]
        rows.append((Entry(label), *numbers, *_lead(block, label)))
    lead = (f"{PRIMARY} over floor",) if block.floor else ()
    caption = block.data_note + absent_note(*names)
    caption += f" {block.interval_note} Bold: separated from every other method (Holm, 5%)."
    caption += resolution_note(block)
    if block.floor:
        caption += f" Floor: {block.floor}, the most frequent class at each position; difference in"
        caption += " percentage points."
    return Table(
        "scores",
        "Clean images" if block.task == "predict" else "Reconstruction of the truth",
        caption,
        ("Method", *(f"{n} ↑" for n in names), *lead),
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
    caption = f"{block.data_note}{absent_note(PRIMARY)} Differences in percentage points."
    caption += f" {block.interval_note} p: two-sided, Holm over this table. Detectable: the true"
    caption += f" difference that {block.units} show with 80% power at 5%; smaller ones are noise."
    names = ("Pair", f"{PRIMARY} difference", "p", "Detectable")
    return Table("comparisons", "Pairs of methods", caption, names, tuple(rows))


def order(block: Block) -> Table:
    """How stable the order of the methods is over resamples of the images."""
    known = [(label, score) for label in block.labels if (score := block.score(label)) is not None]
    known.sort(key=lambda pair: -pair[1].value)
    rows = []
    if known:
        found = ranks([score for _, score in known])
        keys = tuple(key for _, score in known for key in score.keys)
        for at, (label, score) in enumerate(known):
            ends = tuple(dict.fromkeys((int(found.low[at]), int(found.high[at]))))
            shares = (
                Entry(unit="percent", value=float(p), keys=keys) for p in found.probability[at]
            )
            rank = 1 + sum(other.value > score.value for _, other in known)
            interval = Entry("–".join(map(str, ends)))
            rows.append(
                (Entry(label), Entry(unit="count", value=rank, keys=keys), interval, *shares)
            )
    caption = f"{block.data_note}Order by clean {PRIMARY}; {METRICS[PRIMARY].absent}. 95% ranks and"
    caption += (
        f" the share of {RESAMPLES:,} paired resamples of the images in which a method has each"
    )
    caption += " rank, in per cent. Training seeds are averaged, so their variance is not in it."
    places = (f"Rank {place}" for place in range(1, len(known) + 1))
    return Table("ranks", "Ranks", caption, ("Method", "Rank", "95% ranks", *places), tuple(rows))


def variance(block: Block) -> Table:
    """Split what a clean score varies with: training seed, sampling seed and images."""
    rows = []
    for label in block.labels:
        found = block.spread(label)
        keys = tuple(record.key for record in block.of(label))
        cells = block.of(label)
        seeds = (len({getattr(r.cell, name) for r in cells}) for name in ("seed", "sampling_seed"))
        deviations = (
            Entry("incomplete" if found is None else "one seed", "percent", value, keys=keys)
            for value in (found or (None, None, None))
        )
        counts = (Entry(unit="count", value=count, keys=keys) for count in seeds)
        rows.append((Entry(label), *counts, *deviations))
    caption = f"{block.data_note}Standard deviation, in percentage points, of one cell's clean"
    caption += (
        f" {PRIMARY} ({METRICS[PRIMARY].absent}) with another training seed, another sampling"
    )
    caption += (
        " seed at prediction, and other images of the same kind (bootstrap); sampling seeds are"
    )
    caption += " nested in training seeds. 0.0 for a sampling seed: the method does not sample."
    names = ("Method", "Training seeds", "Sampling seeds", "From training", "From sampling",
             "From images")  # fmt: skip
    return Table("variance", "What a score varies with", caption, names, tuple(rows))


def resolution_note(block: Block) -> str:
    """Say what differences the images can tell, for captions."""
    least = block.resolution
    if least is None:
        return ""
    points = 100 * least.value
    note = f" These {block.units} tell differences from {points:.1f} points on (80% power at 5%,"
    note += " median over pairs of methods)"
    if points > 0.1:
        note += "; they cannot tell 68.0 from 68.1"
    return f"{note}."


def definitions(block: Block) -> Table:
    """The same clean predictions under every published definition of a score."""
    rows = [
        (
            Entry(name),
            *(_value(block, label, name) for label in block.labels),
            Entry(metric.definition),
            Entry(metric.absent),
            Entry(metric.published or "–"),
            Entry(metric.source),
        )
        for name, metric in METRICS.items()
    ]
    caption = f"{block.data_note}Per cent. The predictions are the same throughout, only the"
    caption += (
        " definition of the score differs: scores of two papers compare only where it is one."
    )
    caption += " Not stored: the cell was counted before this was, or the data lack what it needs"
    caption += " (instances, or the classes of Cityscapes)."
    scores = (f"{label} ↑" for label in block.labels)
    names = ("Score", *scores, "Definition", "Absent", "Published", "Source")
    title = "The same predictions, other definitions"
    return Table("definitions", title, caption, names, tuple(rows))


def _value(block: Block, label: str, name: str) -> Entry:
    if block.of(label) and not block.is_stored(label, name):
        return Entry("not stored", "percent")
    return number(block.value(label, name), interval=False, missing=missing(block, label))


def classes(block: Block) -> Table:
    """Clean IoU of each class."""
    labels = [label for label in block.labels if block.of(label)]
    values = {label: block.classes(label) for label in labels}
    rows = []
    for index, name in enumerate(block.finished[0].classes):
        entries = [
            Entry(
                text="absent" if np.isnan(values[label][index]) else "",
                unit="percent",
                value=float(values[label][index]),
                keys=tuple(record.key for record in block.of(label)),
            )
            for label in labels
        ]
        rows.append((Entry(name), *entries))
    caption = f"{block.data_note}IoU of each class in per cent, pixels summed over all images;"
    caption += f" in {PRIMARY}, {METRICS[PRIMARY].absent}."
    return Table("classes", "Classes", caption, ("Class", *labels), tuple(rows), tinted=True)


def ceilings(block: Block) -> Table:
    """What each codec loses before anything is predicted."""
    rows = []
    for label in block.labels:
        ceiling, score = block.score(label, task="reconstruct"), block.score(label)
        if ceiling is None:
            continue
        share = score / ceiling if score is not None else None
        lost = score - ceiling if score is not None else None
        rows.append(
            (Entry(label), number(ceiling), number(score), number(lost, "points"), number(share))
        )
    caption = (
        f"{block.data_note}{absent_note(PRIMARY)} Ceiling: {PRIMARY} of the truth after encoding"
    )
    caption += f" and decoding, with no image seen. {block.interval_note}"
    names = ("Method", "Ceiling ↑", "Predicted ↑", "Lost in prediction", "Share of ceiling ↑")
    return Table("ceilings", "Reconstruction ceilings", caption, names, tuple(rows))


def cost(block: Block) -> Table:
    """Size and time of each method, as measured."""
    rows = []
    for label in block.labels:
        records = block.of(label)
        if not records:
            continue
        keys = tuple(record.key for record in records)
        seconds = float(np.mean([record.evaluate_seconds for record in records]))
        rows.append(
            (
                Entry(label),
                Entry(records[0].cell.preset),
                Entry(unit="count", value=records[0].parameters, keys=keys),
                Entry(
                    unit="seconds",
                    value=float(np.mean([record.train_seconds for record in records])),
                    keys=keys,
                ),
                Entry(unit="count", value=1000 * seconds / max(1, block.num_images), keys=keys),
            )
        )
    used = [record.provenance.device for record in block.finished if record.provenance]
    caption = (
        f"{block.data_note}Measured on {', '.join(dict.fromkeys(used)) or 'an unknown device'}:"
    )
    caption += " times are of this machine and include reading and corrupting images."
    names = ("Method", "Preset", "Parameters", "Training (s)", "Evaluation (ms/image)")
    return Table("cost", "Cost", caption, names, tuple(rows))
