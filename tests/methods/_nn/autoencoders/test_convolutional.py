"""The parts of VQGAN's autoencoder, against formulas written out."""

import pytest
import torch
from torch.nn import functional as F

from bench.core import seeding
from methods._nn.autoencoders.convolutional import (
    ConvDecoder,
    ConvEncoder,
    Downsample,
    FusedSpatialAttention,
    ResidualBlock,
    SpatialAttention,
    Upsample,
)


@pytest.fixture
def image():
    return torch.randn(2, 8, 6, 5, generator=seeding.torch_generator(0), dtype=torch.float64)


def built(kind, *args, **kwargs):
    with seeding.seeded(0):
        return kind(*args, **kwargs).double()


def test_attention_is_a_softmax_over_all_positions(image):
    layer = built(SpatialAttention, 8)
    normed = layer.norm(image)
    q, k, v = (part(normed).flatten(2) for part in (layer.q, layer.k, layer.v))  # [B, C, P]
    weights = torch.softmax(torch.einsum("bcp,bcr->bpr", q, k) / 8**0.5, dim=-1)
    mixed = torch.einsum("bpr,bcr->bcp", weights, v).reshape(image.shape)
    torch.testing.assert_close(layer(image), image + layer.proj_out(mixed))


def test_fused_attention_is_the_same_with_one_projection(image):
    fused, plain = built(FusedSpatialAttention, 8), built(SpatialAttention, 8)
    for index, part in enumerate((plain.q, plain.k, plain.v)):
        part.weight.data = fused.qkv.weight.data[8 * index : 8 * index + 8]
        part.bias.data = fused.qkv.bias.data[8 * index : 8 * index + 8]
    plain.proj_out.load_state_dict(fused.proj_out.state_dict())
    torch.testing.assert_close(fused(image), plain(image))


def test_a_block_adds_to_its_shortcut(image):
    block = built(ResidualBlock, 8, 8)
    block.conv2.weight.data.zero_()
    block.conv2.bias.data.zero_()
    torch.testing.assert_close(block(image), image)
    wider = built(ResidualBlock, 8, 16)
    wider.conv2.weight.data.zero_()
    wider.conv2.bias.data.zero_()
    torch.testing.assert_close(wider(image), wider.nin_shortcut(image))


def test_resampling_pads_right_and_below_and_repeats(image):
    down, up = built(Downsample, 8), built(Upsample, 8)
    padded = F.pad(image, (0, 1, 0, 1))
    expected = F.conv2d(padded, down.conv.weight, down.conv.bias, stride=2)
    torch.testing.assert_close(down(image), expected)
    repeated = image.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(up(image), up.conv(repeated))


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("multipliers", [(1,), (1, 2), (1, 2, 2)])
def test_encoder_and_decoder_mirror_each_other(multipliers, fused):
    shape = {
        "width": 8,
        "multipliers": multipliers,
        "blocks": 1,
        "latent_channels": 4,
        "attention_levels": (len(multipliers) - 1,),
        "fused": fused,
    }
    encoder, decoder = built(ConvEncoder, **shape), built(ConvDecoder, **shape)
    stride = 2 ** (len(multipliers) - 1)
    latent = encoder(torch.zeros(1, 3, 8, 12, dtype=torch.float64))
    assert latent.shape == (1, 4, 8 // stride, 12 // stride)
    assert decoder(latent).shape == (1, 3, 8, 12)
    blocks = [sum(len(level.block) for level in side) for side in (encoder.down, decoder.up)]
    assert blocks == [len(multipliers), 2 * len(multipliers)]
