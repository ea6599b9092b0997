"""VQGAN against the release."""

import torch

from methods._nn.autoencoders.vqgan import VQGAN
from tests.helpers.parity import Fixture, fill, load


def build(fixture: Fixture) -> VQGAN:
    shape = fixture.config["ddconfig"]
    sizes = [shape["resolution"] // 2**i for i in range(len(shape["ch_mult"]))]
    assert not shape["double_z"]
    model = VQGAN(
        width=shape["ch"],
        multipliers=shape["ch_mult"],
        blocks=shape["num_res_blocks"],
        latent_channels=shape["z_channels"],
        num_codes=fixture.config["n_embed"],
        code_dim=fixture.config["embed_dim"],
        attention_levels=[i for i, size in enumerate(sizes) if size in shape["attn_resolutions"]],
        commitment=fixture.config["beta"],
        legacy=fixture.config["legacy"],
        dropout=shape["dropout"],
        in_channels=shape["in_channels"],
        out_channels=shape["out_ch"],
    ).eval()
    fill(model, fixture.parameters)
    return model


@torch.no_grad()
def test_encoder_quantiser_and_decoder_match_the_release():
    fixture = load("vqgan")
    model = build(fixture)
    latent = model.encode(fixture.tensor("image"))
    torch.testing.assert_close(latent, fixture.tensor("latent"), atol=1e-4, rtol=0)

    quantised = model.quantize(fixture.tensor("latent"))
    assert torch.equal(quantised.codes[0], fixture.tensor("indices"))
    torch.testing.assert_close(quantised.latent, fixture.tensor("quantised"), atol=1e-4, rtol=0)
    torch.testing.assert_close(quantised.loss, fixture.tensor("quantiser_loss"), atol=1e-4, rtol=0)

    decoded = model.decode(fixture.tensor("quantised"))
    torch.testing.assert_close(decoded, fixture.tensor("decoded"), atol=1e-4, rtol=0)
