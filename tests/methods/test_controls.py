"""Controls: the discriminative twin and the parts of each generative method."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pydantic
import pytest
import torch

from bench.core import seeding
from bench.core.registry import load_config, load_method, method_modules, resolve_config
from bench.core.schema import fingerprint
from bench.engine.manifests import make_manifest
from bench.engine.plan import Settings, make_plan
from bench.engine.training.stages import trainable_modules
from bench.suite.method_checks import families_of
from bench.suite.model import Suite
from bench.suite.reading import LoadedSuite, read_suite
from tests.helpers.small_methods import CLASSES, DATA, SIZE, draw_batch

SUITES = Path(__file__).parents[2] / "suites"


@dataclass
class Case:
    """A control, and the stages that it shares with the whole method."""

    method: str
    control: str
    family: str
    shared: tuple[str, ...]


CASES = [
    Case("gss", "twin", "discriminative", ()),
    Case("gss", "auxiliary_head", "discriminative", ("tokenizer", "prior")),
    Case("cam_seg", "twin", "discriminative", ("autoencoder", "statistics")),
    Case("cam_seg", "temperature_zero", "generative", ("autoencoder", "statistics", "prior")),
    Case("seg_var", "twin", "discriminative", ()),
    Case("seg_var", "image_encoder", "generative", ("tokenizer", "seglat", "latent", "image")),
    Case("seg_var", "seglat_decoder", "generative", ("tokenizer", "seglat", "latent", "image")),
]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.method}-{c.control}")


def build(name, control=""):
    config = resolve_config(name, "tiny", {"control": control})
    with seeding.seeded(0):
        return load_method(name)(config, DATA)


def stage_keys(config):
    keys, key = {}, ""
    for stage in config.stages(DATA):
        key = keys[stage.name] = fingerprint(key, stage, config.depends_on(stage.name))
    return keys


def learned(method, steps=1):
    for stage in method.config.stages(DATA):
        modules = trainable_modules(method, stage)
        if stage.steps == 0:
            method.fit(stage.name, [draw_batch(seed=1)])
            continue
        optimizer = torch.optim.Adam(modules.parameters(), lr=2e-3)
        for step in range(steps):
            with seeding.seeded(step):
                loss = sum(method(stage.name, draw_batch()).values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return method.requires_grad_(False).eval()


@pytest.mark.parametrize("name", ["robustness", "camvid"])
def test_every_generative_method_of_a_main_suite_is_contrasted_with_a_twin(name):
    suite = read_suite(SUITES / f"{name}.yaml").suite
    roles = {m.title: resolve_config(m.adapter, m.preset, m.config).role for m in suite.methods}
    adapters = {m.title: m.adapter for m in suite.methods}
    twins = {m.adapter: m.title for m in suite.methods if m.config.get("control") == "twin"}
    wholes = {adapters[t] for t, r in roles.items() if r.family == "generative" and not r.control}
    assert wholes == twins.keys()
    for measure in ("clean", "mPC", "above floor"):
        contrasts = [c for c in suite.contrasts if c.measure == measure]
        compared = {adapters[c.first[0]] for c in contrasts if c.second in twins.values()}
        assert compared == wholes
        assert any(c.is_of_families for c in contrasts)


def test_every_control_has_a_case():
    declared = set()
    for name in method_modules():
        field = load_config(name)[0].model_fields.get("control")
        if field is not None:
            controls = {control for control in get_args(field.annotation) if control}
            assert controls == load_config(name)[0].controls.keys()
            declared |= {(name, control) for control in controls}
    assert declared == {(case.method, case.control) for case in CASES}


@every_case
def test_a_control_is_of_its_own_family_and_predicts_only(case):
    role = resolve_config(case.method, "tiny", {"control": case.control}).role
    assert role.control
    assert role.family == case.family
    assert role.tasks == ("predict",)
    whole = resolve_config(case.method, "tiny", {}).role
    assert not whole.control
    assert whole.family == "generative"


@every_case
def test_a_control_shares_trainings_with_the_whole(case):
    whole = stage_keys(resolve_config(case.method, "tiny", {}))
    control = stage_keys(resolve_config(case.method, "tiny", {"control": case.control}))
    assert tuple(name for name, key in control.items() if whole.get(name) == key) == case.shared


@every_case
def test_a_control_predicts_from_what_it_learned(case):
    method = learned(build(case.method, case.control))
    batch = draw_batch(2)
    with torch.inference_mode():
        label = method.predict(batch.image, batch.seeds)
        assert torch.equal(label, method.predict(batch.image, batch.seeds))
        scores = method.logits(batch.image, batch.seeds)
    assert label.shape == (2, *SIZE)
    assert ((label >= 0) & (label < CLASSES)).all()
    if case.family == "discriminative":
        assert scores.shape == (2, CLASSES, *SIZE)
        assert torch.equal(scores.argmax(1), label)
        assert method.config.gives_probabilities


@pytest.mark.parametrize("name", ["gss", "cam_seg", "seg_var"])
def test_a_twin_learns_with_the_settings_of_the_whole(name):
    twin, whole = build(name, "twin"), build(name)
    stages = twin.config.stages(DATA)
    of_the_whole = whole.config.stages(DATA)[-1]
    same = {"name", "modules", "tasks"}
    assert stages[-1].name == "twin"
    assert stages[-1].model_dump(exclude=same) == of_the_whole.model_dump(exclude=same)
    learned(twin, steps=25)
    with seeding.seeded(0):
        loss = float(sum(twin("twin", draw_batch()).values()))
    assert loss < 0.8 * math.log(CLASSES)


def test_a_twin_has_the_image_encoder_of_the_whole():
    for name, part in (("gss", "prior.backbone"), ("cam_seg", "transformer")):
        twin, whole = (build(name, c).get_submodule(part) for c in ("twin", ""))
        assert [(k, p.shape) for k, p in twin.named_parameters()] == [
            (k, p.shape) for k, p in whole.named_parameters()
        ], name
    twin, whole = (build("seg_var", control).image_encoder for control in ("twin", ""))
    others = ("heads", "word", "present")
    for key, parameter in whole.named_parameters():
        if not key.startswith(others):
            assert torch.equal(parameter, twin.get_parameter(key)), key


def test_seg_var_s_parts_choose_codes_by_themselves():
    """The whole with all the weight on one of the two chooses what that part chooses."""
    whole = learned(build("seg_var"))
    batch = draw_batch(2)
    codes = {}
    with torch.inference_mode():
        for control in ("", "image_encoder", "seglat_decoder"):
            part = build("seg_var", control)
            part.load_state_dict(whole.state_dict())
            codes[control] = part.eval()._generate(batch.image, batch.seeds)
        heavy = whole.config.image_encoder.model_copy(update={"weight": 1e9})
        whole.config = whole.config.model_copy(update={"image_encoder": heavy})
        codes["heavy"] = whole._generate(batch.image, batch.seeds)
        light = whole.config.image_encoder.model_copy(update={"weight": 0.0})
        whole.config = whole.config.model_copy(update={"image_encoder": light})
        codes["light"] = whole._generate(batch.image, batch.seeds)

    def same(a, b):
        return all(torch.equal(x, y) for x, y in zip(codes[a], codes[b], strict=True))

    assert same("heavy", "image_encoder")
    assert same("light", "seglat_decoder")
    assert not same("image_encoder", "seglat_decoder")


def test_temperature_zero_draws_without_noise():
    method = learned(build("cam_seg", "temperature_zero"))
    batch = draw_batch(2)
    with torch.inference_mode():
        first = method.predict(batch.image, batch.seeds)
        assert torch.equal(first, method.predict(batch.image, batch.seeds + 1))


@pytest.mark.parametrize(
    ("method", "changes", "reason"),
    [
        ("gss", {"control": "auxiliary_head", "head": {"auxiliary": False}}, "head.auxiliary"),
        ("seg_var", {"control": "seglat_decoder", "train_seglat": None}, "train_seglat"),
        ("seg_var", {"control": "twin", "train_image": None}, "image encoder's stage"),
    ],
)
def test_a_part_that_is_not_there_is_refused(method, changes, reason):
    with pytest.raises(pydantic.ValidationError, match=reason):
        resolve_config(method, "tiny", changes)


def test_means_over_families_leave_controls_out(tmp_path):
    methods = [
        {"adapter": "gss", "label": "whole", "preset": "tiny"},
        {"adapter": "gss", "label": "twin", "preset": "tiny", "config": {"control": "twin"}},
    ]
    assert families_of({"methods": methods}) == {"generative"}
    suite = Suite(
        name="controls",
        question="Do families leave controls out?",
        methods=methods,
        train_on=[{"dataset": "scenes", "options": {"images": 2}}],
        test_on=[{"dataset": "scenes", "options": {"images": 2}}],
        contrasts=[
            {"name": "c", "first": ["whole"], "second": "twin"},
        ],
        protocol={"resize": SIZE},
    )
    plan = make_plan(LoadedSuite(suite, ""), Settings(output=tmp_path))
    assert make_manifest(plan).families == {"whole": "generative", "twin": ""}
    assert {p.cell.task for p in plan.cells if p.cell.label == "twin"} == {"predict"}
