"""The discriminative baselines: what the settings build, and what is counted in the loss."""

import pytest
import torch

from bench.core import seeding
from bench.core.registry import resolve_config
from bench.core.schema import IGNORE_INDEX
from methods.baselines.config import PRESETS
from methods.baselines.method import Baseline
from tests.helpers.small_methods import DATA, draw_batch

TINY = [name for name in PRESETS if "tiny" in name]


def build(preset, **changes):
    with seeding.seeded(0):
        return Baseline(resolve_config("baselines", preset, changes), DATA)


@pytest.mark.parametrize("preset", PRESETS)
def test_one_stage_trains_the_network(preset):
    config = PRESETS[preset]
    assert config.stages(DATA) == (config.train_network,)
    assert config.train_network.modules == ("network",)
    assert config.gives_probabilities


def test_the_released_segformer_b5_has_its_number_of_parameters():
    """84.7 million with 150 classes (arXiv:2105.15203, Table 1)."""
    names = tuple(map(str, range(150)))
    data = DATA.model_copy(update={"classes": names, "palette": ((0, 0, 0),) * 150})
    with torch.device("meta"):
        method = Baseline(PRESETS["segformer_b5"], data)
    assert round(sum(p.numel() for p in method.parameters()) / 1e6, 1) == 84.7


@pytest.mark.parametrize("preset", TINY)
def test_an_ignored_pixel_does_not_change_the_loss(preset):
    method, batch = build(preset).eval(), draw_batch(2)
    assert (batch.label == IGNORE_INDEX).any()
    logits = method.logits(batch.image, batch.seeds)
    counted = batch.label != IGNORE_INDEX
    expected = torch.nn.functional.cross_entropy(
        logits.movedim(1, -1)[counted], batch.label[counted]
    )
    (loss,) = method("network", batch).values()
    torch.testing.assert_close(loss, expected)


def test_deeplab_s_backbone_and_output_stride_are_those_of_the_settings():
    fine = build("deeplabv3plus_tiny", deeplabv3plus={"output_stride": 8})
    with torch.inference_mode():
        features = fine.network.encoder(torch.zeros(1, 3, 64, 64))
    assert features[-1].shape[2:] == (8, 8)
