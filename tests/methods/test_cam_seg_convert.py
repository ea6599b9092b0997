"""Conversion of synthetic checkpoints that have the released files' layout."""

import argparse
import contextlib
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from bench.discover import resolve_config
from bench.schema import DataSpec
from methods.cam_seg.config import Config
from methods.cam_seg.convert import ConversionError, convert, convert_for
from methods.cam_seg.method import CamSeg
from tests.parity.fixture import Fixture, draw, load

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
    resolved = resolve_config("cam_seg", "paper", changes | {"palette": "maximin"})
    assert isinstance(resolved, Config)
    return resolved


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


def test_autoencoder(config: Config, data: DataSpec, tmp_path: Path) -> None:
    state = weights(KL)
    loss = {"loss.logvar": torch.zeros(()), "loss.discriminator.main.0.weight": torch.ones(2)}
    content = {"state_dict": state | loss, "epoch": 3, "callbacks": {Callback: Callback()}}
    report = convert_for(
        config, data, write(tmp_path / "f16.ckpt", content), tmp_path / "out.safetensors"
    )
    assert report.stage == "autoencoder"
    assert report.ignored == tuple(loss)
    assert report.inert == (f"{__name__}.Callback",)
    assert report.parameters == sum(value.numel() for value in state.values())
    method = CamSeg(config, data)
    missing, unexpected = method.load_state_dict(load_file(tmp_path / "out.safetensors"), False)
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
    path = write(tmp_path / "city.pth", content)
    report = convert_for(config, data, path, tmp_path / "out.safetensors", section)
    assert report.stage == "prior"
    assert report.inert == ("argparse.Namespace",)
    found = load_file(tmp_path / "out.safetensors")
    expected = averaged if section else raw
    assert found["transformer.mask_token"].equal(expected["mask_token"])
    key = "net.input_proj.weight"
    assert found[f"head.{key}"].equal(expected[f"diffloss.{key}"])
    CamSeg(config, data).load_state_dict(found, strict=False)


def test_tensors_that_do_not_fit_are_named(config: Config, data: DataSpec, tmp_path: Path) -> None:
    state = weights(MAR)
    del state["decoder_norm.bias"]
    state["fake_latent"] = torch.zeros(1, 2)
    state["mask_token"] = torch.zeros(1, 1, 5)
    path = write(tmp_path / "city.pth", {"model": state})
    with pytest.raises(ConversionError) as refusal:
        convert_for(config, data, path, tmp_path / "out.safetensors")
    for part in (
        "1 missing: transformer.decoder_norm.bias",
        "1 left over: transformer.fake_latent",
        "1 of another shape: transformer.mask_token (1, 1, 5) for",
    ):
        assert part in str(refusal.value)
    assert not (tmp_path / "out.safetensors").exists()


def test_foreign_files_are_refused(config: Config, data: DataSpec, tmp_path: Path) -> None:
    target = tmp_path / "out.safetensors"
    with pytest.raises(ConversionError, match="no 'state_dict' in it, only \\['weights'\\]"):
        convert_for(config, data, write(tmp_path / "a.pt", {"weights": {}}), target)
    with pytest.raises(ConversionError, match="holds a list, not a mapping"):
        convert_for(config, data, write(tmp_path / "b.pt", []), target)  # type: ignore[arg-type]
    (tmp_path / "c.pt").write_bytes(b"no checkpoint at all")
    with pytest.raises(ConversionError, match="c.pt: not a readable checkpoint"):
        convert_for(config, data, tmp_path / "c.pt", target)


def test_the_preset_is_the_released_size(tmp_path: Path) -> None:
    path = write(tmp_path / "city.pth", {"model": weights(MAR)})
    with pytest.raises(ConversionError, match=r"\d+ missing: .*; \d+ of another shape: "):
        convert(path, "paper", tmp_path / "out.safetensors")


class Malicious:
    """Would write a file when unpickled by a loader that trusts it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def test_no_foreign_code_runs(config: Config, data: DataSpec, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    content = {"model": weights(MAR), "args": Malicious(trap)}
    path = write(tmp_path / "city.pth", content)
    with contextlib.suppress(ConversionError):
        convert_for(config, data, path, tmp_path / "out.safetensors")
    assert not trap.exists()
