"""The parts of the training loop that can be checked by hand."""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from bench.core import seeding
from bench.core.config import MethodConfig
from bench.core.errors import StageError
from bench.core.method import Method
from bench.core.schema import DataRef, Protocol
from bench.core.stage import Augment, Stage
from bench.data.datasets.scenes import SceneOptions, Scenes
from bench.data.split import Split
from bench.data.workers import INLINE, Workers
from bench.engine.accelerator import make_accelerator
from bench.engine.training.batches import Share, load_steps, step_indices
from bench.engine.training.train import (
    TrainingJob,
    _average,
    learning_rate,
    train_stage,
    trainable_modules,
)
from bench.store.cells import StageFolder
from tests.helpers.drawn import Drawn, Silent, split
from tests.helpers.small_methods import CLASSES, DATA, SIZE


def stage(**settings) -> Stage:
    return Stage(**{"name": "s", "modules": ("a",), "steps": 10, **settings})


def test_learning_rates():
    linear = stage(lr=1.0, warmup_steps=2, steps=12)
    assert [learning_rate(linear, i) for i in (0, 1, 2, 7)] == pytest.approx([1 / 3, 2 / 3, 1, 0.5])
    assert learning_rate(stage(lr=2.0, schedule="cosine"), 5) == pytest.approx(1.0)
    assert learning_rate(stage(lr=2.0, schedule="constant"), 9) == 2.0
    assert learning_rate(stage(lr=1.0, power=0.9), 5) == pytest.approx(0.5**0.9)


@given(st.integers(1, 30), st.integers(1, 40), st.integers(0, 5))
def test_every_image_comes_once_an_epoch(images, batch_size, seed):
    settings = stage(batch_size=batch_size)
    steps = -(-3 * images // batch_size)
    order = [i for step in range(steps) for i in step_indices(images, settings, seed, step)]
    assert len(order) == steps * batch_size
    for epoch in range(len(order) // images):
        assert sorted(order[epoch * images : (epoch + 1) * images]) == list(range(images))


def test_only_the_stages_modules_learn():
    method = nn.Module()
    method.a, method.b = nn.Linear(2, 2), nn.Sequential(nn.Dropout(), nn.Linear(2, 2))
    chosen = trainable_modules(method, stage(modules=("a", "b.1")))
    assert set(chosen) == {"a", "b/1"}
    assert method.a.training
    assert not method.b[0].training
    assert all(parameter.requires_grad for parameter in chosen.parameters())
    trainable_modules(method, stage(modules=("a",)))
    assert not any(parameter.requires_grad for parameter in method.b.parameters())
    with pytest.raises(StageError, match=r"stage 's' trains 'c'; Module has \['a', 'b'\]"):
        trainable_modules(method, stage(modules=("c",)))


def test_the_average_forgets_the_start_and_follows_buffers():
    modules = nn.ModuleDict({"a": nn.BatchNorm1d(1)})
    average = _average(modules, 0.5)
    average.update_parameters(modules)
    expected = 1.0
    for n, value in enumerate((3.0, 5.0), start=1):
        modules["a"].weight.data.fill_(value)
        modules["a"].num_batches_tracked.fill_(n)
        average.update_parameters(modules)
        kept = min(0.5, (1 + n) / (10 + n))
        expected = kept * expected + (1 - kept) * value
    assert average.module["a"].weight.item() == pytest.approx(expected)
    assert average.module["a"].num_batches_tracked.item() == 2
    assert torch.isfinite(average.module["a"].running_var).all()


def test_a_batch_says_which_of_mixed_data_sets_its_images_are_of(monkeypatch):
    monkeypatch.setattr(Drawn, "domain", lambda data, index: index % 3)
    one = stage(batch_size=6, accumulate=2)
    share = Share(split(6), one, 0, 0, 1)
    steps = load_steps(share, 9, torch.device("cpu"), INLINE)
    parts = next(steps)
    indices = step_indices(6, one, 0, 9)
    assert [part.domain.tolist() for part in parts] == [
        [index % 3 for index in indices[:3]],
        [index % 3 for index in indices[3:]],
    ]
    assert {(part.step, part.steps) for part in parts} == {(9, 10)}


def test_a_batch_that_leaves_a_process_without_images_is_refused_by_name(tmp_path):
    method = nn.Module()
    method.a = nn.Linear(2, 2)
    job = TrainingJob("linear", "tiny", stage(batch_size=1), None, 0, StageFolder(tmp_path, "key"))
    two = SimpleNamespace(device=torch.device("cpu"), num_processes=2)
    with pytest.raises(StageError, match=r"stage 's' has 1 image\(s\) a step for 2 processes"):
        train_stage(method, job, two, None)


class Linear(Method):
    """Learns a colour per class, with noise that is drawn as dropout is."""

    def __init__(self):
        super().__init__(MethodConfig(), DATA)
        self.a = nn.Sequential(nn.Dropout(0.2), nn.Conv2d(3, CLASSES, 1))

    def forward(self, stage, batch):
        loss = functional.cross_entropy(self.a(batch.image), batch.label, ignore_index=255)
        return {"loss": loss * (1 + batch.step / batch.steps)}

    def predict(self, image, seeds):
        raise AssertionError("never asked")


@pytest.mark.parametrize("number", [1, 3])
def test_the_number_of_workers_changes_no_weight(number, tmp_path):
    settings = stage(batch_size=5, accumulate=2, steps=7, augment=Augment(colour=0.3, hue=0.1))

    def weights(workers, name):
        with seeding.seeded(1):
            method = Linear()
        folder = StageFolder(tmp_path, name)
        job = TrainingJob("linear", "tiny", settings, split(crop=(24, 32)), 3, folder)
        train_stage(method, job, make_accelerator(), Silent(), workers)
        return folder.digest(), [line["loss"] for line in folder.log_lines()]

    workers = Workers(number)
    try:
        assert weights(workers, "with") == weights(INLINE, "without")
    finally:
        workers.close()


def test_a_batch_carries_instances_where_the_data_have_them():
    """And says its step; both micro-steps of one are of the same."""
    world = Split(
        Scenes("train", "city", None, SceneOptions(images=3, height=48, width=96)),
        DataRef(dataset="scenes", split="train"),
        Protocol(resize=SIZE),
    )
    names = world.dataset.label_space.classes
    trained = stage(steps=2, batch_size=4, accumulate=2)
    cpu = torch.device("cpu")
    steps = list(load_steps(Share(world, trained, 0, 0, 1), 0, cpu, INLINE))
    plain = next(load_steps(Share(split(), trained, 0, 0, 1), 0, cpu, INLINE))
    assert [[(b.step, b.steps) for b in parts] for parts in steps] == [[(0, 2)] * 2, [(1, 2)] * 2]
    for batch in (batch for parts in steps for batch in parts):
        assert batch.instance.shape == batch.label.shape
        owned = batch.instance > 0
        assert owned.any()
        assert set(batch.label[owned].unique().tolist()) < set(range(len(names)))
    assert all(batch.instance is None for batch in plain)
