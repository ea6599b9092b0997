"""Tables of test sets in label spaces of their own: scores, means, mappings, resolutions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bench.report.captions import BOLD, joined, trained_on, training_note
from bench.report.statistics import Block
from bench.report.tables.table import Entry, Table, number
from bench.report.zero_shot import Row, ZeroShot, set_name
from bench.score.harmonic import harmonic_mean
from bench.score.metrics import METRICS
from bench.score.significance import leaders
from bench.score.stats import Estimate, mean

ZEROS = "mIoU_mseg"
"""The definition by which MSeg averages: absent classes count as 0."""

_HEADS = ("Method", "Mapping")


def zero_shot_tables(zero_shot: ZeroShot) -> Iterator[Table]:
    """Make all tables, if anything was mapped; that of resolutions in any case."""
    if zero_shot.rows:
        yield scores(zero_shot)
        yield means(zero_shot)
        yield mapping(zero_shot)
    sides = list(dict.fromkeys(b.first.protocol.short_side for b in zero_shot.all_blocks))
    if len(sides) > 1:
        yield resolutions(zero_shot, sides)


def _named(row: Row) -> tuple[Entry, Entry]:
    """Return the first two entries of a row."""
    where = f", trained on {row.trained}" if row.trained else ""
    return Entry(row.label + where), Entry(row.mapping or "none needed")


def scores(zero_shot: ZeroShot) -> Table:
    """The clean score of every method and mapping on every test set."""
    sets, primary = zero_shot.sets, zero_shot.primary
    columns = [[zero_shot.score(row, group) for row in zero_shot.rows] for group in sets]
    best, harmonic = leaders(columns), zero_shot.means()
    rows = []
    for index, row in enumerate(zero_shot.rows):
        numbers = [
            number(
                estimates[index],
                best=(column, index) in best,
                missing=sets[column][0].missing(row.label),
            )
            for column, estimates in enumerate(columns)
        ]
        rows.append((*_named(row), *numbers, number(harmonic[row])))
    trained = dict.fromkeys(trained_on(block) for block in zero_shot.blocks)
    caption = joined(
        f"Trained on {'; '.join(trained)}, tested on sets in label spaces of their own.",
        f"Clean {primary} in per cent ({METRICS[primary].absent}).",
        "Soft: the class whose universal classes have the largest sum of probabilities; hard: the"
        " most probable universal class, mapped.",
        _hard_only(zero_shot),
        "Brackets: 95% intervals, paired bootstrap over the images of a set"
        f"{training_note(zero_shot.blocks[0])}; sets vary independently.",
        BOLD,
    )
    names = [f"{set_name(group[0])} ↑" for group in sets]
    heads = (*_HEADS, *names, "Harmonic mean ↑")
    return Table("zero-shot", "Unseen label spaces", caption, heads, tuple(rows))


def _hard_only(zero_shot: ZeroShot) -> str:
    soft = {row.label for row in zero_shot.rows if row.mapping == "soft"}
    without = dict.fromkeys(row.label for row in zero_shot.rows if row.label not in soft)
    if not soft or not without:
        return ""
    return f"{', '.join(without)}: hard only, as there are no class probabilities."


def means(zero_shot: ZeroShot) -> Table:
    """Harmonic and arithmetic means over the test sets, with and without the lowest set."""
    zeros, primary = zero_shot.means(ZEROS), zero_shot.primary
    rows = [
        _row_of_means(zero_shot, row, harmonic, zeros[row])
        for row, harmonic in zero_shot.means().items()
        if harmonic is not None
    ]
    caption = joined(
        "Means over the test sets in per cent. Harmonic means, as in MSeg's collect_results.py, of"
        f" {primary} ({METRICS[primary].absent}) and of {ZEROS} ({METRICS[ZEROS].absent}).",
        "One set near zero dominates a harmonic mean: the last columns show the lowest set, and"
        " the mean without it.",
    )
    heads = (
        *(*_HEADS, f"Harmonic, {primary} ↑", f"Harmonic, {ZEROS} ↑"),
        *(f"Arithmetic, {primary} ↑", "Lowest set", "Its score", "Harmonic without it"),
        "Effect of the lowest set",
    )
    return Table("harmonic-means", "Means over test sets", caption, heads, tuple(rows))


def _row_of_means(
    zero_shot: ZeroShot, row: Row, harmonic: Estimate, zeros: Estimate | None
) -> tuple[Entry, ...]:
    estimates = zero_shot.scores(row)
    least = min(range(len(estimates)), key=lambda index: estimates[index].value)
    others = estimates[:least] + estimates[least + 1 :]
    # Unpaired from the mean over all sets: the difference is of values alone.
    without = harmonic_mean(others) if others else harmonic
    gain = without.value - harmonic.value
    return (
        *_named(row),
        number(harmonic),
        number(zeros),
        Entry(unit="percent", value=mean(estimates).value, keys=harmonic.keys),
        Entry(set_name(zero_shot.sets[least][0])),
        number(estimates[least]),
        Entry(unit="percent", value=without.value, keys=without.keys),
        Entry(unit="points", value=gain, keys=harmonic.keys),
    )


def mapping(zero_shot: ZeroShot) -> Table:
    """What the mapping of universal classes to each test set loses."""
    labels = list(dict.fromkeys(row.label for row in zero_shot.rows))
    rows = []
    for group in zero_shot.sets:
        finished = [block for block in group if block.first.mapping and block.finished]
        if not finished:
            continue
        record = finished[0].finished[0]
        rows.append(
            (
                Entry(set_name(group[0])),
                Entry(unit="count", value=len(record.classes)),
                Entry(", ".join(record.unreachable) or "none"),
                _share(finished[0], record.unreachable),
                Entry(unit="count", value=record.unmapped),
                *(_unmapped(finished, label) for label in labels),
            )
        )
    caption = joined(
        "Unreachable: classes to which no universal class belongs, so that they cannot be"
        " predicted.",
        "Unmapped: labelled pixels, in per cent, whose most probable universal class has no class"
        " in the test set; hard mapping gives them class 0, as GSS does.",
    )
    heads = ("Test set", "Classes", "Unreachable", "Pixels of these", "Universal without class")
    names = (*heads, *(f"Unmapped, {label}" for label in labels))
    return Table("mapping", "Losses of label mapping", caption, names, tuple(rows))


def _share(block: Block, classes: Sequence[str]) -> Entry:
    """Return the share of labelled pixels whose true class is one of some."""
    record = block.finished[0]
    counts = block.counts(record.key)
    indices = [index for index, name in enumerate(record.classes) if name in classes]
    total = (counts.tp + counts.fn).sum(axis=0)
    value = float(total[indices].sum() / max(1, total.sum()))
    return Entry(unit="percent", value=value, keys=(record.key,))


def _unmapped(blocks: Sequence[Block], label: str) -> Entry:
    """Return the share of labelled pixels that hard mapping lost, over a method's seeds."""
    hard = [(b, r) for b in blocks if b.first.mapping == "hard" for r in b.of(label)]
    shares = []
    for block, record in hard:
        counts = block.counts(record.key)
        if counts.unmapped is not None:
            shares.append(counts.unmapped.sum() / max(1, (counts.tp + counts.fn).sum()))
    if not shares:
        return Entry("not run", "percent")
    keys = tuple(record.key for _, record in hard)
    return Entry(unit="percent", value=float(np.mean(shares)), keys=keys)


def resolutions(zero_shot: ZeroShot, sides: Sequence[int | None]) -> Table:
    """Scores at each test resolution, and what choosing the best one adds."""
    by_row: dict[Row, dict[str, list[Estimate]]] = {}
    for block, label in ((b, label) for b in zero_shot.all_blocks for label in b.labels):
        score = block.score(label)
        if score is not None:
            sets = by_row.setdefault(zero_shot.row_of(block, label), {})
            sets.setdefault(set_name(block), []).append(score)
    rows = []
    for row, sets in by_row.items():
        complete = {name: scores for name, scores in sets.items() if len(scores) == len(sides)}
        rows += [_resolved(row, name, scores, scores) for name, scores in complete.items()]
        if len(complete) > 1:
            means = [harmonic_mean(scores) for scores in zip(*complete.values(), strict=True)]
            highest = harmonic_mean([max(s, key=lambda e: e.value) for s in complete.values()])
            rows.append(_resolved(row, "harmonic mean", means, [highest]))
    primary = zero_shot.primary
    caption = joined(
        f"Clean {primary} in per cent ({METRICS[primary].absent}), test images resized to a short"
        f" side of so many pixels. {sides[0]} was fixed beforehand.",
        "MSeg reports the maximum over 360, 720 and 1080 for each set, which is chosen on the test"
        " set: such a maximum is shown beside the fixed score and has no interval.",
        "Harmonic means: over the sets at one resolution, and over each set's maximum.",
    )
    columns = [f"{side} ↑" for side in sides]
    heads = (*_HEADS, "Test set", *columns, "Maximum", "Maximum − fixed")
    return Table("resolutions", "Test resolutions", caption, heads, tuple(rows))


def _resolved(
    row: Row, test_set: str, scores: Sequence[Estimate], highest: Sequence[Estimate]
) -> tuple[Entry, ...]:
    """Return a row of the table of resolutions; the first score is the fixed one."""
    best = max(highest, key=lambda score: score.value)
    return (
        *(*_named(row), Entry(test_set)),
        *map(number, scores),
        Entry(unit="percent", value=best.value, keys=best.keys),
        Entry(unit="points", value=best.value - scores[0].value, keys=best.keys),
    )
