"""What stands behind clean scores: other definitions, classes, codec ceilings and cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from statistics import fmean, median

import numpy as np

from bench.core.record import Record
from bench.report.captions import absent_note, data_note, interval_note, joined
from bench.report.statistics import Block
from bench.report.tables.table import Entry, Table, number
from bench.score.metrics import METRICS

_ENDS = ((0, min), (1, max))
"""Of a spread: which of its two, and of several spreads the outermost."""


def detail_tables(block: Block) -> Iterator[Table]:
    """Make every further table that needs clean images only."""
    yield definitions(block)
    if any(block.of(label) for label in block.labels):
        yield classes(block)
    if block.task == "predict" and any(r.cell.task == "reconstruct" for r in block.records):
        yield ceilings(block)
    yield cost(block)


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
    caption = joined(
        data_note(block),
        "Per cent. All scores are of the same predictions; only the definition differs. Scores of"
        " two papers compare only if their definitions agree.",
        "Not stored: the cell was counted before this score existed, or the data lack what it"
        " needs (instances, or the classes of Cityscapes).",
    )
    scores = (f"{label} ↑" for label in block.labels)
    names = ("Score", *scores, "Definition", "Absent", "Published", "Source")
    title = "The same predictions under other definitions"
    return Table("definitions", title, caption, names, tuple(rows))


def _value(block: Block, label: str, name: str) -> Entry:
    if block.of(label) and not block.is_stored(label, name):
        return Entry("not stored", "percent")
    return number(block.value(label, name), interval=False, missing=block.missing(label))


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
    caption = joined(
        data_note(block),
        "IoU per class in per cent, pixels summed over all images.",
        "Absent classes are in neither truth nor prediction and are left out of the mean.",
    )
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
    caption = joined(
        data_note(block),
        absent_note(block.primary),
        f"Codec ceiling: {block.primary} of the truth after encoding and decoding, without the"
        " image.",
        interval_note(block),
    )
    names = ("Method", "Ceiling ↑", "Predicted ↑", "Lost in prediction", "Share of ceiling ↑")
    return Table("ceilings", "Codec ceilings", caption, names, tuple(rows))


def cost(block: Block) -> Table:
    """What each method starts from, its size, and what a prediction takes."""
    rows = []
    for label in block.labels:
        records = block.of(label)
        if records:
            rows.append((Entry(label), *_cost_entries(block, records)))
    used = [record.provenance.device for record in block.finished if record.provenance]
    devices = ", ".join(dict.fromkeys(used)) or "an unknown device"
    sizes = dict.fromkeys(r.cost.size for r in block.finished if r.cost is not None)
    alone = (
        f"Operations, latency and memory: of the model alone on {_sizes(sizes)}, after warm-up."
        " A multiplication and an addition are two operations. Latency: one image, median, and the"
        " least and the greatest of the repeats. Images/s: as many at a time as are evaluated."
        " Memory: the most that the accelerator held, weights included; not counted on a CPU."
    )
    caption = joined(
        data_note(block),
        f"Measured on {devices}.",
        alone if sizes else "",
        "Training and evaluation include reading and corrupting images.",
    )
    names = (
        *("Method", "Preset", "Starts from", "Parameters", "GFLOPs", "Latency (ms)", "Spread (ms)"),
        *("Images/s", "Memory (MiB)", "Training (s)", "Evaluation (ms/image)"),
    )
    return Table("cost", "Cost", caption, names, tuple(rows))


def _cost_entries(block: Block, records: Sequence[Record]) -> tuple[Entry, ...]:
    """Return the entries of a method, of whose finished clean cells these are the records."""
    first = next((record for record in records if record.cost is not None), records[0])
    costs = [record.cost for record in records if record.cost is not None]
    entry = partial(Entry, keys=tuple(record.key for record in records))
    training = fmean(record.train_seconds for record in records)
    evaluation = fmean(record.evaluate_seconds for record in records)
    alone = [entry("not measured", unit) for unit in ("plain", "plain", "text", "plain", "count")]
    if costs:
        low, high = (1000 * limit(c.latency_spread[i] for c in costs) for i, limit in _ENDS)
        memory = [cost.peak_memory for cost in costs if cost.peak_memory is not None]
        alone = [
            entry(unit="plain", value=costs[0].flops / 1e9),
            entry(unit="plain", value=1000 * median(cost.latency for cost in costs)),
            entry(f"{low:.3g}–{high:.3g}"),
            entry(unit="plain", value=median(cost.throughput for cost in costs)),
            entry("–", "count", max(memory) / 2**20 if memory else None),
        ]
    return (
        Entry(first.cell.preset),
        Entry(first.initialisation),
        entry(unit="count", value=first.parameters),
        *alone,
        entry(unit="seconds", value=training),
        entry(unit="count", value=1000 * evaluation / max(1, block.num_images)),
    )


def _sizes(sizes: Iterable[tuple[int, int]]) -> str:
    return " and ".join(f"{height} x {width}" for height, width in sizes) + " pixels"
