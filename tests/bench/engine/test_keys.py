"""What is in the keys of stages and cells, and what is not."""

import pytest

from bench import corruptions
from bench.core.config import MethodConfig
from bench.core.registry import load_config
from bench.core.schema import CLEAN, Cell, Condition, DataRef, Protocol, Slide
from bench.core.stage import Augment, LayerDecay, ParameterGroup, Stage
from bench.corruptions import latents
from bench.engine import keys
from bench.engine.keys import cell_key, first_key, method_identity, model_part, stage_key
from tests.helpers.plug_ins import forget_methods
from tests.helpers.small_methods import DATA

SCENES = DataRef(dataset="scenes", split="val")
NOISE = Condition(corruption="gaussian_noise", severity=2)
PROTOCOL = Protocol(resize=(32, 64))
CELL = Cell(
    suite="suite",
    method="gss",
    label="GSS",
    preset="tiny",
    config={"width": 8},
    train_on=DataRef(dataset="scenes", split="train"),
    test_on=SCENES,
    condition=NOISE,
    task="predict",
    seed=0,
    protocol=PROTOCOL,
)


def cell(identity="version 1", stages=("stage",), test_data="content", **changes):
    changed = CELL.model_copy(update=changes)
    model = model_part(changed.method, identity, changed.config, stages)
    return cell_key(changed, model, test_data)


def protocol(**settings):
    return cell(protocol=PROTOCOL.model_copy(update=settings))


IN_CELL = {
    "method": lambda: cell(method="codec"),
    "version of the method": lambda: cell("version 2"),
    "configuration": lambda: cell(config={"width": 9}),
    "training": lambda: cell(stages=("other",)),
    "another stage": lambda: cell(stages=("stage", "other")),
    "content of the test set": lambda: cell(test_data="other"),
    "test set": lambda: cell(test_on=DataRef(dataset="camvid", split="val")),
    "its subset": lambda: cell(test_on=SCENES.model_copy(update={"subset": "city"})),
    "its split": lambda: cell(test_on=SCENES.model_copy(update={"split": "test"})),
    "its options": lambda: cell(test_on=SCENES.model_copy(update={"options": {"images": 3}})),
    "limit": lambda: cell(limit=3),
    "corruption": lambda: cell(condition=Condition(corruption="rain", severity=2)),
    "severity": lambda: cell(condition=Condition(corruption="gaussian_noise", severity=3)),
    "clean": lambda: cell(condition=CLEAN),
    "task": lambda: cell(task="reconstruct"),
    "seed": lambda: cell(seed=1),
    "sampling seed": lambda: cell(sampling_seed=1),
    "mapping": lambda: cell(mapping="soft"),
}
OUT_OF_CELL = {
    "suite": lambda: cell(suite="other"),
    "label": lambda: cell(label="other"),
    "preset": lambda: cell(preset="other"),
    "name of the training set": lambda: cell(train_on=SCENES),
}
IN_PROTOCOL = {
    "resize": (64, 64),
    "short_side": 32,
    "crop": (16, 16),
    "slide": Slide(window=(16, 16), stride=(8, 8)),
    "eval_at": "input",
    "corrupt_at": "native",
    "backend": "torch",
    "reference_height": 1024,
    "precision": "bf16",
    "micro_batch": 4,
    "channels_last": True,
    "compile": True,
    "segments": True,
}
OUT_OF_PROTOCOL = {"metrics": ("aAcc", "mIoU")}


@pytest.mark.parametrize("change", IN_CELL.values(), ids=IN_CELL)
def test_what_changes_counts_changes_a_cells_key(change):
    assert change() != cell()


@pytest.mark.parametrize("change", OUT_OF_CELL.values(), ids=OUT_OF_CELL)
def test_what_changes_no_count_changes_no_cells_key(change):
    assert change() == cell()


@pytest.mark.parametrize("field", Protocol.model_fields)
def test_a_protocol_is_in_a_cells_key_but_for_what_has_no_effect(field):
    changed = {**IN_PROTOCOL, **OUT_OF_PROTOCOL}[field]
    assert (protocol(**{field: changed}) != cell()) == (field in IN_PROTOCOL)


@pytest.mark.parametrize("field", Protocol.model_fields)
def test_a_training_knows_of_a_protocol_what_it_uses(field):
    """The crop is the size of the data that a method is told."""
    used = {"resize", "short_side", "precision", "channels_last", "compile"}
    changed = {**IN_PROTOCOL, **OUT_OF_PROTOCOL, "short_side": 32}[field]
    before = {"resize": None} if field == "short_side" else {}
    assert (first(**{**before, field: changed}) != first(**before)) == (field in used)


VERSIONS = {
    "training": (keys, "TRAINING_VERSION"),
    "evaluation": (keys, "EVALUATION_VERSION"),
    "corruptions": (corruptions, "VERSION"),
    "latents": (latents, "VERSION"),
}
FLIPS = Condition(corruption="code_flips", severity=2)


def key_of(kind):
    """The key of a training, or of a cell of a kind."""
    if kind == "training":
        return first_key("gss", gss(), DATA, "content", PROTOCOL, 0)
    perturbed = {"task": "reconstruct", "condition": FLIPS}
    changes = {"clean": {"condition": CLEAN}, "corrupted": {}, "perturbed": perturbed}
    return cell(**changes[kind])


@pytest.mark.parametrize(
    ("version", "concerned"),
    [
        ("training", {"training"}),
        ("evaluation", {"clean", "corrupted", "perturbed"}),
        ("corruptions", {"corrupted"}),
        ("latents", {"perturbed"}),
    ],
)
def test_a_version_is_in_the_keys_of_what_it_makes(monkeypatch, version, concerned):
    kinds = ("training", "clean", "corrupted", "perturbed")
    before = {kind: key_of(kind) for kind in kinds}
    module, name = VERSIONS[version]
    monkeypatch.setattr(module, name, getattr(module, name) + 1)
    assert {kind for kind in kinds if key_of(kind) != before[kind]} == concerned


def gss(**changes):
    return load_config("gss")[1]["tiny"].model_copy(update=changes)


def first(adapter="gss", config=None, data=DATA, content="content", seed=0, **settings):
    protocol = PROTOCOL.model_copy(update=settings)
    return first_key(adapter, config or gss(), data, content, protocol, seed)


IN_FIRST = {
    "method": lambda: first("codec"),
    "classes": lambda: first(data=DATA.model_copy(update={"classes": ("a",) * 5})),
    "size": lambda: first(data=DATA.model_copy(update={"size": (64, 64)})),
    "content of the training set": lambda: first(content="other"),
    "seed": lambda: first(seed=1),
}


@pytest.mark.parametrize("change", IN_FIRST.values(), ids=IN_FIRST)
def test_what_changes_weights_changes_a_trainings_key(change):
    assert change() != first()


class Two(MethodConfig):
    """Of a method whose first stage does not know the width of its second."""

    depth: int = 1
    width: int = 2
    file: str = "here"

    def depends_on(self, stage):
        every = super().depends_on(stage)
        return every if stage == "second" else {"depth": self.depth}


STAGE = Stage(name="second", modules=("a",), steps=5)


def stage(previous="first", config=None, given="", start="", processes=1, content=None, **changes):
    settings = STAGE.model_copy(update=changes)
    return stage_key(previous, settings, config or Two(), content or {}, given, start, processes)


IN_STAGE = {
    "stage before": lambda: stage("other"),
    "its setting": lambda: stage(config=Two(width=3)),
    "weights given": lambda: stage(given="digest"),
    "weights to start from": lambda: stage(start="digest"),
    "processes": lambda: stage(processes=2),
    "content of a file": lambda: stage(content={"file": "digest"}),
}
OUT_OF_STAGE = {
    "where weights lie": lambda: stage(config=Two(weights={"second": "a.safetensors"})),
    "where it starts from": lambda: stage(config=Two(initialise={"second": "a.safetensors"})),
    "content of no file of its": lambda: stage(content={"elsewhere": "digest"}),
}


@pytest.mark.parametrize("change", IN_STAGE.values(), ids=IN_STAGE)
def test_what_changes_its_weights_changes_a_stages_key(change):
    assert change() != stage()


@pytest.mark.parametrize("change", OUT_OF_STAGE.values(), ids=OUT_OF_STAGE)
def test_what_does_not_is_not_in_a_stages_key(change):
    assert change() == stage()


STAGES = {
    "name": "third",
    "modules": ("b",),
    "steps": 6,
    "batch_size": 4,
    "accumulate": 2,
    "optimizer": "sgd",
    "momentum": 0.5,
    "lr": 0.1,
    "weight_decay": 0.1,
    "betas": (0.5, 0.9),
    "decay_vectors": True,
    "no_decay": ("a.*",),
    "groups": (ParameterGroup(match=("a",)),),
    "layer_decay": LayerDecay(rate=0.5, layers=("a",)),
    "sync_bn": True,
    "warmup_steps": 2,
    "schedule": "cosine",
    "power": 0.9,
    "grad_clip": None,
    "ema": 0.9,
    "augment": Augment(flip=False),
    "tasks": ("predict",),
}


@pytest.mark.parametrize("field", Stage.model_fields)
def test_all_of_a_stage_but_what_needs_it_is_in_its_key(field):
    assert (stage(**{field: STAGES[field]}) != stage()) == (field != "tasks")


def test_a_stage_knows_the_settings_it_depends_on_alone():
    def early(**settings):
        return stage(config=Two(**settings), name="first", content={"file": "digest"})

    assert early(width=3) == early()
    assert early(depth=3) != early()


def test_a_stage_in_closed_form_does_not_know_the_processes():
    assert stage(steps=0, processes=2) == stage(steps=0)


def test_a_method_with_a_version_is_known_by_it(monkeypatch):
    assert method_identity("gss", gss()) == "version 1"
    before = first()
    monkeypatch.setattr(type(gss()), "version", 2)
    assert method_identity("gss", gss()) == "version 2"
    assert first() != before


REFACTORINGS = {
    "comment": ("width: int = 32", "width: int = 32  # of every layer"),
    "docstring": ("A per-pixel classifier", "A classifier of pixels"),
    "layout": ("    def predict", "\n    def predict"),
    "local variable": ("scores", "outputs"),
}


@pytest.mark.parametrize("change", REFACTORINGS.values(), ids=REFACTORINGS)
def test_what_a_users_method_says_beside_its_code_changes_no_key(my_method, change):
    before, source = method_identity("my_method", MethodConfig()), my_method.read_text()
    edited = source.replace(*change)
    assert edited != source
    my_method.write_text(edited)
    forget_methods()
    assert method_identity("my_method", MethodConfig()) == before


def test_a_line_of_a_users_method_changes_its_keys_at_once(my_method):
    before = first("my_method", MethodConfig())
    source = my_method.read_text()
    assert source.count("lr=") == 1
    my_method.write_text(source.replace("lr=", "power=0.5, lr="))
    forget_methods()
    assert first("my_method", MethodConfig()) != before
    assert first("gss") == first()
