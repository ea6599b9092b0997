"""The operations of a step: counted once, kept, and in proportion to the images of a step."""

import pytest
import torch

from bench.core.errors import PlanError
from bench.core.registry import resolve_config
from bench.engine.training import step_flops as module
from bench.engine.training.step_flops import FEW, step_flops
from tests.helpers.small_methods import DATA, every_method


@pytest.fixture
def config():
    return resolve_config("baselines", "segformer_tiny", {})


@pytest.fixture(autouse=True)
def forgetful(monkeypatch, tmp_path):
    """Nothing is kept from other tests, on disk or in the process."""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(module, "_COUNTED", {})


def test_a_convolution_is_counted_forward_and_backward(monkeypatch):
    class OneLayer(torch.nn.Module):
        def __init__(self, config, data):
            super().__init__()
            self.network = torch.nn.Conv2d(3, 5, 1, bias=False)

        def forward(self, stage, batch):
            return {"loss": self.network(batch.image).mean()}

    monkeypatch.setattr(module, "load_method", lambda name: OneLayer)
    config = resolve_config("baselines", "segformer_tiny", {})
    (stage,) = config.stages(DATA)
    pixels = stage.batch_size * DATA.size[0] * DATA.size[1]
    forward, of_weights = 2 * pixels * 3 * 5, 2 * pixels * 3 * 5  # images need no gradient
    assert step_flops("baselines", config, DATA, stage) == forward + of_weights


def test_counts_are_kept_on_disk_whatever_the_number_of_steps(config, monkeypatch):
    (stage,) = config.stages(DATA)
    counted = step_flops("baselines", config, DATA, stage)
    assert counted > 0
    monkeypatch.setattr(module, "_count", lambda *_: pytest.fail("counted again"))
    longer = stage.model_copy(update={"steps": 7, "warmup_steps": 0})
    assert step_flops("baselines", config, DATA, longer) == counted
    module._COUNTED.clear()
    assert step_flops("baselines", config, DATA, stage) == counted


def test_a_method_that_fails_is_named(config, monkeypatch):
    def fails(*_):
        raise ValueError("no such thing")

    monkeypatch.setattr(module, "load_method", lambda name: fails)
    (stage,) = config.stages(DATA)
    with pytest.raises(PlanError, match="baselines: cannot count .* 'network': ValueError: no"):
        step_flops("baselines", config, DATA, stage)


def test_threads_are_as_before(config):
    before = torch.get_num_threads()
    module._count("baselines", config, DATA, config.stages(DATA)[0])
    assert torch.get_num_threads() == before


@pytest.mark.slow
@every_method
def test_operations_are_in_proportion_to_the_images_of_a_step(name, preset):
    from bench.core import seeding
    from bench.core.registry import load_config, load_method

    config = load_config(name)[1][preset]
    for stage in config.stages(DATA):
        if stage.steps:
            with seeding.seeded(0):
                method = load_method(name)(config, DATA)
            few, more = (module._step(method, stage, DATA, n, 0) for n in (FEW, 2 * FEW))
            assert more == pytest.approx(2 * few, rel=0.02), stage.name
