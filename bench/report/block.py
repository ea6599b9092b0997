"""Cells that may stand side by side: one training set, test set, protocol and limit.

A suite with several test sets has a block for each. Within a block all cells score the
same images, so every difference and ratio is paired.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import combinations
from typing import TypeVar

import numpy as np
from pydantic import ValidationError

from bench.core.errors import DatasetError, StoreError
from bench.core.schema import CLEAN, Condition, DataRef, Frozen, Record, Task, fingerprint
from bench.corruptions import Corruption, lookup
from bench.data.dataset import Dataset
from bench.data.datasets import load_dataset_class
from bench.score.counts import Counts
from bench.score.metrics import METRICS, per_class_iou
from bench.score.stats import (
    RESAMPLES,
    Estimate,
    Spread,
    mean,
    mean_over_seeds,
    minimum_detectable,
    replicates,
    spread,
    usable_clusters,
)
from bench.store.folders import SuiteFolder
from bench.store.merged import relabelled

T = TypeVar("T")

PRIMARY = "mIoU"
"""The definition that is followed through all conditions."""
FLOOR = "position_prior"
"""The adapter that every other method is expected to beat."""


class Block:
    """The records of one block, scored."""

    def __init__(self, folder: SuiteFolder, records: Sequence[Record], title: str) -> None:
        self.folder = folder
        self.title = title
        """The test set, and the training set where the suite has several."""
        self.records = tuple(records)
        self.finished = tuple(record for record in records if record.status == "ok")
        cells = [record.cell for record in records]
        self.first = cells[0]
        self.labels = _unique(cell.label for cell in cells)
        self.seeds = _unique(cell.seed for cell in cells)
        predicts = any(cell.task == "predict" for cell in cells)
        self.task: Task = "predict" if predicts else "reconstruct"
        """What the block is about where nothing else is said: reconstruction only where
        nothing predicts."""
        self.conditions = _unique(
            cell.condition for cell in cells if cell.task == "predict" and cell.condition != CLEAN
        )
        self.corruptions = _unique(condition.corruption for condition in self.conditions)
        self.floor = next((cell.label for cell in cells if cell.method == FLOOR), None)
        manifest = folder.manifest()
        self.reference, self.published = manifest.reference, manifest.published
        self.contrasts, self.families = manifest.contrasts, manifest.families
        self.learned = tuple(label for label in self.labels if label != self.floor)
        self._record = {record.key: record for record in self.finished}
        self._counts: dict[str, Counts] = {}
        self._check_images()

    def _check_images(self) -> None:
        if len({record.image_ids for record in self.finished}) > 1:
            keys = ", ".join(record.key for record in self.finished[:2])
            message = "cells of one test set scored different images"
            raise StoreError(f"{self.folder.path}: {message} (such as {keys}); run them anew")

    @property
    def num_images(self) -> int:
        """Images that each cell scored."""
        return len(self.finished[0].image_ids) if self.finished else 0

    @property
    def units(self) -> str:
        """What all numbers rest on: images, and training seeds if there are several."""
        seeds = f" and {self.training_seeds} training seeds" if self.training_seeds > 1 else ""
        return f"{self.num_images} images{seeds}"

    @property
    def training_note(self) -> str:
        """What intervals hold beside the images, to go on in a caption."""
        seeds = self.training_seeds
        return f", with the variance of {seeds} training seeds (Student's t)" if seeds > 1 else ""

    @cached_property
    def training_seeds(self) -> int:
        """How many seeds the methods were trained with."""
        return len({record.cell.seed for record in self.finished})

    @cached_property
    def clusters(self) -> tuple[str, ...] | None:
        """The sequence of each image if the bootstrap draws sequences, else None."""
        return usable_clusters(self.finished[0].clusters) if self.finished else None

    @property
    def interval_note(self) -> str:
        """What an interval of this block means, for captions."""
        units = f"{self.num_images} images"
        if self.clusters is not None:
            units = f"{len(set(self.clusters))} sequences ({units})"
        note = f"Brackets: 95% intervals, paired bootstrap over {units}, {RESAMPLES:,} resamples"
        note += f"{self.training_note}."
        sequences = len(set(self.finished[0].clusters)) if self.finished else 0
        if self.clusters is None and sequences < self.num_images:
            note += f" The images come from only {sequences} sequence(s), within which they are"
            note += " correlated: the true uncertainty is larger."
        return note

    @property
    def data_note(self) -> str:
        """Which data the block is about, for captions."""
        cell = self.first
        trained, tested = describe(cell.train_on, "train"), describe(cell.test_on, "val")
        both = trained == tested
        where = f"and tested on {tested}" if both else f"on {trained}, tested on {tested}"
        limit = f" (--limit {cell.limit})" if cell.limit else ""
        return f"Trained {where}: {self.num_images} images{limit}. "

    def of(
        self, label: str, condition: Condition = CLEAN, task: Task | None = None
    ) -> tuple[Record, ...]:
        """Return the finished cells of a method under a condition, one a seed and sampling."""
        return tuple(
            record
            for record in self.finished
            if (record.cell.label, record.cell.condition, record.cell.task)
            == (label, condition, task or self.task)
        )

    @cached_property
    def _draws(self) -> dict[tuple[str, str], Estimate]:
        return {}

    def _estimate(self, metric: str, record: Record) -> Estimate:
        """Score one cell; clean and corrupted ones are each resampled in one go."""
        if (metric, record.key) not in self._draws:
            is_clean = record.cell.condition == CLEAN
            batch = [r for r in self.finished if (r.cell.condition == CLEAN) == is_clean]
            counts = [self.counts(each.key) for each in batch]
            draws = replicates(METRICS[metric], counts, self.clusters)
            for each, count, row in zip(batch, counts, draws, strict=True):
                estimate = Estimate(METRICS[metric](count), row, (each.key,))
                self._draws[metric, each.key] = estimate
        return self._draws[metric, record.key]

    def score(
        self,
        label: str,
        metric: str = PRIMARY,
        condition: Condition = CLEAN,
        task: Task | None = None,
    ) -> Estimate | None:
        """Score a method under a condition, averaged over the seeds that finished.

        Sampling seeds are averaged within each training seed first.
        """
        records = self.of(label, condition, task)
        if not records:
            return None
        estimates = [self._estimate(metric, record) for record in records]
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

    def spread(self, label: str) -> Spread | None:
        """Split the variance of a clean score by what it would change with.

        Returns:
            None unless every training seed has the same sampling seeds, all finished.
        """
        seeds: dict[int, list[Estimate]] = {}
        for record in self.of(label):
            seeds.setdefault(record.cell.seed, []).append(self._estimate(PRIMARY, record))
        if len({len(each) for each in seeds.values()}) != 1:
            return None
        scores = np.array([[e.value for e in each] for each in seeds.values()])
        draws = np.array([[e.draws for e in each] for each in seeds.values()])
        return spread(scores, draws)

    @cached_property
    def resolution(self) -> Estimate | None:
        """Return the least difference of two methods that can be told here, clean.

        The median over pairs, with the cells it rests on; None with fewer than two methods.
        """
        known = [score for label in self.labels if (score := self.score(label)) is not None]
        found = [minimum_detectable(a - b) for a, b in combinations(known, 2)]
        if not found:
            return None
        keys = tuple(key for score in known for key in score.keys)
        return Estimate(float(np.median(found)), np.empty(0), keys)

    def counts(self, key: str) -> Counts:
        """Read a cell's counts; those of clean cells, which many scores need, stay in memory."""
        if key not in self._counts:
            found = self.folder.counts(key)
            if self._record[key].cell.condition != CLEAN:
                return found
            self._counts[key] = found
        return self._counts[key]

    def mpc(self, label: str, corruption: str | None = None) -> Estimate | None:
        """Average over severities, then over corruptions (mPC of arXiv:1907.07484 eq. 1).

        Returns:
            None if any of the conditions lacks a result: another mean would not compare.
        """
        means = []
        for each in self.corruptions if corruption is None else (corruption,):
            scores = [
                self.score(label, condition=condition)
                for condition in self.conditions
                if condition.corruption == each
            ]
            known = [score for score in scores if score is not None]
            if len(known) < len(scores):
                return None
            means.append(mean(known))
        return mean(means) if means else None

    def classes(self, label: str, task: Task | None = None) -> np.ndarray:
        """Return the clean IoU of each class, averaged over seeds; float64 [K], NaN if absent."""
        each = [per_class_iou(self.counts(record.key)) for record in self.of(label, task=task)]
        return np.asarray(np.mean(each, axis=0))


def make_blocks(folder: SuiteFolder, *, allow_mixed: bool = False) -> list[Block]:
    """Divide the latest run of a suite into blocks, in the suite's order.

    Args:
        folder: the records.
        allow_mixed: mark methods whose protocol is not that of the block's first cell.

    Raises:
        StoreError: if cells of a block differ in protocol and are not to be marked; if they
            scored different images.
    """
    groups: dict[str, list[Record]] = {}
    rescored = _rescored(folder)
    for record in folder.records():
        cell = record.cell
        way = cell.protocol.eval_at if (cell.suite, cell.label) in rescored else ""
        side = cell.protocol.short_side
        group = fingerprint(cell.train_on, cell.test_on, cell.mapping, side, way)
        groups.setdefault(group, []).append(record)
    for group, records in groups.items():
        groups[group] = _one_protocol(folder, records, allow_mixed)
    firsts = [records[0].cell for records in groups.values()]
    several = len({cell.train_on.key for cell in firsts}) > 1
    sized = len({cell.protocol.short_side for cell in firsts}) > 1
    blocks = []
    for records in groups.values():
        cell = records[0].cell
        title = name(cell.test_on, "val")
        title += f", trained on {name(cell.train_on, 'train')}" if several else ""
        title += f", {cell.mapping} mapping" if cell.mapping else ""
        title += f", short side {cell.protocol.short_side}" if sized else ""
        title += f", {cell.protocol.eval_at} score" if (cell.suite, cell.label) in rescored else ""
        blocks.append(Block(folder, records, title))
    return blocks


def main_blocks(blocks: Sequence[Block]) -> list[Block]:
    """Return one block for each test set of a training set: the others map or resize otherwise.

    The one of most methods is it, for only one mapping is open to all; then the first.
    """
    groups: dict[str, list[Block]] = {}
    for block in blocks:
        cell = block.first
        group = fingerprint(cell.train_on, cell.test_on, cell.protocol.eval_at)
        groups.setdefault(group, []).append(block)
    return [max(group, key=lambda block: len(block.labels)) for group in groups.values()]


def _rescored(folder: SuiteFolder) -> set[tuple[str, str]]:
    """Return the methods, by suite and label, whose predictions are scored in several ways.

    Each way has a block of its own.
    """
    cells = [record.cell for record in folder.records()]
    ways = {(cell.suite, cell.label, cell.protocol.eval_at) for cell in cells}
    methods = [way[:2] for way in ways]
    return {method for method in methods if methods.count(method) > 1}


def protocol_fields(record: Record) -> dict[str, object]:
    """Return what must agree before two numbers stand side by side, by dotted names."""
    cell = record.cell
    # how many images are loaded together, and which scores are printed, change no number
    protocol = cell.protocol.model_dump(mode="json", exclude={"batch_size", "metrics"})
    fields = {f"protocol.{name}": value for name, value in protocol.items()}
    return {**fields, "limit": cell.limit, "test data": record.test_data or None}


def _one_protocol(folder: SuiteFolder, records: list[Record], allow_mixed: bool) -> list[Record]:
    """Refuse or mark records that differ in protocol from the first finished one."""
    usual = protocol_fields(next((r for r in records if r.status == "ok"), records[0]))
    checked = []
    for record in records:
        found = protocol_fields(record)
        if record.status == "failed":
            found["test data"] = usual["test data"]  # which it did not come to read
        differing = [name for name in usual if found[name] != usual[name]]
        if differing and not allow_mixed:
            values = (f"{name} ({usual[name]} and {found[name]})" for name in differing)
            where = ", ".join(map(str, folder.paths))
            message = f"cells on {record.cell.test_on} differ in {', '.join(values)}"
            raise StoreError(f"{where}: {message}; --allow-mixed puts them side by side, marked")
        if differing:
            marks = ", ".join(
                f"{name.removeprefix('protocol.')}={found[name]}" for name in differing
            )
            record = relabelled(record, f"{record.cell.label} [{marks}]")
        checked.append(record)
    return checked


def name(reference: DataRef, usual: str) -> str:
    """Name a split of a data set; the usual split is left unsaid."""
    return str(reference) if reference.split == usual else f"{reference} {reference.split}"


def describe(reference: DataRef, usual: str) -> str:
    """Name a split with what it is made of, saying of generated data that they are."""
    found = _dataset(reference)
    if found is None:
        return name(reference, usual)
    dataset, options = found
    contents = dataset.contents(options)
    text = name(reference, usual) + (f" of {contents}" if contents else "")
    return text + (f" (generated {reference.dataset})" if dataset.is_drawn(options) else "")


def is_generated(reference: DataRef) -> bool:
    """Whether the data are drawn from code: a stand-in, about which captions say so."""
    found = _dataset(reference)
    return found is not None and found[0].is_drawn(found[1])


def _dataset(reference: DataRef) -> tuple[type[Dataset], Frozen] | None:
    """Look a data set up; records may come from an installation with others."""
    try:
        dataset = load_dataset_class(reference.dataset)
        return dataset, dataset.Options.model_validate(reference.options)
    except (DatasetError, ValidationError):
        return None


def catalogued(condition: Condition) -> Corruption | None:
    """Return what the catalogue says of a condition; records may be of another catalogue."""
    try:
        return lookup(condition.corruption, condition.severity)
    except ValueError:
        return None


def _unique(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))
