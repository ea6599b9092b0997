"""From operations to steps."""

import pytest

from bench.core.errors import PlanError
from bench.core.registry import resolve_config
from bench.core.schema import DataSpec
from bench.engine.training.budget import TOLERANCE, needed_stages, spend

DATA = DataSpec(classes=("road", "sky"), palette=((0, 0, 0), (9, 9, 9)), size=(32, 64))
COSTS = {"tokenizer": 2e9, "prior": 3e9, "inverse": 5e9, "twin": 4e9}


def gss(**changes):
    return resolve_config("gss", "tiny", changes)


def taken(config, flops=4e12, tasks=("predict",)):
    """What a configuration's training takes, and its steps by stage."""
    budgeted = spend("GSS", config, DATA, tasks, flops, lambda _, stage: COSTS[stage.name])
    stages = [
        stage.times(budgeted.factor)
        for stage in needed_stages(config, DATA, tasks, tuple(config.weights))
    ]
    steps = {stage.name: stage.steps for stage in stages}
    return sum(COSTS[name] * count for name, count in steps.items()), steps, stages


@pytest.mark.parametrize("variant", ["FF", "FT-W"])
def test_all_stages_grow_by_one_factor_until_the_budget_is_spent(variant):
    config = gss(variant=variant)
    flops, steps, stages = taken(config)
    assert flops == pytest.approx(4e12, rel=0.01)
    before = {stage.name: stage for stage in config.stages(DATA)}
    ratios = [count / before[name].steps for name, count in steps.items()]
    assert max(ratios) == pytest.approx(min(ratios), rel=0.01)
    warmups = [stage.warmup_steps / before[stage.name].warmup_steps for stage in stages]
    assert warmups == pytest.approx(ratios, rel=0.05)


def test_a_part_is_given_the_budget_of_its_whole_and_a_twin_its_own():
    whole, part, twin = (
        gss(variant="FT-W"),
        gss(variant="FT-W", control="auxiliary_head"),
        gss(control="twin"),
    )
    of_whole, of_part = taken(whole)[1], taken(part)[1]
    assert of_part == {name: of_whole[name] for name in ("tokenizer", "prior")}
    assert taken(twin)[0] == pytest.approx(4e12, rel=0.01)


def test_what_comes_from_a_file_costs_nothing():
    config = gss(weights={"tokenizer": "weights.safetensors"})
    flops, steps, _ = taken(config)
    assert steps["tokenizer"] == 0
    assert flops == pytest.approx(4e12, rel=0.01)


def test_a_budget_that_whole_steps_cannot_meet_is_refused_by_name():
    with pytest.raises(PlanError, match=r"GSS: a budget of 4e\+09 training FLOPs .* within 15%"):
        taken(gss(), flops=4e9)
    assert TOLERANCE == 0.15
    assert taken(gss(), flops=5e9)[1] == {"tokenizer": 1, "prior": 1}


def test_a_method_that_learns_nothing_takes_no_budget():
    config = resolve_config("position_prior", "tiny", {})
    budgeted = spend("Floor", config, DATA, ("predict",), 1e12, lambda *_: pytest.fail("counted"))
    assert not budgeted.step_flops
