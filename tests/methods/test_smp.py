"""Architectures of segmentation-models-pytorch: the library's own pipeline, pixel by pixel."""

import pytest
import torch
from safetensors.torch import save_file

from bench import ensure_torchvision
from bench.core import seeding
from bench.core.errors import WeightsError
from bench.core.registry import load_config
from bench.core.schema import DataSpec
from methods.smp.config import Config
from methods.smp.method import SegmentationModel

ensure_torchvision()
CLASSES = ("a", "b", "c", "d", "e")
DATA = DataSpec(classes=CLASSES, palette=((0, 0, 0),) * 5, size=(64, 96))
STAGE = load_config("smp")[1]["fpn_tiny"].train
ENCODER = "resnet10t"


@pytest.fixture(scope="module")
def encoder_file(tmp_path_factory):
    """What the Hub has of a model of timm: all its weights, the classifier's too."""
    path = tmp_path_factory.mktemp("timm") / "model.safetensors"
    import timm  # once torchvision is mended

    with seeding.seeded(5):
        model = timm.create_model(ENCODER)
    save_file(model.state_dict(), path)
    return path


def build(architecture="fpn", seed=0, **settings):
    config = Config(architecture=architecture, **{"encoder": ENCODER, "train": STAGE, **settings})
    config.check(DATA)
    with seeding.seeded(seed):
        return SegmentationModel(config, DATA).eval()


@pytest.mark.parametrize("architecture", ["fpn", "unet", "deeplabv3plus", "pspnet", "upernet"])
@pytest.mark.parametrize("size", [(64, 96), (96, 64)])
def test_labels_are_those_of_the_library_s_own_pipeline(architecture, size):
    import segmentation_models_pytorch as smp

    method = build(architecture)
    own = smp.create_model(architecture, f"tu-{ENCODER}", encoder_weights=None, classes=5).eval()
    own.load_state_dict(method.network.state_dict())
    image = seeding.uniform(torch.arange(2), 3, *size)
    normalise = smp.encoders.get_preprocessing_params(f"tu-{ENCODER}")
    mean, std = (torch.tensor(normalise[key]).float().view(3, 1, 1) for key in ("mean", "std"))
    with torch.inference_mode():
        expected = own((image - mean) / std)
        found = method.predict(image, torch.arange(2))
        assert torch.equal(method.logits(image, torch.arange(2)), expected)
    assert torch.equal(found, expected.argmax(1))


def test_an_encoder_starts_from_its_file(encoder_file):
    """And the rest of the network as it is drawn."""
    from safetensors.torch import load_file

    given, drawn = build(encoder_weights=str(encoder_file)), build()
    released = load_file(encoder_file)
    encoder = given.network.encoder.model.state_dict()
    assert encoder
    for name, value in encoder.items():
        assert torch.equal(value, released[name])
    first, second = (m.network.encoder.model.state_dict() for m in (given, drawn))
    assert not torch.equal(first["conv1.0.weight"], second["conv1.0.weight"])


def test_a_file_of_another_encoder_is_refused(encoder_file):
    with pytest.raises(WeightsError, match="fpn on resnet18 from .* cannot be built"):
        build(encoder="resnet18", encoder_weights=str(encoder_file))


def test_an_unknown_encoder_is_refused_by_name():
    with pytest.raises(WeightsError, match="fpn on resnet1000 cannot be built"):
        build(encoder="resnet1000")


def test_an_encoder_that_cannot_be_dilated_is_refused_by_name():
    with pytest.raises(WeightsError, match="deeplabv3plus on hrnet_w18_small cannot be built"):
        build("deeplabv3plus", encoder="hrnet_w18_small")


def test_weights_that_could_run_code_are_refused(tmp_path):
    with pytest.raises(WeightsError, match="not named as a safetensors file"):
        build(encoder_weights=str(tmp_path / "resnet.pth"))


def test_a_missing_file_is_a_need_with_two_ways():
    config = Config(
        architecture="fpn", encoder=ENCODER, encoder_weights="none.safetensors", train=STAGE
    )
    ((what, remedy),) = config.needs()
    assert what == "encoder weights none.safetensors"
    assert f"hf download timm/{ENCODER}" in remedy
    assert "save a model of timm" in remedy
