"""A training budget: from operations to the steps of every stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from bench.core.config import MethodConfig
from bench.core.errors import PlanError
from bench.core.schema import DataSpec, Task
from bench.core.stage import Stage

TOLERANCE = 0.15
"""How far, as a share of the budget, a training may be from it."""


class Budgeted(NamedTuple):
    """How a training takes a budget."""

    factor: float
    """Of the steps of all its stages."""
    step_flops: Mapping[str, float]
    """Operations of a step, by the name of the whole's stage; of trained stages alone."""


def needed_stages(
    config: MethodConfig, data: DataSpec, tasks: Sequence[Task], given: Sequence[str]
) -> tuple[Stage, ...]:
    """Return the stages that a suite's tasks need; those whose weights are given have no steps."""
    return tuple(
        stage.model_copy(update={"steps": 0}) if stage.name in given else stage
        for stage in config.stages(data)
        if set(stage.tasks) & set(tasks)
    )


def spend(
    title: str,
    config: MethodConfig,
    data: DataSpec,
    tasks: Sequence[Task],
    flops: float,
    count: Callable[[MethodConfig, Stage], float],
) -> Budgeted:
    """Give a method the steps that a budget pays for.

    Args:
        title: of the method, for errors.
        config: with its own steps, of which only their ratios matter.
        data: classes and size of the images.
        tasks: of the suite: what none of them needs is not trained.
        flops: the budget.
        count: returns the operations of a step of a stage (``step_flops``).

    Raises:
        PlanError: if whole steps cannot meet the budget.
    """
    stages = needed_stages(config.whole, data, tasks, tuple(config.weights))
    trained = [stage for stage in stages if stage.steps]
    costs = {stage.name: count(config.whole, stage) for stage in trained}
    own = sum(costs[stage.name] * stage.steps for stage in trained)
    if not own:
        return Budgeted(1.0, {})
    longer = [stage.times(flops / own) for stage in trained]
    spent = sum(costs[stage.name] * stage.steps for stage in longer)
    if abs(spent - flops) > TOLERANCE * flops:
        steps = ", ".join(f"{stage.name} {stage.steps}" for stage in longer)
        raise PlanError(
            f"{title}: a budget of {flops:.3g} training FLOPs cannot be met within "
            f"{TOLERANCE:.0%}: whole steps ({steps}) take {spent:.3g}; give more, or a smaller "
            "batch or preset"
        )
    return Budgeted(flops / own, costs)
