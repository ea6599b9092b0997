"""Groups of parameters, and a recipe that a plain PyTorch loop repeats."""

import pytest
import torch
from torch import nn

from bench.core.config import MethodConfig
from bench.core.errors import StageError
from bench.core.method import Method
from bench.core.schema import IGNORE_INDEX
from bench.core.stage import LayerDecay, ParameterGroup, Stage
from bench.engine.accelerator import make_accelerator
from bench.engine.training.optimiser import make_optimiser, parameter_groups
from bench.engine.training.train import TrainingJob, train_stage
from bench.store.cells import StageFolder
from tests.helpers.drawn import Silent, split
from tests.helpers.small_methods import CLASSES, DATA


def stage(**settings):
    given = {"name": "s", "modules": ("backbone", "head"), "steps": 10, "weight_decay": 0.1}
    return Stage(**{**given, **settings})


def modules():
    backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3))
    return nn.ModuleDict({"backbone": backbone, "head": nn.Conv2d(4, CLASSES, 1)})


def settings_of(**settings):
    """By name: the multiplier of a parameter's rate and its decay."""
    chosen = modules()
    names = {parameter: name for name, parameter in chosen.named_parameters()}
    return {
        names[parameter]: (group["lr_multiplier"], group["weight_decay"])
        for group in parameter_groups(chosen, stage(**settings))
        for parameter in group["params"]
    }


def test_vectors_are_not_decayed_unless_asked():
    plain = settings_of()
    assert plain["backbone.0.weight"] == plain["head.weight"] == (1, 0.1)
    assert plain["backbone.1.weight"] == plain["head.bias"] == (1, 0)
    assert set(settings_of(decay_vectors=True).values()) == {(1, 0.1)}
    assert settings_of(no_decay=("head.w*",))["head.weight"] == (1, 0)


def test_a_parameter_belongs_to_the_first_group_that_matches():
    groups = (
        ParameterGroup(match=("head.*",), lr_multiplier=10, weight_decay=0.5),
        ParameterGroup(match=("*.weight",), lr_multiplier=0.1),
    )
    found = settings_of(groups=groups)
    assert found["head.weight"] == (10, 0.5)
    assert found["head.bias"] == (10, 0)
    assert found["backbone.0.weight"] == (0.1, 0.1)
    assert found["backbone.0.bias"] == (1, 0)


def test_rates_fall_from_the_last_layer_down():
    decay = LayerDecay(rate=0.5, layers=("backbone.0.*", "backbone.[12].*"))
    found = settings_of(layer_decay=decay)
    assert found["backbone.0.weight"][0] == 0.25
    assert found["backbone.2.weight"][0] == 0.5
    assert found["head.weight"][0] == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"no_decay": ("tail.*",)},
        {"groups": (ParameterGroup(match=("head.*", "tail.*")),)},
        {"layer_decay": LayerDecay(rate=0.5, layers=("tail.*",))},
    ],
)
def test_a_pattern_that_matches_nothing_is_refused(wrong):
    with pytest.raises(StageError, match=r"'tail\.\*' matches no parameter; .* backbone\.0\.weig"):
        parameter_groups(modules(), stage(**wrong))


def test_frozen_parameters_are_in_no_group():
    chosen = modules()
    chosen["head"].requires_grad_(False)
    (weights, vectors) = parameter_groups(chosen, stage())
    assert len(weights["params"]) + len(vectors["params"]) == 6


def test_settings_reach_the_optimiser():
    sgd = make_optimiser(modules(), stage(optimizer="sgd", momentum=0.3, lr=0.2))
    assert isinstance(sgd, torch.optim.SGD)
    assert {group["momentum"] for group in sgd.param_groups} == {0.3}
    adamw = make_optimiser(modules(), stage(betas=(0.5, 0.6)))
    assert isinstance(adamw, torch.optim.AdamW)
    assert {group["betas"] for group in adamw.param_groups} == {(0.5, 0.6)}


class Two(Method):
    """A backbone and a head; keeps the batches it was trained on."""

    def __init__(self):
        super().__init__(MethodConfig(), DATA)
        self.backbone = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Conv2d(8, CLASSES, 1)
        self.seen = []

    def forward(self, stage, batch):
        self.seen.append(batch)
        return {"fit": loss_of(self, batch)}

    def predict(self, image, seeds):
        raise AssertionError("never asked")


def loss_of(model, batch):
    scores = model.head(model.backbone(batch.image))
    return nn.functional.cross_entropy(scores, batch.label, ignore_index=IGNORE_INDEX)


def test_an_sgd_recipe_with_two_groups_is_a_plain_loop(tmp_path):
    """To the last bit: mmsegmentation's poly recipe, its head at ten times the rate."""
    steps, rate, clip = 6, 0.02, 0.5
    method, plain = Two(), Two()
    plain.load_state_dict(method.state_dict())
    recipe = stage(
        steps=steps,
        batch_size=3,
        optimizer="sgd",
        momentum=0.9,
        lr=rate,
        weight_decay=5e-4,
        decay_vectors=True,
        power=0.9,
        grad_clip=clip,
        groups=(ParameterGroup(match=("head.*",), lr_multiplier=10),),
    )
    job = TrainingJob("two", "tiny", recipe, split(images=5), 0, StageFolder(tmp_path, "stage"))
    train_stage(method, job, make_accelerator(), Silent())

    groups = [{"params": plain.backbone.parameters()}, {"params": plain.head.parameters()}]
    optimizer = torch.optim.SGD(groups, lr=rate, momentum=0.9, weight_decay=5e-4)
    plain.train()
    for step, batch in enumerate(method.seen):
        for group, factor in zip(optimizer.param_groups, (1, 10), strict=True):
            group["lr"] = rate * (1 - step / steps) ** 0.9 * factor
        optimizer.zero_grad()
        loss_of(plain, batch).backward()
        nn.utils.clip_grad_norm_(plain.parameters(), clip)
        optimizer.step()
    assert len(method.seen) == steps
    for name, value in plain.state_dict().items():
        assert torch.equal(method.state_dict()[name], value), name
