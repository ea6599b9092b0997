"""Which cells may stand side by side: those of one training set, test set and protocol.

A suite with several test sets has a block for each. Within a block all cells score the
same images, so every difference and ratio is paired.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from bench.core.errors import StoreError
from bench.core.record import ConditionFacts, Record
from bench.core.schema import CLEAN, Condition, DataRef, Protocol, Task, fingerprint
from bench.store.folders import SuiteFolder
from bench.store.merged import relabelled

T = TypeVar("T")


class Selection:
    """The records of one block, and what they say of its methods, data and conditions."""

    def __init__(self, folder: SuiteFolder, records: Sequence[Record], title: str) -> None:
        self.folder = folder
        self.title = title
        """The test set, and the training set where the suite has several."""
        self.records = tuple(records)
        self.finished = tuple(record for record in records if record.status == "ok")
        cells = [record.cell for record in records]
        self.first = cells[0]
        self.train_set, self.test_set = records[0].train_set, records[0].test_set
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
        self.perturbations = _unique(
            record.cell.condition
            for record in self.finished
            if record.cell.task == "reconstruct" and record.cell.condition != CLEAN
        )
        """The conditions under which latents were perturbed."""
        self.floor = next((record.cell.label for record in records if record.floor), None)
        """The label of the method that declares itself the floor, if there is one."""
        self.learned = tuple(label for label in self.labels if label != self.floor)
        manifest = folder.manifest()
        self.primary = manifest.primary
        """The metric that is followed through all conditions."""
        self.reference, self.published = manifest.reference, manifest.published
        self.contrasts, self.families = manifest.contrasts, manifest.families
        self._check_images()

    def _check_images(self) -> None:
        if len({record.image_ids for record in self.finished}) > 1:
            keys = ", ".join(record.key for record in self.finished[:2])
            message = "cells of one test set scored different images"
            raise StoreError(f"{self.folder.path}: {message} (such as {keys}); run them again")

    @property
    def num_images(self) -> int:
        """Images that each cell scored."""
        return len(self.finished[0].image_ids) if self.finished else 0

    @property
    def training_seeds(self) -> int:
        """How many seeds the methods were trained with."""
        return len({record.cell.seed for record in self.finished})

    @property
    def metrics(self) -> tuple[str, ...]:
        """The suite's metrics, the primary one first."""
        return _unique((self.primary, *self.first.protocol.metrics))

    def of(
        self, label: str, condition: Condition = CLEAN, task: Task | None = None
    ) -> tuple[Record, ...]:
        """Return a method's finished cells under a condition, one per seed and sampling seed."""
        wanted = (label, condition, task or self.task)
        return tuple(
            record
            for record in self.finished
            if (record.cell.label, record.cell.condition, record.cell.task) == wanted
        )

    def of_conditions(self, label: str) -> tuple[Record, ...]:
        """Return a method's finished predictions of corrupted images."""
        return tuple(record for c in self.conditions for record in self.of(label, c, "predict"))

    def members(self, corruption: str) -> tuple[Condition, ...]:
        """Return the conditions of a corruption."""
        return tuple(c for c in self.conditions if c.corruption == corruption)

    def facts(self, condition: Condition) -> ConditionFacts | None:
        """Return what the records say of a condition; old ones say nothing."""
        same = (record for record in self.records if record.cell.condition == condition)
        return next((record.condition for record in same if record.condition), None)

    def missing(self, label: str) -> str:
        """Say why a method has no number."""
        cells = (record for record in self.records if record.cell.label == label)
        return "failed" if any(record.status == "failed" for record in cells) else "not run"


class Group(NamedTuple):
    """Records that stand side by side, with their title."""

    records: list[Record]
    title: str


S = TypeVar("S", bound=Selection)


def groups(folder: SuiteFolder, *, allow_mixed: bool = False) -> Iterator[Group]:
    """Divide the latest run of a suite, in the suite's order.

    Args:
        folder: the records.
        allow_mixed: mark methods whose protocol is not that of the group's first cell.

    Raises:
        StoreError: if cells of a group differ in protocol and are not to be marked.
    """
    members: dict[str, list[Record]] = {}
    rescored = _rescored(folder)
    for record in folder.records():
        cell = record.cell
        if cell.curve is not None:
            continue  # bench.report.tables.training has them
        geometry = cell.protocol.eval_at if (cell.suite, cell.label) in rescored else ""
        side = cell.protocol.short_side
        key = fingerprint(cell.train_on, cell.test_on, cell.mapping, side, geometry)
        members.setdefault(key, []).append(record)
    checked = [_one_protocol(folder, records, allow_mixed) for records in members.values()]
    firsts = [records[0].cell for records in checked]
    several = len({cell.train_on.key for cell in firsts}) > 1
    sized = len({cell.protocol.short_side for cell in firsts}) > 1
    for records in checked:
        cell = records[0].cell
        title = name(cell.test_on, "val")
        title += f", trained on {name(cell.train_on, 'train')}" if several else ""
        title += f", {cell.mapping} mapping" if cell.mapping else ""
        title += f", short side {cell.protocol.short_side}" if sized else ""
        title += f", {cell.protocol.eval_at} score" if (cell.suite, cell.label) in rescored else ""
        yield Group(records, title)


def main_blocks(blocks: Sequence[S]) -> list[S]:
    """Return one block per training and test set: the others map or resize otherwise.

    It is the one with the most methods, as only one mapping is open to all; then the first.
    """
    same: dict[str, list[S]] = {}
    for block in blocks:
        cell = block.first
        key = fingerprint(cell.train_on, cell.test_on, cell.protocol.eval_at)
        same.setdefault(key, []).append(block)
    return [max(group, key=lambda block: len(block.labels)) for group in same.values()]


def _rescored(folder: SuiteFolder) -> set[tuple[str, str]]:
    """Return the methods, by suite and label, whose predictions are scored in several ways.

    Each way has a block of its own.
    """
    cells = [record.cell for record in folder.records()]
    scored = {(cell.suite, cell.label, cell.protocol.eval_at) for cell in cells}
    methods = [(suite, label) for suite, label, _ in scored]
    return {method for method in methods if methods.count(method) > 1}


def protocol_fields(record: Record) -> dict[str, object]:
    """Return what must agree before two numbers stand side by side, by dotted names."""
    cell = record.cell
    # which scores are printed changes no number
    protocol = cell.protocol.model_dump(mode="json", exclude={"metrics"})
    names = (name for name in Protocol.model_fields if name != "metrics")
    fields = {f"protocol.{name}": protocol.get(name) for name in names}
    return {**fields, "limit": cell.limit, "test data": record.test_data or None}


def _one_protocol(folder: SuiteFolder, records: list[Record], allow_mixed: bool) -> list[Record]:
    """Refuse or mark records that differ in protocol from the first finished one."""
    usual = protocol_fields(next((r for r in records if r.status == "ok"), records[0]))
    checked = []
    for record in records:
        fields = protocol_fields(record)
        if record.status == "failed":
            fields["test data"] = usual["test data"]  # which it did not come to read
        differing = [field for field in usual if fields[field] != usual[field]]
        if differing and not allow_mixed:
            values = (f"{field} ({usual[field]} and {fields[field]})" for field in differing)
            where = ", ".join(map(str, folder.paths))
            message = f"cells on {record.cell.test_on} differ in {', '.join(values)}"
            raise StoreError(f"{where}: {message}; --allow-mixed puts them side by side, marked")
        if differing:
            marks = ", ".join(
                f"{field.removeprefix('protocol.')}={fields[field]}" for field in differing
            )
            record = relabelled(record, f"{record.cell.label} [{marks}]")
        checked.append(record)
    return checked


def name(reference: DataRef, usual: str) -> str:
    """Name a split of a dataset; the usual split is left unsaid."""
    split = str(reference) if reference.split == usual else f"{reference} {reference.split}"
    return split if reference.portion is None else f"{split} ({reference.portion})"


def _unique(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))
