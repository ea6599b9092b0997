"""The estimates of a block: scores, means, ratios and differences, with their resamples."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

import numpy as np

from bench.core.record import Record
from bench.core.schema import CLEAN, Condition, Task
from bench.report.selection import Selection, groups
from bench.score.counts import Counts
from bench.score.metrics import METRICS, per_class_iou
from bench.score.resampling import Resampling, resampling
from bench.score.robustness import above_floor
from bench.score.significance import DecisionVerdict, decide
from bench.score.stats import (
    Estimate,
    Spread,
    mean,
    mean_over_seeds,
    minimum_detectable,
    score_cells,
    spread,
)
from bench.store.folders import SuiteFolder


class FloorContest(NamedTuple):
    """Learned methods against the floor, decided together."""

    above: tuple[str, ...]
    """Those that are ahead of it."""
    others: tuple[str, ...]
    higher: tuple[str, ...]
    """Those whose score is higher, whatever can be decided."""
    one_training: bool
    """Whether nothing was decided, as methods were trained once."""


class Block(Selection):
    """The records of one block, scored."""

    def __init__(self, folder: SuiteFolder, records: Sequence[Record], title: str) -> None:
        super().__init__(folder, records, title)
        self._record = {record.key: record for record in self.finished}
        self._counts: dict[str, Counts] = {}
        self._estimates: dict[tuple[str, str], Estimate] = {}

    @cached_property
    def drawn(self) -> Resampling:
        """What the bootstrap draws: images, sequences, or blocks of consecutive frames."""
        return resampling(self.finished[0].clusters if self.finished else ())

    def counts(self, key: str) -> Counts:
        """Read a cell's counts; those of clean cells, which many scores need, stay in memory."""
        if key in self._counts:
            return self._counts[key]
        counts = self.folder.counts(key)
        if self._record[key].cell.condition == CLEAN:
            self._counts[key] = counts
        return counts

    def _estimate(self, metric: str, record: Record) -> Estimate:
        """Score one cell; clean and corrupted ones are each resampled in one go."""
        if (metric, record.key) not in self._estimates:
            is_clean = record.cell.condition == CLEAN
            batch = [r for r in self.finished if (r.cell.condition == CLEAN) == is_clean]
            counts = [self.counts(member.key) for member in batch]
            keys = [member.key for member in batch]
            estimates = score_cells(METRICS[metric], counts, keys, self.drawn.sequences)
            self._estimates |= {(metric, e.keys[0]): e for e in estimates}
        return self._estimates[metric, record.key]

    def score(
        self,
        label: str,
        metric: str = "",
        condition: Condition = CLEAN,
        task: Task | None = None,
    ) -> Estimate | None:
        """Score a method under a condition, averaged over the seeds that finished.

        Sampling seeds are averaged within each training seed first.

        Args:
            label: of the method.
            metric: a name of ``METRICS``; the primary one if not given.
            condition: a corruption, or a perturbation of latents.
            task: the block's own if not given.
        """
        records = self.of(label, condition, task)
        if not records:
            return None
        estimates = [self._estimate(metric or self.primary, record) for record in records]
        return mean_over_seeds(estimates, [record.cell.seed for record in records])

    def value(self, label: str, metric: str) -> Estimate | None:
        """Score a method on clean images without resampling them."""
        records = self.of(label)
        if not records:
            return None
        scores = [METRICS[metric](self.counts(record.key)) for record in records]
        return Estimate(float(np.mean(scores)), np.empty(0), tuple(r.key for r in records))

    def is_stored(self, label: str, metric: str) -> bool:
        """Whether a method's clean counts hold what a score is made from."""
        return all(METRICS[metric].is_stored(self.counts(r.key)) for r in self.of(label))

    def classes(self, label: str, task: Task | None = None) -> np.ndarray:
        """Return the clean IoU of each class, averaged over seeds; float64 [K], NaN if absent."""
        ious = [per_class_iou(self.counts(record.key)) for record in self.of(label, task=task)]
        return np.asarray(np.mean(ious, axis=0))

    def spread(self, label: str) -> Spread | None:
        """Split the variance of a clean score by what it would change with.

        Returns:
            None unless every training seed has the same sampling seeds, all finished.
        """
        seeds: dict[int, list[Estimate]] = {}
        for record in self.of(label):
            estimate = self._estimate(self.primary, record)
            seeds.setdefault(record.cell.seed, []).append(estimate)
        if len({len(samplings) for samplings in seeds.values()}) != 1:
            return None
        scores = np.array([[e.value for e in samplings] for samplings in seeds.values()])
        draws = np.array([[e.draws for e in samplings] for samplings in seeds.values()])
        return spread(scores, draws)

    @cached_property
    def resolution(self) -> Estimate | None:
        """The smallest difference between two clean scores that can be detected here.

        The median over pairs, with the cells it rests on; None with fewer than two methods.
        """
        scores = [score for label in self.labels if (score := self.score(label)) is not None]
        detectable = [minimum_detectable(a - b) for a, b in combinations(scores, 2)]
        if not detectable:
            return None
        keys = tuple(key for score in scores for key in score.keys)
        return Estimate(float(np.median(detectable)), np.empty(0), keys)

    def mpc(self, label: str, corruption: str | None = None) -> Estimate | None:
        """Average over severities, then over corruptions (mPC of arXiv:1907.07484 eq. 1).

        Returns:
            None if any of the conditions lacks a result: another mean would not compare.
        """
        means = []
        for member in self.corruptions if corruption is None else (corruption,):
            scores = [self.score(label, condition=c) for c in self.members(member)]
            finished = [score for score in scores if score is not None]
            if len(finished) < len(scores):
                return None
            means.append(mean(finished))
        return mean(means) if means else None

    def retained(self, label: str, corruption: str | None = None) -> Estimate | None:
        """Return rPC: mPC as a share of the clean score (arXiv:1907.07484 eq. 2)."""
        corrupted, clean = self.mpc(label, corruption), self.score(label)
        return None if corrupted is None or clean is None else corrupted / clean

    def above_floor(self, label: str, corruption: str | None = None) -> Estimate | None:
        """Return which share of what is above the floor is kept under corruption.

        Returns:
            None if a result that it needs is missing, and for the floor itself.
        """
        if self.floor is None or label == self.floor:
            return None
        corrupted, clean = self.mpc(label, corruption), self.score(label)
        floor = self.score(self.floor)
        if corrupted is None or clean is None or floor is None:
            return None
        return above_floor(corrupted, clean, floor)

    def corruption_error(
        self, label: str, corruption: str, *, relative: bool = False
    ) -> Estimate | None:
        """Return a method's error under a corruption in units of the reference method's.

        ``CE_c = sum_s (1 - P_cs) / sum_s (1 - R_cs)``, as Hendrycks & Dietterich
        (arXiv:1903.12261 section 4.3) define it for accuracy and Kamann & Rother
        (arXiv:1908.05005) for mIoU, there CD. ``relative`` counts only the error beyond that
        of clean images (relative CE, rCD): ill-defined where the reference hardly degrades.

        Returns:
            None if a result that it needs is missing.
        """
        errors = []
        for method in (label, self.reference):
            corrupted, clean = self.mpc(method, corruption), self.score(method)
            if corrupted is None or clean is None:
                return None
            errors.append(clean - corrupted if relative else corrupted.complement())
        return errors[0] / errors[1]

    def beating_floor(self) -> FloorContest | None:
        """Compare learned methods with the floor; None where one of the two is missing."""
        floor = self.score(self.floor) if self.floor else None
        scores = {label: self.score(label) for label in self.learned}
        leads = {
            label: score - floor
            for label, score in scores.items()
            if score is not None and floor is not None
        }
        if not leads:
            return None
        decisions = dict(zip(leads, decide(list(leads.values())), strict=True))
        verdicts = {label: decision.verdict for label, decision in decisions.items()}
        return FloorContest(
            tuple(label for label, v in verdicts.items() if v == DecisionVerdict.AHEAD),
            tuple(label for label, v in verdicts.items() if v != DecisionVerdict.AHEAD),
            tuple(label for label, lead in leads.items() if lead.value > 0),
            all(v == DecisionVerdict.ONE_TRAINING for v in verdicts.values()),
        )


def make_blocks(folder: SuiteFolder, *, allow_mixed: bool = False) -> list[Block]:
    """Divide the latest run of a suite into blocks, in the suite's order.

    Args:
        folder: the records.
        allow_mixed: mark methods whose protocol is not that of the block's first cell.

    Raises:
        StoreError: if cells of a block differ in protocol and are not to be marked; if they
            scored different images.
    """
    return [Block(folder, *group) for group in groups(folder, allow_mixed=allow_mixed)]
