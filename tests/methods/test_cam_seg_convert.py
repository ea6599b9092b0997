"""Conversion of synthetic checkpoints that have the released files' layout."""

import argparse
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from bench.core.errors import UnreadableWeights, WeightsError
from bench.core.registry import resolve_config
from bench.core.schema import DataSpec
from bench.engine.training.weights import Converted, convert
from methods.cam_seg.config import PRESETS, Config
from methods.cam_seg.method import CamSeg
from tests.helpers.parity import Fixture, draw, load

MAR, KL = load("camseg_mar"), load("kl_autoencoder")


def half(name: str) -> dict[str, int]:
    keys = {"width": "embed_dim", "depth": "depth", "heads": "num_heads"}
    return {key: MAR.config[f"{name}_{released}"] for key, released in keys.items()}


@pytest.fixture(scope="module")
def config() -> Config:
    network = KL.config["ddconfig"]
    levels = range(len(network["ch_mult"]))
    changes = {
        "autoencoder": {
            "width": network["ch"],
            "multipliers": network["ch_mult"],
            "blocks": network["num_res_blocks"],
            "latent_channels": KL.config["embed_dim"],
            "attention_levels": [
                i for i in levels if network["resolution"] // 2**i in network["attn_resolutions"]
            ],
        },
        "encoder": half("encoder"),
        "decoder": half("decoder"),
        "mlp_ratio": MAR.config["mlp_ratio"],
        "head": {"width": MAR.config["diffloss_w"], "depth": MAR.config["diffloss_d"]},
    }
    resolved = resolve_config("cam_seg", "paper", changes | {"colouring": "maximin"})
    assert isinstance(resolved, Config)
    return resolved


@pytest.fixture(autouse=True)
def small(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """A preset of the fixtures' sizes, beside the published ones."""
    monkeypatch.setitem(PRESETS, "small", config)


@pytest.fixture(scope="module")
def data(config: Config) -> DataSpec:
    side = MAR.config["img_size"] // MAR.config["vae_stride"] * config.autoencoder.stride
    return DataSpec(classes=("a", "b"), palette=((1, 1, 1), (2, 2, 2)), size=(side, side))


def weights(fixture: Fixture) -> dict[str, Tensor]:
    return {key: draw(key, shape) for key, shape in fixture.parameters.items()}


class Callback:
    """Stands for an object of the training library."""

    def __init__(self) -> None:
        self.best = 0.1


def write(path: Path, content: dict[str, Any]) -> Path:
    torch.save(content, path)
    return path


def converted(path: Path, preset: str = "small", section: str | None = None) -> Converted:
    return convert("cam_seg", [path], preset, path.parent, section)


def test_autoencoder(config: Config, data: DataSpec, tmp_path: Path) -> None:
    state = weights(KL)
    loss = {"loss.logvar": torch.zeros(()), "loss.discriminator.main.0.weight": torch.ones(2)}
    content = {"state_dict": state | loss, "epoch": 3, "callbacks": {Callback: Callback()}}
    done = converted(write(tmp_path / "f16.ckpt", content))
    assert set(done.files) == {"autoencoder"}
    assert done.unmapped == tuple(sorted(loss))
    file = done.files["autoencoder"]
    assert file.parameters == sum(value.numel() for value in state.values())
    method = CamSeg(config, data)
    missing, unexpected = method.load_state_dict(load_file(file.path), strict=False)
    assert not unexpected
    assert not [key for key in missing if key.startswith("autoencoder.")]
    with torch.no_grad():
        posterior = method.autoencoder.encode(KL.tensor("image"))
    torch.testing.assert_close(posterior.mean, KL.tensor("mean"), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("section", [None, "model_ema"])
def test_prior(section: str | None, config: Config, data: DataSpec, tmp_path: Path) -> None:
    raw = weights(MAR)
    averaged = {key: value + 1 for key, value in raw.items()}
    content = {
        "model": raw,
        "model_ema": averaged,
        "optimizer": {"state": {}, "param_groups": [{"lr": 1e-4}]},
        "args": argparse.Namespace(img_size=64),
    }
    done = converted(write(tmp_path / "city.pth", content), section=section)
    assert set(done.files) == {"prior"}
    assert done.unmapped == ()
    found = load_file(done.files["prior"].path)
    expected = averaged if section else raw
    assert found["transformer.mask_token"].equal(expected["mask_token"])
    key = "net.input_proj.weight"
    assert found[f"head.{key}"].equal(expected[f"diffloss.{key}"])
    CamSeg(config, data).load_state_dict(found, strict=False)


def test_both_stages_from_both_files(tmp_path: Path) -> None:
    files = [
        write(tmp_path / "f16.ckpt", {"state_dict": weights(KL)}),
        write(tmp_path / "city.pth", {"model": weights(MAR)}),
    ]
    done = convert("cam_seg", files, "small", tmp_path)
    assert set(done.config["weights"]) == {"autoencoder", "prior"}


def test_tensors_that_do_not_fit_are_named(tmp_path: Path) -> None:
    state = weights(MAR)
    del state["decoder_norm.bias"]
    state["fake_latent"] = torch.zeros(1, 2)
    state["mask_token"] = torch.zeros(1, 1, 5)
    with pytest.raises(WeightsError) as refusal:
        converted(write(tmp_path / "city.pth", {"model": state}))
    for part in (
        "lacks transformer.decoder_norm.bias",
        "has transformer.fake_latent beside",
        "transformer.mask_token is [1, 1, 5], not",
    ):
        assert part in str(refusal.value)
    assert not list(tmp_path.glob("*.safetensors"))


def test_a_section_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "city.pth", {"model": weights(MAR)})
    with pytest.raises(UnreadableWeights, match="has no section 'model_ema'; its sections: model"):
        converted(path, section="model_ema")


def test_the_preset_is_the_released_size(tmp_path: Path) -> None:
    path = write(tmp_path / "city.pth", {"model": weights(MAR)})
    with pytest.raises(WeightsError, match=r"preset 'paper': lacks .* and \d+ more; .* is \["):
        converted(path, "paper")
