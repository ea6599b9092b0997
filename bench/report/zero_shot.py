"""Methods trained in universal classes, scored on test sets in label spaces of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import product
from typing import NamedTuple

from bench.core.schema import LabelMapping
from bench.report.captions import trained_on
from bench.report.selection import name
from bench.report.statistics import Block
from bench.report.tables.table import Sentence, number
from bench.score.harmonic import harmonic_mean
from bench.score.stats import Estimate


class Row(NamedTuple):
    """A method under a mapping."""

    label: str
    mapping: LabelMapping
    trained: str
    """What it was trained on, where that differs."""


class ZeroShot:
    """The blocks of one suite in which predictions are mapped, and those beside them."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        trained = {block.first.train_on.key for block in blocks if block.first.mapping}
        self.blocks = [block for block in blocks if block.first.train_on.key in trained]
        self.all_blocks = list(blocks)
        self.primary = blocks[0].primary if blocks else ""
        self.several = len({block.first.train_on.key for block in blocks}) > 1

    def row_of(self, block: Block, label: str) -> Row:
        """Return the row of a method of a block; it names the training set if there are several."""
        return Row(label, block.first.mapping, trained_on(block) if self.several else "")

    @cached_property
    def sets(self) -> list[list[Block]]:
        """The blocks of each test set, at the first resolution only."""
        groups: dict[str, list[Block]] = {}
        for block in self.blocks:
            groups.setdefault(set_name(block), []).append(block)
        for group in groups.values():
            first = group[0].first.protocol.short_side
            group[:] = [b for b in group if b.first.protocol.short_side == first]
        return list(groups.values())

    @cached_property
    def rows(self) -> list[Row]:
        """Every method under every mapping that it has, soft before hard."""
        if not self.blocks:
            return []
        present = [self.row_of(block, label) for block in self.blocks for label in block.labels]
        labels, mappings, trained = (dict.fromkeys(parts) for parts in zip(*present, strict=True))
        mapped = [mapping for mapping in mappings if mapping]
        return [
            row for parts in product(labels, mapped, trained) if (row := Row(*parts)) in present
        ]

    def score(self, row: Row, group: Sequence[Block], metric: str = "") -> Estimate | None:
        """Score a row on a test set, mapped as the row says or where no mapping is needed."""
        for block in group:
            same = self.row_of(block, row.label)
            fits = same.mapping in ("", row.mapping) and row.label in block.labels
            if fits and row.trained == same.trained:
                return block.score(row.label, metric)
        return None

    def scores(self, row: Row, metric: str = "") -> list[Estimate]:
        """Return the scores that a row has, one per test set."""
        scores = (self.score(row, group, metric) for group in self.sets)
        return [score for score in scores if score is not None]

    def means(self, metric: str = "") -> dict[Row, Estimate | None]:
        """Return the harmonic mean over all test sets, where a row has a score on each."""
        by_row = {row: self.scores(row, metric) for row in self.rows}
        complete = len(self.sets)
        return {
            row: harmonic_mean(scores) if len(scores) == complete else None
            for row, scores in by_row.items()
        }

    def mean_of(self, label: str) -> Estimate | None:
        """Return a method's harmonic mean over all test sets, soft mapping before hard."""
        means = self.means()
        known = (mean for row, mean in means.items() if row.label == label and mean is not None)
        return next(known, None)

    def sentences(self) -> Iterator[Sentence]:
        """Say which method has the highest mean over all sets."""
        means = [(row, mean) for row, mean in self.means().items() if mean is not None]
        if not means:
            return
        row, best = max(means, key=lambda pair: pair[1].value)
        yield (
            f"Over {len(self.sets)} test sets in label spaces of their own, {row.label} has the "
            f"highest harmonic mean of {self.primary}, ",
            number(best),
            f" ({row.mapping} mapping).",
        )


def set_name(block: Block) -> str:
    """Name a block's test set."""
    return name(block.first.test_on, "val")
