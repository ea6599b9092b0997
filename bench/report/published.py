"""What a publication's curves retain beside what was measured here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bench.claims.reported import PAPERS, Reported, load_reported
from bench.core.manifest import Published
from bench.core.record import CurvePoint
from bench.core.schema import Condition
from bench.report.captions import data_note, joined
from bench.report.statistics import Block
from bench.score.metrics import METRICS
from bench.score.stats import Estimate

SLUG, TITLE = "published", "Published retention beside measured"


class PublishedReading(NamedTuple):
    """A published score under a corruption as a share of the same figure's clean score."""

    corrupted: Reported
    clean: Reported

    @property
    def share(self) -> float:
        """The quotient as read."""
        return self.corrupted.value / self.clean.value

    @property
    def extent(self) -> tuple[float, float]:
        """Its least and greatest value within the error of the two readings."""
        off, clean_off = self.corrupted.plus_minus, self.clean.plus_minus
        least = (self.corrupted.value - off) / (self.clean.value + clean_off)
        return least, (self.corrupted.value + off) / (self.clean.value - clean_off)


def read_curve(
    point: CurvePoint | None, numbers: Sequence[Reported], selection: Published
) -> PublishedReading | None:
    """Find the reported numbers at the point of a curve that a condition repeats.

    Returns:
        None if the publication has no curve of the corruption, or no such point on it.
    """
    if point is None or point.paper != selection.paper:
        return None
    reported = dict(_points(point, numbers, selection))
    corrupted, clean = (
        next((number for x, number in reported.items() if math.isclose(x, wanted)), None)
        for wanted in (point.value, point.clean)
    )
    return PublishedReading(corrupted, clean) if corrupted and clean else None


def _points(
    point: CurvePoint, numbers: Sequence[Reported], selection: Published
) -> Iterator[tuple[float, Reported]]:
    """Yield the points of a corruption's curve: the value on the axis, and the number."""
    chosen = (selection.paper, selection.method, selection.metric, point.curve)
    for number in numbers:
        curve, _, setting = number.row["setting"].partition(" ")
        if (number.paper, number.row["method"], number.row["metric"], curve) == chosen:
            yield float(setting.partition("=")[2]), number


class Comparison:
    """A block's conditions with the publication's readings and the measured shares."""

    def __init__(self, block: Block, selection: Published) -> None:
        self.block = block
        self.selection = selection
        numbers = load_reported(PAPERS)
        facts = {condition: block.facts(condition) for condition in block.conditions}
        self.readings = {
            condition: read_curve(fact.curve if fact else None, numbers, selection)
            for condition, fact in facts.items()
        }

    def measured(self, label: str, condition: Condition) -> Estimate | None:
        """Return a method's score under a condition as a share of its clean score."""
        clean = self.block.score(label)
        score = self.block.score(label, condition=condition)
        return None if clean is None or score is None else score / clean

    def note(self) -> str:
        """Say where the published numbers stand, and what the measured ones are."""
        return f"{self._origin()} {self._measured_on()}"

    def _origin(self) -> str:
        rows = [reading.corrupted.row for reading in self.readings.values() if reading]
        selection = self.selection
        if not rows:
            return f"{selection.paper} has no {selection.metric} under these conditions."
        figures = ", ".join(dict.fromkeys(row["table"] for row in rows))
        first = rows[0]
        return (
            f"Published: {selection.metric} of {selection.method} ({selection.paper}) on"
            f" {first['dataset']} {first['split']}, {first['origin']} from {first['source']},"
            f" {figures}."
        )

    def _measured_on(self) -> str:
        metric = METRICS[self.block.primary]
        stand_in = "These data are a stand-in: only the shapes of the curves compare."
        return joined(
            f"Measured: {self.block.primary} ({metric.definition}; {metric.absent}).",
            data_note(self.block),
            stand_in if self.block.test_set.generated else "",
        )


def make_comparison(block: Block) -> Comparison | None:
    """Compare a block of corrupted images with the publication its suite names, if any."""
    if block.published is None or not block.conditions:
        return None
    return Comparison(block, block.published)
