"""VAR's released tokenizer, put in its place."""

import pytest
import torch

from bench.core.errors import WeightsError
from bench.core.registry import resolve_config
from bench.core.schema import DataSpec
from bench.engine.training.weights import convert, load_weights, submodules
from methods.seg_var.config import PRESETS
from methods.seg_var.method import SegVAR

SMALL = {"width": 32, "multipliers": [1, 2], "blocks": 1, "num_codes": 16, "latent_channels": 8}
DATA = DataSpec(classes=("a", "b"), palette=((1, 1, 1), (2, 2, 2)), size=(32, 32))


def build(sides):
    tokenizer = {**SMALL, "sides": sides, "autoencoder": "var"}
    config = resolve_config("seg_var", "tiny", {"tokenizer": tokenizer})
    return config, SegVAR(config, DATA)


@pytest.fixture
def released(tmp_path, monkeypatch):
    """A file in VAR's layout with fewer scales than the preset ``small``."""
    monkeypatch.setitem(PRESETS, "small", build([1, 2, 4])[0])
    _, method = build([1, 4])
    path = tmp_path / "vae.pth"
    torch.save(method.tokenizer.autoencoder.state_dict(), path)
    return path, method


def test_a_released_file_fills_the_tokenizer(released, tmp_path):
    path, source = released
    done = convert("seg_var", [path], "small", tmp_path)
    _, target = build([1, 2, 4])
    load_weights(done.files["tokenizer"].path, submodules(target, ("tokenizer",)))
    for key, value in source.tokenizer.state_dict().items():
        if not key.endswith("ema_vocab_hit_SV"):
            assert torch.equal(target.tokenizer.state_dict()[key], value), key


def test_a_file_that_lacks_tensors_is_refused(tmp_path, released):
    torch.save({"encoder.conv_in.weight": torch.zeros(1)}, tmp_path / "vae.pth")
    with pytest.raises(WeightsError, match="lacks tokenizer"):
        convert("seg_var", [tmp_path / "vae.pth"], "small", tmp_path)
