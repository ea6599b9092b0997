"""The trainings of a suite: each method on each set with each seed, and the points of curves."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from bench.core.config import MethodConfig
from bench.core.errors import DatasetMissing
from bench.core.registry import resolve_config
from bench.core.schema import DataRef, DataSpec
from bench.core.stage import Stage
from bench.data.opening import OpenedSplit
from bench.engine.keys import first_key, stage_key
from bench.engine.training.budget import Budgeted, needed_stages, spend
from bench.engine.training.step_flops import step_flops
from bench.engine.training.weights import content_digests, digests
from bench.store.cells import StageFolder
from bench.suite.model import MethodEntry, Suite


class Training(NamedTuple):
    """One method trained on one set with one seed."""

    entry: MethodEntry
    config: MethodConfig
    data: DataSpec
    train_on: DataRef
    train_data: str
    seed: int
    stages: tuple[tuple[Stage, StageFolder], ...]
    given: Mapping[str, str]
    """Per stage, the SHA-256 of the file that takes the place of its training."""
    started: Mapping[str, str]
    """Per stage, the SHA-256 of the file that its training starts from."""
    content: Mapping[str, str] = {}
    """By the field that names files, the digest of what is in them (``MethodConfig.files``)."""
    step_flops: Mapping[str, float] = {}
    """Per stage, the operations of a step, where the suite has a budget."""
    curve: float | None = None
    """The share of the budget it has, if it is there for a learning curve alone."""

    @property
    def title(self) -> str:
        """The method's label, with the share of the budget where it is not all of it."""
        return self.entry.title + self.share_note

    @property
    def share_note(self) -> str:
        """The share of the budget, to go after a label; empty where it is all of it."""
        return "" if self.curve is None else f" ({self.curve:.0%} of the budget)"

    @property
    def flops(self) -> float:
        """Operations of the whole training; 0 where they were not counted."""
        return sum(stage.steps * self.step_flops.get(stage.name, 0.0) for stage, _ in self.stages)

    def is_finished(self) -> bool:
        """Whether every stage has its weights."""
        return all(folder.is_finished() for _, folder in self.stages)


class Where(NamedTuple):
    """What stages depend on beside the suite."""

    output: Path
    """The folder of results."""
    processes: int
    """That train together."""


def all_trainings(
    suite: Suite, splits: Mapping[str, OpenedSplit], where: Where
) -> Iterator[Training]:
    """Yield the trainings of a suite in order, those for curves alone after all others.

    Raises:
        DatasetMissing: if the classes of a training set are not known, because it is not here.
        PlanError: if a method cannot meet the suite's budget.
        WeightsError: if weights are given for what is no stage.
    """
    for entry in suite.methods:
        for seed, train_on in itertools.product(suite.seeds_of(entry), suite.training_sets):
            yield _training(suite, entry, train_on, splits[train_on.key], seed, where)
    smaller = [share for share in suite.curve if share < 1]
    for entry, share, train_on in itertools.product(suite.methods, smaller, suite.training_sets):
        trained, seed = splits[train_on.key], suite.seeds_of(entry)[0]
        training = _training(suite, entry, train_on, trained, seed, where, share)
        if training.step_flops:
            yield training


def _training(
    suite: Suite,
    entry: MethodEntry,
    train_on: DataRef,
    trained: OpenedSplit,
    seed: int,
    where: Where,
    curve: float | None = None,
) -> Training:
    if trained.space is None:
        raise DatasetMissing({need.what: need.remedy for need in trained.needs})
    space, train_data = trained.space, trained.content
    config = resolve_config(entry.adapter, entry.preset, entry.config)
    size = suite.protocol.input_size
    data = DataSpec(classes=space.classes, palette=space.palette, size=size)
    given = digests(entry.title, "weights", config.weights, config, data)
    started = digests(entry.title, "initialise", config.initialise, config, data)
    content: Mapping[str, str] = {}
    if not config.needs():
        config.check(data)
        content = content_digests(config)
    budgeted = _budgeted(suite, entry, config, data, 1.0 if curve is None else curve)
    asked = needed_stages(config, data, suite.tasks, tuple(given))
    if budgeted.step_flops:
        config = config.with_steps_times(budgeted.factor)
        asked = tuple(stage.times(budgeted.factor) for stage in asked)
    key = first_key(entry.adapter, config, data, train_data, suite.protocol, seed)
    stages = []
    for stage in asked:
        files = given.get(stage.name, ""), started.get(stage.name, "")
        key = stage_key(key, stage, config, content, *files, where.processes)
        stages.append((stage, StageFolder(where.output, key)))
    return Training(
        *(entry, config, data, train_on, train_data, seed),
        *(tuple(stages), given, started, content, budgeted.step_flops, curve),
    )


def _budgeted(
    suite: Suite,
    entry: MethodEntry,
    config: MethodConfig,
    data: DataSpec,
    share: float,
) -> Budgeted:
    """Return how a method takes a share of the suite's budget; as it is where there is none."""
    if suite.budget is None or config.needs():
        return Budgeted(1.0, {})

    def count(counted: MethodConfig, stage: Stage) -> float:
        return step_flops(entry.adapter, counted, data, stage)

    return spend(entry.title, config, data, suite.tasks, share * suite.budget.flops, count)
