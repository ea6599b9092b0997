"""VAR's multi-scale residual quantiser and autoencoder against the release."""

import pytest
import torch

from methods._nn.autoencoders.var import VARAutoencoder
from methods._nn.quantisers.multi_scale import MultiScaleResidualQuantiser
from tests.helpers.parity import Fixture, fill, load

RELEASED_SIDES = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16)
RELEASED_PARAMETERS = 108_948_355  # of the VQVAE with 4096 codes of 32 channels


@pytest.fixture(scope="module")
def fixture() -> Fixture:
    return load("var_quantizer")


@pytest.fixture(scope="module")
def quantiser(fixture: Fixture) -> MultiScaleResidualQuantiser:
    config = fixture.config
    module = MultiScaleResidualQuantiser(
        config["vocab_size"],
        config["Cvae"],
        config["v_patch_nums"],
        smoothings=config["share_quant_resi"],
        ratio=config["quant_resi"],
        commitment=config["beta"],
        normalise=config["using_znorm"],
    ).eval()
    fill(module, fixture.parameters)
    return module


def maps(fixture: Fixture) -> list[torch.Tensor]:
    sides = fixture.config["v_patch_nums"]
    return [fixture.tensor(f"indices_{k}").reshape(-1, n, n) for k, n in enumerate(sides)]


@torch.no_grad()
def test_codes_equal_the_release(fixture, quantiser):
    for k, codes in enumerate(quantiser.encode(fixture.tensor("feature"))):
        assert torch.equal(codes.flatten(1), fixture.tensor(f"indices_{k}")), f"scale {k}"


@torch.no_grad()
def test_running_reconstruction_matches_the_release(fixture, quantiser):
    side = fixture.config["v_patch_nums"][-1]
    running = quantiser.running(maps(fixture), (side, side))
    for k, latent in enumerate(running):
        torch.testing.assert_close(latent, fixture.tensor(f"f_hat_{k}"), atol=1e-4, rtol=0)
    trained = quantiser(fixture.tensor("feature"))
    torch.testing.assert_close(trained.latent, running[-1], atol=1e-4, rtol=0)


@torch.no_grad()
def test_next_scale_inputs_match_the_release(fixture, quantiser):
    inputs = torch.cat(quantiser.next_inputs(maps(fixture)), 1)
    torch.testing.assert_close(inputs, fixture.tensor("next_scale_input"), atol=1e-4, rtol=0)


def released() -> VARAutoencoder:
    return VARAutoencoder(
        width=160,
        multipliers=(1, 1, 2, 2, 4),
        blocks=2,
        quantiser=MultiScaleResidualQuantiser(4096, 32, RELEASED_SIDES),
    )


def test_released_size_has_the_released_number_of_parameters():
    with torch.device("meta"):
        model = released()
    assert sum(p.numel() for p in model.parameters()) == RELEASED_PARAMETERS


def test_keys_are_those_of_the_release():
    with torch.device("meta"):
        shapes = {key: tuple(value.shape) for key, value in released().state_dict().items()}
    expected = {
        "encoder.conv_in.weight": (160, 3, 3, 3),
        "encoder.down.0.downsample.conv.weight": (160, 160, 3, 3),
        "encoder.down.4.attn.1.qkv.weight": (1920, 640, 1, 1),
        "encoder.mid.attn_1.proj_out.bias": (640,),
        "decoder.up.4.attn.2.norm.weight": (640,),
        "decoder.up.1.block.0.nin_shortcut.weight": (160, 320, 1, 1),
        "quantize.ema_vocab_hit_SV": (10, 4096),
        "quantize.embedding.weight": (4096, 32),
        "quantize.quant_resi.qresi_ls.3.weight": (32, 32, 3, 3),
        "quant_conv.weight": (32, 32, 3, 3),
        "post_quant_conv.bias": (32,),
    }
    assert {key: shapes.get(key) for key in expected} == expected
