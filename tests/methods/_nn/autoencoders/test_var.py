"""VAR's autoencoder beside what released code gives (``tests/parity``)."""

import pytest
import torch

from bench.core import seeding
from methods._nn.autoencoders.var import VARAutoencoder
from methods._nn.quantisers.multi_scale import MultiScaleResidualQuantiser


@pytest.fixture
def model():
    with seeding.seeded(0):
        quantiser = MultiScaleResidualQuantiser(16, 4, (1, 2, 4), smoothings=2)
        return VARAutoencoder(width=8, multipliers=(1, 2), blocks=1, quantiser=quantiser).eval()


@pytest.mark.parametrize("size", [(8, 8), (16, 12)])
@torch.no_grad()
def test_codes_of_all_scales_decode_to_an_image_of_the_same_size(model, size):
    latent = model.encode(torch.zeros(2, 3, *size))
    assert latent.shape == (2, 4, size[0] // 2, size[1] // 2)
    codes = model.quantize.encode(latent)
    assert [tuple(c.shape[1:]) for c in codes] == list(model.quantize.scales(latent.shape[2:]))
    assert model.decode(model.quantize.decode(codes)).shape == (2, 3, *size)


def test_gradients_reach_encoder_codebook_and_decoder(model):
    model.train()
    image = torch.rand(2, 3, 8, 8, generator=seeding.torch_generator(1))
    quantised = model.quantize(model.encode(image))
    (model.decode(quantised.latent).square().mean() + quantised.loss).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


def test_the_last_level_alone_attends(model):
    for side in (model.encoder.down, model.decoder.up):
        assert [bool(level.attn) for level in side] == [False, True]
