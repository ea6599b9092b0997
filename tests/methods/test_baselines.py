"""The discriminative baselines: what the settings build, and what is counted in the loss."""

import pytest
import torch

from bench.core import seeding
from bench.core.errors import WeightsError
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
        method = Baseline(PRESETS["segformer_b5"].model_copy(update={"pretrained": ""}), data)
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


def mix_transformer(folder):
    """What the Hub has of an encoder: a classifier."""
    import transformers

    sizes = {"hidden_sizes": [32, 64, 96, 128], "depths": [1] * 4}
    settings = transformers.SegformerConfig(**sizes, num_attention_heads=[1, 2, 3, 4])
    with seeding.seeded(7):
        model = transformers.SegformerForImageClassification(settings)
    model.save_pretrained(folder)
    return model.segformer.state_dict()


def residual_network(folder):
    import timm
    from safetensors.torch import save_file

    with seeding.seeded(7):
        model = timm.create_model("resnet10t")
    save_file(model.state_dict(), folder / "model.safetensors")
    return model.state_dict()


@pytest.mark.parametrize(
    ("preset", "write", "part"),
    [
        ("segformer_tiny", mix_transformer, "network.model.segformer"),
        ("deeplabv3plus_tiny", residual_network, "network.encoder.model"),
    ],
)
def test_training_starts_from_an_encoder_s_weights(tmp_path, preset, write, part):
    """Which are in keys by their content; without any, keys are those of before there were some."""
    released = write(tmp_path)
    method = build(preset, pretrained=str(tmp_path))
    for name, value in method.get_submodule(part).state_dict().items():
        assert torch.equal(value, released[name])
    assert method.config.files() == {"pretrained": (tmp_path / "model.safetensors",)}
    assert method.config.pretraining("network") == "imagenet-1k"
    assert "pretrained" in method.config.depends_on("network")
    assert "pretrained" not in PRESETS[preset].depends_on("network")


def test_weights_of_another_encoder_are_refused(tmp_path):
    mix_transformer(tmp_path)
    with pytest.raises(WeightsError, match="not of this backbone; it lacks"):
        build("deeplabv3plus_tiny", pretrained=str(tmp_path))
