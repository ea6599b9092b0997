"""Methods that were trained in universal classes, on test sets in label spaces of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import product
from typing import NamedTuple

import numpy as np

from bench.core.schema import LabelMapping
from bench.report.block import PRIMARY, Block, describe, name
from bench.report.clean import missing, separated
from bench.report.table import Entry, Sentence, Table, number
from bench.score.harmonic import harmonic_mean
from bench.score.metrics import METRICS
from bench.score.stats import Estimate, mean

ZEROS = "mIoU_mseg"
"""The definition by which MSeg averages: absent classes count as 0."""

_HEADS = ("Method", "Mapping")


class Row(NamedTuple):
    """A method under a mapping."""

    label: str
    mapping: LabelMapping
    trained: str
    """What it was trained on, where that differs."""

    def entries(self) -> tuple[Entry, Entry]:
        """Return the first two entries of its row."""
        where = f", trained on {self.trained}" if self.trained else ""
        return Entry(self.label + where), Entry(self.mapping or "none needed")


class ZeroShot:
    """The blocks of one suite in which predictions are mapped, and those beside them."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        trained = {block.first.train_on.key for block in blocks if block.first.mapping}
        self.blocks = [block for block in blocks if block.first.train_on.key in trained]
        self.every = list(blocks)
        self.several = len({block.first.train_on.key for block in blocks}) > 1

    def _trained(self, block: Block) -> str:
        """Name the training set of a block, if there are several."""
        return describe(block.first.train_on, "train") if self.several else ""

    @cached_property
    def sets(self) -> list[list[Block]]:
        """The blocks of each test set, at the first resolution only."""
        groups: dict[str, list[Block]] = {}
        for block in self.blocks:
            groups.setdefault(_test_set(block), []).append(block)
        for group in groups.values():
            first = group[0].first.protocol.short_side
            group[:] = [b for b in group if b.first.protocol.short_side == first]
        return list(groups.values())

    @cached_property
    def rows(self) -> list[Row]:
        """Every method under every mapping that it has, soft before hard."""
        trained = dict.fromkeys(self._trained(block) for block in self.blocks)
        labels = dict.fromkeys(label for block in self.blocks for label in block.labels)
        mappings = dict.fromkeys(b.first.mapping for b in self.blocks if b.first.mapping)
        have = {
            Row(label, block.first.mapping, self._trained(block))
            for block in self.blocks
            for label in block.labels
        }
        every = (Row(*parts) for parts in product(labels, mappings, trained))
        return [row for row in every if row in have]

    def score(self, row: Row, group: Sequence[Block], metric: str = PRIMARY) -> Estimate | None:
        """Score a row on a test set, mapped as the row says or where no mapping is needed."""
        for block in group:
            fits = block.first.mapping in ("", row.mapping) and row.label in block.labels
            if fits and row.trained == self._trained(block):
                return block.score(row.label, metric)
        return None

    def means(self, metric: str = PRIMARY) -> dict[Row, Estimate | None]:
        """Return the harmonic mean over all test sets, where a row has a score on each."""
        found: dict[Row, Estimate | None] = {}
        for row in self.rows:
            scores = [self.score(row, group, metric) for group in self.sets]
            known = [score for score in scores if score is not None]
            found[row] = harmonic_mean(known) if len(known) == len(scores) else None
        return found

    def sentences(self) -> Iterator[Sentence]:
        """Say which method is best over all sets, and what hard mapping costs."""
        known = [(row, each) for row, each in self.means().items() if each is not None]
        if not self.blocks or not known:
            return
        row, best = max(known, key=lambda pair: pair[1].value)
        yield (
            f"Over {len(self.sets)} test sets in label spaces of their own, {row.label} has the "
            f"highest harmonic mean of {PRIMARY}, ",
            number(best),
            f" ({row.mapping} mapping).",
        )

    def tables(self) -> Iterator[Table]:
        """Make all tables, if anything was mapped; that of resolutions in any case."""
        if self.blocks and self.rows:
            yield self._scores()
            yield self._means()
            yield self._mapping()
        sides = list(dict.fromkeys(block.first.protocol.short_side for block in self.every))
        if len(sides) > 1:
            yield self._resolutions(sides)

    def _scores(self) -> Table:
        columns = [[self.score(row, group) for row in self.rows] for group in self.sets]
        best, means = separated(columns), self.means()
        rows = [
            (
                *row.entries(),
                *(
                    number(
                        column[at],
                        best=(index, at) in best,
                        missing=missing(self.sets[index][0], row.label),
                    )
                    for index, column in enumerate(columns)
                ),
                number(means[row]),
            )
            for at, row in enumerate(self.rows)
        ]
        trained = dict.fromkeys(describe(block.first.train_on, "train") for block in self.blocks)
        caption = f"Trained on {'; '.join(trained)}, tested on sets in label spaces of their own."
        caption += f" Clean {PRIMARY} in per cent ({METRICS[PRIMARY].absent}). Soft: the class"
        caption += " whose universal classes have the largest sum of probabilities; hard:"
        caption += f" the likeliest universal class, mapped.{self._hard_only()} Brackets: 95%"
        caption += " intervals, paired bootstrap over the images of a set"
        caption += f"{self.blocks[0].training_note}; sets vary independently."
        caption += " Bold: separated from every other row (Holm over the table, 5%)."
        names = [f"{_test_set(group[0])} ↑" for group in self.sets]
        heads = (*_HEADS, *names, "Harmonic mean ↑")
        return Table("zero-shot", "Unseen label spaces", caption, heads, tuple(rows))

    def _hard_only(self) -> str:
        soft = {row.label for row in self.rows if row.mapping == "soft"}
        without = dict.fromkeys(row.label for row in self.rows if row.label not in soft)
        if not soft or not without:
            return ""
        return f" {', '.join(without)}: hard only, for want of class probabilities."

    def _means(self) -> Table:
        left_out, zeros = self.means(), self.means(ZEROS)
        rows = []
        for row in self.rows:
            harmonic = left_out[row]
            if harmonic is None:
                continue
            scores = [self.score(row, group) for group in self.sets]
            known = [score for score in scores if score is not None]
            least = min(range(len(known)), key=lambda at: known[at].value)
            # Unpaired from the mean over all sets: the difference is of values alone.
            without = harmonic_mean(known[:least] + known[least + 1 :]) if known[1:] else harmonic
            keys = harmonic.keys
            gain = without.value - harmonic.value
            rows.append(
                (
                    *row.entries(),
                    number(harmonic),
                    number(zeros[row]),
                    Entry(unit="percent", value=mean(known).value, keys=keys),
                    Entry(_test_set(self.sets[least][0])),
                    number(known[least]),
                    Entry(unit="percent", value=without.value, keys=without.keys),
                    Entry(unit="points", value=gain, keys=keys),
                )
            )
        caption = "Means over the test sets in per cent; a harmonic mean (as MSeg's"
        caption += f" collect_results.py) of {PRIMARY} ({METRICS[PRIMARY].absent}) and of {ZEROS}"
        caption += f" ({METRICS[ZEROS].absent}). One set near zero dominates a harmonic mean: the"
        caption += " last columns have the lowest set, and the mean without it."
        heads = (
            *(*_HEADS, f"Harmonic, {PRIMARY} ↑", f"Harmonic, {ZEROS} ↑"),
            *(f"Arithmetic, {PRIMARY} ↑", "Lowest set", "Its score", "Harmonic without it"),
            "Effect of the lowest set",
        )
        return Table("harmonic-means", "Means over test sets", caption, heads, tuple(rows))

    def _mapping(self) -> Table:
        labels = list(dict.fromkeys(row.label for row in self.rows))
        rows = []
        for group in self.sets:
            finished = [block for block in group if block.first.mapping and block.finished]
            if not finished:
                continue
            record = finished[0].finished[0]
            lost = ", ".join(record.unreachable) or "none"
            rows.append(
                (
                    Entry(_test_set(group[0])),
                    Entry(unit="count", value=len(record.classes)),
                    Entry(lost),
                    _share(finished[0], record.unreachable),
                    Entry(unit="count", value=record.unmapped),
                    *(_unmapped(finished, label) for label in labels),
                )
            )
        caption = "What the mapping of universal classes to each test set loses. Unreachable:"
        caption += (
            " classes that no universal class is part of, so that nothing can be predicted to be"
        )
        caption += " one. Fallen: labelled pixels, in per cent, whose likeliest universal class has"
        caption += " no class in the test set; hard mapping calls them class 0, as GSS does."
        heads = ("Test set", "Classes", "Unreachable", "Pixels of these", "Universal without class")
        names = (*heads, *(f"Fallen, {label}" for label in labels))
        return Table("mapping", "What mapping loses", caption, names, tuple(rows))

    def _resolutions(self, sides: Sequence[int | None]) -> Table:
        found: dict[Row, dict[str, list[Estimate]]] = {}
        for block, label in ((b, label) for b in self.every for label in b.labels):
            score = block.score(label)
            if score is not None:
                row = Row(label, block.first.mapping, self._trained(block))
                found.setdefault(row, {}).setdefault(_test_set(block), []).append(score)
        rows = []
        for row, sets in found.items():
            whole = {place: each for place, each in sets.items() if len(each) == len(sides)}
            rows += [_resolved(row, place, each, each) for place, each in whole.items()]
            if len(whole) > 1:
                means = [harmonic_mean(scores) for scores in zip(*whole.values(), strict=True)]
                highest = harmonic_mean([max(s, key=lambda e: e.value) for s in whole.values()])
                rows.append(_resolved(row, "harmonic mean", means, [highest]))
        caption = f"Clean {PRIMARY} in per cent ({METRICS[PRIMARY].absent}), test images resized to"
        caption += f" a short side of so many pixels. {sides[0]} was fixed beforehand. MSeg reports"
        caption += " the maximum over 360, 720 and 1080 of each set, which is chosen on the test"
        caption += " set: such a maximum is set beside the fixed one and has no interval. Harmonic"
        caption += " means: over the sets at one resolution, and over each set's maximum."
        columns = [f"{side} ↑" for side in sides]
        heads = (*_HEADS, "Test set", *columns, "Maximum", "Maximum − fixed")
        return Table("resolutions", "Test resolutions", caption, heads, tuple(rows))


def _resolved(
    row: Row, test_set: str, scores: Sequence[Estimate], highest: Sequence[Estimate]
) -> tuple[Entry, ...]:
    """Return a row of the table of resolutions; the first score is the fixed one."""
    best = max(highest, key=lambda score: score.value)
    return (
        *(*row.entries(), Entry(test_set)),
        *map(number, scores),
        Entry(unit="percent", value=best.value, keys=best.keys),
        Entry(unit="points", value=best.value - scores[0].value, keys=best.keys),
    )


def _test_set(block: Block) -> str:
    return name(block.first.test_on, "val")


def _share(block: Block, classes: Sequence[str]) -> Entry:
    """Return the share of labelled pixels whose true class is one of some."""
    record = block.finished[0]
    counts = block.counts(record.key)
    lost = [index for index, each in enumerate(record.classes) if each in classes]
    total = (counts.tp + counts.fn).sum(axis=0)
    value = float(total[lost].sum() / max(1, total.sum()))
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
