"""Encoders' weights: what they were trained on, where they are, and what is said if nowhere."""

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save_file
from torch import nn

from bench.core.errors import WeightsError
from bench.core.registry import load_config
from methods._nn.pretrained import find, load_part, repository, training_set, weights_needs

PRETRAINED = [
    ("baselines", "segformer_b5", "nvidia/mit-b5", "imagenet-1k"),
    ("baselines", "deeplabv3plus_r101", "timm/resnet101.a1h_in1k", "imagenet-1k"),
    ("decode_heads", "fcn_r101", "timm/resnet101c.gluon_in1k", "imagenet-1k"),
    ("decode_heads", "ocr_hrnet_w48", "timm/hrnet_w48.ms_in1k", "imagenet-1k"),
    ("decode_heads", "setr_pup", "timm/vit_large_patch16_384.augreg_in21k_ft_in1k", "imagenet-22k"),
    ("ddp", "paper", "timm/convnext_tiny.fb_in1k", "imagenet-1k"),
    ("gss", "paper_ade20k", "timm/swin_large_patch4_window12_384.ms_in22k", "imagenet-22k"),
    ("seg_var", "paper", "timm/swin_large_patch4_window12_384.ms_in22k_ft_in1k", "imagenet-22k"),
]


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """An empty cache, and no network."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    find.cache_clear()
    yield tmp_path
    find.cache_clear()


@pytest.mark.parametrize(("adapter", "preset", "source", "data"), PRETRAINED)
def test_published_sizes_start_from_imagenet(nowhere, adapter, preset, source, data):
    """And a plan says in one line that the weights are not here, and both ways to go on."""
    config = load_config(adapter)[1][preset]
    ((what, remedy),) = config.needs()
    assert what == f"ImageNet weights {source}"
    assert f"hf download {source}" in remedy
    assert "drawn weights" in remedy
    assert "\n" not in remedy
    assert data in {config.pretraining(name) for name in ("network", "prior", "image")}
    given = {"network": "f", "prior": "f", "image": "f"}
    assert config.model_copy(update={"weights": given}).needs() == ()


def test_weights_are_found_in_a_folder(tmp_path):
    assert find(str(tmp_path)) is None
    path = tmp_path / "model.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    find.cache_clear()
    assert find(str(tmp_path)) == path
    assert weights_needs(str(tmp_path), "pretrained: ''") == ()


def test_a_part_is_loaded_from_a_classifier(tmp_path):
    path, part = tmp_path / "model.safetensors", nn.Conv2d(1, 1, 1)
    weight, bias = torch.full((1, 1, 1, 1), 3.0), torch.full((1,), 4.0)
    save_file({"encoder.weight": weight, "encoder.bias": bias, "fc.weight": weight.clone()}, path)
    load_part(part, path, "encoder.")
    assert (part.weight.item(), part.bias.item()) == (3, 4)
    with pytest.raises(WeightsError, match=r"model.safetensors: not of this backbone; it lacks"):
        load_part(part, path)


def test_timm_s_default_weights_have_a_repository():
    assert repository("resnet101c") == "timm/resnet101c.gluon_in1k"


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("resnet101c", "imagenet-1k"),
        ("hrnet_w48", "imagenet-1k"),
        ("swin_large_patch4_window12_384.ms_in22k", "imagenet-22k"),
        ("swin_large_patch4_window12_384", "imagenet-22k"),  # tuned on 1k after that
        ("vit_large_patch16_384", "imagenet-22k"),
    ],
)
def test_the_tag_says_it(model, expected):
    assert training_set(model) == expected


def test_a_model_without_weights_is_refused():
    with pytest.raises(ValueError, match="no weights of 'resnet1000'"):
        training_set("resnet1000")
