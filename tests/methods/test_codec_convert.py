"""Conversion of synthetic checkpoints that have the released tokenizers' layout."""

from pathlib import Path

import pytest
import torch

from bench.core.errors import WeightsError
from bench.core.registry import resolve_config
from bench.engine.training.weights import convert, load_weights, submodules
from methods._nn.autoencoders.dalle import DalleDecoder, DalleEncoder
from methods._nn.autoencoders.vqgan import VQGAN
from methods.codec.config import PRESETS
from methods.codec.method import Codec
from tests.helpers.parity import draw, load
from tests.helpers.small_methods import DATA, draw_batch

KL = load("kl_autoencoder")
SMALL = {"width": 8, "multipliers": (1, 2), "blocks": 1, "attention_levels": (1,)}


@pytest.fixture
def small(monkeypatch):
    """Replace a preset by the same at a small size."""

    def _small(preset, **changes):
        config = resolve_config("codec", preset, changes)
        monkeypatch.setitem(PRESETS, preset, config)
        return config

    return _small


def loaded(converted, config):
    method = Codec(config, DATA)
    stage = config.stages(DATA)[0]
    load_weights(converted.files[stage.name].path, submodules(method, stage.modules))
    return method.eval().requires_grad_(False)


def save(path: Path, tensors) -> Path:
    torch.save(tensors, path)
    return path


def test_vqgan(small, tmp_path):
    autoencoder = {**SMALL, "latent_channels": 8}
    codebook = {"num_codes": 16, "code_dim": 8}
    config = small("vqgan_f16_1024", autoencoder=autoencoder, codebook=codebook)
    released = VQGAN(
        width=8,
        multipliers=(1, 2),
        blocks=1,
        latent_channels=8,
        num_codes=16,
        code_dim=8,
        attention_levels=(1,),
    )
    tensors = {**released.state_dict(), "loss.discriminator.main.0.weight": torch.zeros(1)}
    path = save(tmp_path / "last.ckpt", {"state_dict": tensors})
    found = convert("codec", [path], "vqgan_f16_1024", tmp_path)
    assert found.unmapped == ("loss.discriminator.main.0.weight",)
    method, label = loaded(found, config), draw_batch().label
    picture = method._picture(label)
    released.eval().requires_grad_(False)
    latent = released.encode(2 * picture - 1)
    (expected,) = released.quantize(latent).codes
    (codes,) = method.coder.bottleneck.codes(method._latent(label, torch.arange(4)))
    assert torch.equal(codes, expected)
    entries = released.quantize.embedding(codes).movedim(-1, 1)
    decoded = (released.decode(entries) + 1) / 2
    torch.testing.assert_close(
        method.coder.picture(method.coder.bottleneck.lookup((codes,))), decoded
    )


@pytest.mark.parametrize("prefix", ["", "first_stage_model."])
def test_kl_autoencoders_alone_and_within_a_whole_checkpoint(small, tmp_path, prefix):
    network = KL.config["ddconfig"]
    levels = range(len(network["ch_mult"]))
    config = small(
        "kl_f16",
        autoencoder={
            "width": network["ch"],
            "multipliers": network["ch_mult"],
            "blocks": network["num_res_blocks"],
            "latent_channels": KL.config["embed_dim"],
            "attention_levels": [
                i for i in levels if network["resolution"] // 2**i in network["attn_resolutions"]
            ],
        },
    )
    tensors = {f"{prefix}{key}": draw(key, shape) for key, shape in KL.parameters.items()}
    if prefix:
        tensors["model.diffusion_model.out.2.weight"] = torch.zeros(1)
    path = save(tmp_path / "model.ckpt", {"state_dict": tensors})
    found = convert("codec", [path], "kl_f16", tmp_path)
    assert found.unmapped == (("model.diffusion_model.out.2.weight",) if prefix else ())
    method = loaded(found, config)
    assert method.reconstruct(torch.zeros(1, 32, 32).long(), torch.tensor([1])).shape[1] == 32


def test_dalle(small, tmp_path):
    sizes = {"width": 8, "first_width": 8, "blocks": 1, "num_codes": 16}
    config = small("dalle", dalle=sizes)
    halves = {"encoder": DalleEncoder(8, 1, 16), "decoder": DalleDecoder(8, 8, 1, 16)}
    paths = []
    for name, half in halves.items():
        short = {
            key.replace(".weight", ".w").replace(".bias", ".b"): value
            for key, value in half.state_dict().items()
        }
        paths.append(save(tmp_path / f"{name}.pkl", short))
    method = loaded(convert("codec", paths, "dalle", tmp_path), config)
    for name, half in halves.items():
        state = getattr(method.coder, name).state_dict()
        assert all(torch.equal(state[key], value) for key, value in half.state_dict().items())
    label = draw_batch().label
    assert method.measure([draw_batch()])["bits_per_pixel"] == 4 / 64
    assert method.reconstruct(label, torch.arange(4)).shape == label.shape


def test_another_release_is_refused_by_what_it_lacks(small, tmp_path):
    small("vqgan_f16_1024", autoencoder={**SMALL, "latent_channels": 8}, codebook={"code_dim": 8})
    path = save(tmp_path / "other.ckpt", {"encoder.conv_in.weight": torch.zeros(8, 3, 3, 3)})
    with pytest.raises(WeightsError, match="lacks coder"):
        convert("codec", [path], "vqgan_f16_1024", tmp_path)
