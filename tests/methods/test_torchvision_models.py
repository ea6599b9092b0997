"""Segmentation networks of torchvision: the library's own, pixel by pixel."""

import pytest
import torch
from safetensors.torch import save_file

from bench import ensure_torchvision
from bench.core import seeding
from bench.core.errors import WeightsError
from bench.core.registry import load_config
from bench.core.schema import Batch, DataSpec
from methods.torchvision_models.config import Config
from methods.torchvision_models.method import TorchvisionModel

ensure_torchvision()
from torchvision.models import mobilenet_v3_large, resnet50, segmentation  # noqa: E402

DATA = DataSpec(classes=tuple("abcde"), palette=((0, 0, 0),) * 5, size=(48, 64))
STAGE = load_config("torchvision_models")[1]["lraspp_tiny"].train
MODELS = ("fcn_resnet50", "deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large")


def build(model, seed=0, **settings):
    with seeding.seeded(seed):
        config = Config(model=model, train=STAGE, **settings)
        return TorchvisionModel(config, DATA).requires_grad_(False).eval()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("size", [(48, 64), (65, 50)])
def test_labels_are_the_library_s_own(model, size):
    method = build(model)
    arguments = {} if model.startswith("lraspp") else {"aux_loss": True}
    own = getattr(segmentation, model)(
        weights=None, weights_backbone=None, num_classes=5, **arguments
    ).eval()
    own.load_state_dict(method.network.state_dict())
    image = seeding.uniform(torch.arange(2), 3, *size)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.inference_mode():
        expected = own((image - mean.view(3, 1, 1)) / std.view(3, 1, 1))["out"].argmax(1)
        found = method.predict(image, torch.arange(2))
    assert torch.equal(found, expected)


def test_the_auxiliary_head_has_half_the_weight():
    method = build("deeplabv3_mobilenet_v3_large")
    label = torch.zeros(2, 48, 64, dtype=torch.int64)
    batch = Batch(seeding.uniform(torch.arange(2), 3, 48, 64), label, torch.arange(2))
    losses = method("network", batch)
    assert set(losses) == {"cross_entropy", "auxiliary"}
    found = method._outputs(batch.image)["aux"]
    expected = 0.5 * torch.nn.functional.cross_entropy(found, label)
    torch.testing.assert_close(losses["auxiliary"], expected)


@pytest.mark.parametrize("released", [True, False])
def test_a_backbone_starts_from_a_classifier_s_file(tmp_path, released):
    with seeding.seeded(3):
        classifier = resnet50() if released else mobilenet_v3_large()
    path = tmp_path / ("r50.pth" if released else "mobilenet.safetensors")
    if released:
        torch.save(classifier.state_dict(), path)
    else:
        save_file(classifier.state_dict(), path)
    model = "fcn_resnet50" if released else "lraspp_mobilenet_v3_large"
    method = build(model, backbone_weights=str(path))
    name = "conv1.weight" if released else "0.0.weight"
    expected = classifier.state_dict()[name if released else f"features.{name}"]
    assert torch.equal(method.network.backbone.state_dict()[name], expected)
    other = "lraspp_mobilenet_v3_large" if released else "fcn_resnet50"
    with pytest.raises(WeightsError, match="not of this backbone; it lacks"):
        build(other, backbone_weights=str(path))


def test_a_missing_file_is_a_need():
    config = Config(model="fcn_resnet50", train=STAGE, backbone_weights="none.pth")
    ((what, remedy),) = config.needs()
    assert what == "backbone weights none.pth"
    assert "none.pth: no such file" in remedy
