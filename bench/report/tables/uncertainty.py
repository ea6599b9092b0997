"""What methods say of their own predictions: calibration, and agreement of several draws."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from bench.core.record import Record
from bench.core.schema import CLEAN, Condition
from bench.report.captions import data_note, interval_note, joined
from bench.report.statistics import Block
from bench.report.tables.table import Entry, Table, number
from bench.score.calibration import BINS, CalibrationError, calibration_error, mean_confidence
from bench.score.resampling import replicates
from bench.score.sampling import SAMPLES, agreement, of_draws
from bench.score.stats import Estimate, mean_over_seeds


def uncertainty_tables(block: Block) -> Iterator[Table]:
    """Make the tables for which there are probabilities, or several draws."""
    if any(calibrated(block, label) is not None for label in block.labels):
        yield calibration(block)
    if any(_draws(block, label) for label in block.labels):
        yield sampling(block)


def calibrated(
    block: Block, label: str, conditions: Sequence[Condition] = (CLEAN,)
) -> np.ndarray | None:
    """Sum a method's calibration over images, seeds and conditions, float64 [3, BINS].

    Returns:
        None where a cell has none, or there is no cell.
    """
    counts = [
        block.counts(record.key).calibration
        for condition in conditions
        for record in block.of(label, condition, "predict")
    ]
    stored = [each.sum(axis=0) for each in counts if each is not None]
    return np.sum(stored, axis=0) if stored and len(stored) == len(counts) else None


def calibration(block: Block) -> Table:
    """How far probabilities are from frequencies, clean and corrupted."""
    rows = []
    for label in block.labels:
        clean = calibrated(block, label)
        if clean is None:
            continue
        keys = tuple(record.key for record in block.of(label))
        entries = [number(_error(block, label)), *_confidence(clean, keys)]
        if block.conditions:
            corrupted = calibrated(block, label, block.conditions)
            disturbed = block.of_conditions(label)
            entries += _corrupted(corrupted, tuple(record.key for record in disturbed))
        rows.append((Entry(label), *entries))
    corrupted_note = (
        f"Corrupted: pixels of all {len(block.conditions)} conditions together."
        if block.conditions
        else ""
    )
    caption = joined(
        data_note(block),
        f"ECE: expected calibration error over {BINS} bins of equal width (Guo et al. 2017), in per"
        " cent. Confidence: the probability of what is predicted, averaged over labelled pixels;"
        " above the accuracy (share of right pixels) a method is overconfident.",
        corrupted_note,
        "Methods without class probabilities are left out.",
        interval_note(block),
    )
    names = ["Method", "ECE ↓", "Confidence", "Accuracy", "Overconfidence"]
    if block.conditions:
        names += ["Corrupted: ECE ↓", "Corrupted: overconfidence"]
    return Table("calibration", "Calibration", caption, tuple(names), tuple(rows))


def _error(block: Block, label: str) -> Estimate | None:
    """Estimate a method's clean calibration error, averaged over seeds."""
    estimates, records = [], block.of(label)
    error = CalibrationError()
    for record in records:
        counts = block.counts(record.key)
        value = float(error.of_parts(error.parts(counts).sum(axis=0)))
        (draws,) = replicates(error, [counts], block.drawn)
        estimates.append(Estimate(value, draws, (record.key,), units=block.drawn.drawn))
    return mean_over_seeds(estimates, [r.cell.seed for r in records]) if records else None


def _confidence(sums: np.ndarray, keys: tuple[str, ...]) -> list[Entry]:
    confidence, accuracy = float(mean_confidence(sums)), float(sums[1].sum() / sums[0].sum())
    return [
        Entry(unit="percent", value=confidence, keys=keys),
        Entry(unit="percent", value=accuracy, keys=keys),
        Entry(unit="points", value=confidence - accuracy, keys=keys),
    ]


def _corrupted(sums: np.ndarray | None, keys: tuple[str, ...]) -> list[Entry]:
    if sums is None:
        return [Entry("not run", "percent"), Entry("not run", "points")]
    error = Entry(unit="percent", value=float(calibration_error(sums)), keys=keys)
    return [error, _confidence(sums, keys)[-1]]


def _draws(block: Block, label: str) -> list[list[Record]]:
    """Return a method's clean predictions, those of a training together, if it has several."""
    trainings: dict[int, list[Record]] = defaultdict(list)
    for record in block.of(label, CLEAN, "predict"):
        trainings[record.cell.seed].append(record)
    return [records for records in trainings.values() if len(records) > 1]


def sampling(block: Block) -> Table:
    """What several predictions of the same images, drawn from one method, say together."""
    rows = []
    for label in block.labels:
        groups = _draws(block, label)
        if not groups:
            continue
        keys = tuple(record.key for records in groups for record in records)
        counts = [[block.counts(record.key) for record in records] for records in groups]
        scores = [of_draws(draws) for draws in counts]
        rows.append((
            Entry(label),
            Entry(unit="count", value=max(map(len, groups)), keys=keys),
            Entry(unit="percent", value=float(np.mean([s.mean for s in scores])), keys=keys),
            Entry(unit="percent", value=float(np.mean([s.best for s in scores])), keys=keys),
            _agreement([[c.sampled for c in draws] for draws in counts], keys),
        ))  # fmt: skip
    caption = joined(
        data_note(block),
        "Clean images, predicted several times from one training. mIoU of the draws, absent classes"
        " left out of the mean: averaged over draws, and of the draw of each image that is best for"
        " it, which only an oracle can choose. Agreement: share of equal labels among pairs of"
        f" draws, at {SAMPLES} labelled pixels of each image that are drawn once for all; 100: the"
        " method does not sample.",
    )
    names = ("Method", "Draws", "Mean of draws ↑", "Best of draws ↑", "Agreement")
    return Table("sampling", "Several draws", caption, names, tuple(rows))


def _agreement(groups: Sequence[Sequence[np.ndarray | None]], keys: tuple[str, ...]) -> Entry:
    """Average the agreement of each training's draws, as far as they were kept."""
    kept = [[draw for draw in draws if draw is not None] for draws in groups]
    shares = [agreement(draws) for draws in kept if len(draws) > 1]
    value = float(np.mean(shares)) if shares else None
    return Entry("not stored", "percent", value, keys=keys)
