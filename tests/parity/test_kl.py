"""The KL autoencoder against the outputs of the latent-diffusion code."""

from typing import Any

import pytest
import torch

from methods._nn.autoencoders.kl import KLAutoencoder
from tests.helpers.parity import Fixture, draw, load

TOLERANCE = {"rtol": 1e-4, "atol": 1e-4}
KL_F16_PARAMETERS = 69_610_963


@pytest.fixture(scope="module")
def fixture() -> Fixture:
    return load("kl_autoencoder")


def build(config: dict[str, Any]) -> KLAutoencoder:
    network = config["ddconfig"]
    multipliers = network["ch_mult"]
    return KLAutoencoder(
        width=network["ch"],
        multipliers=multipliers,
        blocks=network["num_res_blocks"],
        latent_channels=config["embed_dim"],
        inner_channels=network["z_channels"],
        attention_levels=[
            level
            for level in range(len(multipliers))
            if network["resolution"] // 2**level in network["attn_resolutions"]
        ],
    )


@pytest.fixture(scope="module")
def autoencoder(fixture: Fixture) -> KLAutoencoder:
    module = build(fixture.config).eval()
    drawn = {key: draw(key, shape) for key, shape in fixture.parameters.items()}
    module.load_state_dict(module.from_released(drawn))
    return module


@torch.no_grad()
def test_kl_posterior(fixture: Fixture, autoencoder: KLAutoencoder) -> None:
    posterior = autoencoder.encode(fixture.tensor("image"))
    torch.testing.assert_close(posterior.mean, fixture.tensor("mean"), **TOLERANCE)
    torch.testing.assert_close(posterior.logvar, fixture.tensor("logvar"), **TOLERANCE)


@torch.no_grad()
def test_kl_decoder(fixture: Fixture, autoencoder: KLAutoencoder) -> None:
    decoded = autoencoder.decode(fixture.tensor("mean"))
    torch.testing.assert_close(decoded, fixture.tensor("decoded_mode"), **TOLERANCE)


def test_kl_f16_size() -> None:
    with torch.device("meta"):
        module = KLAutoencoder()
    assert sum(parameter.numel() for parameter in module.parameters()) == KL_F16_PARAMETERS
