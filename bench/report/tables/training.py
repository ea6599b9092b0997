"""What each method's training took, and whether more of it would still help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from statistics import fmean
from typing import Any, NamedTuple

from bench.core.manifest import HALF
from bench.core.record import Record
from bench.report.captions import data_note, joined
from bench.report.selection import Selection
from bench.report.tables.table import Entry, Table
from bench.score.metrics import METRICS
from bench.score.significance import STILL_RISES, curve_gain, still_rises

NOT_TRAINED_OUT = "not trained out"


class TrainingCost(NamedTuple):
    """What one training of a method took, averaged over its seeds; its curve if it has one."""

    label: str
    seeds: int
    seconds: float | None
    samples: float | None
    flops: float | None
    """Training operations; None where the suite has no budget, as none are counted then."""
    parameters: int
    keys: tuple[str, ...]
    """Cells that stand for the trainings."""
    curve: Mapping[float, float]
    """The clean primary score on held-out images by the share of the budget, a fraction."""
    curve_keys: tuple[str, ...]
    """Cells of the curve."""

    @property
    def still_rises(self) -> bool | None:
        """Whether the method is not trained out; None without a curve."""
        return still_rises(self.curve)


def training_costs(block: Selection) -> list[TrainingCost]:
    """Return what the trainings behind a block took, method by method.

    Methods without any training in steps are left out.
    """
    costs = []
    for label in block.labels:
        trained = {record.cell.seed: record for record in block.of(label)}
        summaries = [_summaries(block, record) for record in trained.values()]
        if not any(each["stage"].get("steps") for stages in summaries for each in stages):
            continue
        points = _curve(block, label)
        score = METRICS[block.primary]
        costs.append(
            TrainingCost(
                label=label,
                seeds=len(trained),
                seconds=_mean(summaries, "seconds"),
                samples=_mean(summaries, "samples"),
                flops=_mean(summaries, "flops"),
                parameters=next(iter(trained.values())).parameters,
                keys=tuple(record.key for record in trained.values()),
                curve={s: score(block.folder.counts(r.key)) for s, r in points.items()},
                curve_keys=tuple(record.key for record in points.values()),
            )
        )
    return costs


def not_trained_out(block: Selection) -> tuple[str, ...]:
    """Return the methods whose curve still rises; where there is any, no rank is given."""
    return tuple(cost.label for cost in training_costs(block) if cost.still_rises)


def _summaries(block: Selection, record: Record) -> list[Mapping[str, Any]]:
    """Return what the stages behind a cell recorded of themselves."""
    summaries = (block.folder.stage(key).summary() for key in record.stages)
    return [summary for summary in summaries if summary is not None]


def _mean(summaries: list[list[Mapping[str, Any]]], what: str) -> float | None:
    """Average a sum over stages; None where a stage that was trained in steps lacks it."""
    totals = []
    for stages in summaries:
        trained = [stage for stage in stages if stage["stage"].get("steps")]
        if any(stage.get(what) is None for stage in trained):
            return None
        totals.append(sum(stage.get(what) or 0 for stage in stages))
    return fmean(totals)


def _curve(block: Selection, label: str) -> dict[float, Record]:
    """Return the points of a method's learning curve on a block's training set."""
    points = {
        record.cell.curve: record
        for record in block.folder.records()
        if record.cell.curve is not None and record.status == "ok"
        if (record.cell.label, record.cell.train_on) == (label, block.first.train_on)
    }
    return dict(sorted(points.items()))


def training_tables(block: Selection) -> Iterator[Table]:
    """Make the table, if anything was trained and its stages are here."""
    costs = training_costs(block)
    if costs:
        yield _table(block, costs)


def _table(block: Selection, costs: list[TrainingCost]) -> Table:
    shares = sorted({share for cost in costs for share in cost.curve})
    columns = ["Method", "Seeds", "Time (s)", "Training FLOPs", "Samples", "Parameters"]
    if shares:
        columns += [f"Held out, {share:.0%} ↑" for share in shares]
        columns += ["Gain of the second half", "Trained out"]
    text = (
        "Of one training, averaged over seeds: time on the machine that trained, floating-point"
        " operations forward and backward, images seen. Stages that methods share are counted for"
        " each."
    )
    budget = block.folder.manifest().budget
    if budget is not None:
        text += f" The suite fixes {budget:.3g} FLOPs per method and seed."
    curve = ""
    if shares:
        first = min(record.cell.seed for c in costs for record in _curve(block, c.label).values())
        curve = (
            f"Held out: {block.primary} on training images that no method is trained on, of a"
            f" training of its own with that share of the budget (seed {first}). {NOT_TRAINED_OUT}:"
            f" the score at {HALF:.0%} is below that at 100% by more than {STILL_RISES:.0%} of it;"
            " where one is, no rank is given."
        )
    rows = tuple(_row(cost, shares) for cost in costs)
    return Table(
        "training", "Training", joined(data_note(block), text, curve), tuple(columns), rows
    )


def _row(cost: TrainingCost, shares: list[float]) -> tuple[Entry, ...]:
    number = partial(Entry, "–", keys=cost.keys)
    entries = [
        Entry(cost.label),
        number("count", cost.seeds),
        number("seconds", cost.seconds),
        number("plain", cost.flops),
        number("count", cost.samples),
        number("count", cost.parameters),
    ]
    if not shares:
        return tuple(entries)
    for share in shares:
        entries.append(Entry("not run", "percent", cost.curve.get(share), keys=cost.curve_keys))
    verdicts = {True: NOT_TRAINED_OUT, False: "yes", None: "–"}
    gained = Entry("–", "percent", curve_gain(cost.curve), keys=cost.curve_keys)
    return (*entries, gained, Entry(verdicts[cost.still_rises]))
