"""The KL autoencoder beside what released code gives (``tests/parity``): refusals and names."""

import pytest
import torch

from bench.core import seeding
from methods._nn.autoencoders.kl import LOGVAR_RANGE, KLAutoencoder


def build(**changes):
    shape = {"width": 8, "multipliers": (1, 2), "blocks": 1, "latent_channels": 3, "groups": 4}
    with seeding.seeded(0):
        return KLAutoencoder(**{**shape, "attention_levels": (1,), **changes}).eval()


@pytest.mark.parametrize("patch", [1, 2])
@torch.no_grad()
def test_shapes_and_stride(patch):
    model = build(patch=patch)
    assert model.stride == 2 * patch
    posterior = model.encode(torch.zeros(2, 3, 16, 24))
    assert posterior.mean.shape == (2, 3, 16 // model.stride, 24 // model.stride)
    assert model.decode(posterior.mean).shape == (2, 3, 16, 24)


@torch.no_grad()
def test_the_log_variance_is_clamped():
    model = build()
    model.quant_conv.weight.mul_(1e6)
    logvar = model.encode(torch.ones(1, 3, 8, 8)).logvar
    assert LOGVAR_RANGE[0] <= logvar.min()
    assert logvar.max() <= LOGVAR_RANGE[1]
    assert (logvar.abs() > 1).any()


@pytest.mark.parametrize("size", [(15, 24), (16, 25)])
def test_a_size_that_the_stride_does_not_divide_is_refused(size):
    with pytest.raises(ValueError, match=rf"image of {size[0]}x{size[1]} pixels: .* stride 2"):
        build().encode(torch.zeros(1, 3, *size))


def test_latents_of_other_channels_are_refused():
    with pytest.raises(ValueError, match="latent of 4 channels; the autoencoder has 3"):
        build().decode(torch.zeros(1, 4, 2, 2))


def test_inner_channels_are_between_the_convolutions():
    model = build(inner_channels=5)
    assert model.quant_conv.weight.shape[:2] == (6, 10)
    assert model.post_quant_conv.weight.shape[:2] == (5, 3)


@pytest.mark.parametrize(
    ("released", "name"),
    [
        ("encoder.down.0.block.1.norm1.weight", "encoder.down_blocks.0.resnets.1.norm1.weight"),
        ("encoder.mid.block_2.conv1.bias", "encoder.mid_block.resnets.1.conv1.bias"),
        ("decoder.up.0.upsample.conv.weight", "decoder.up_blocks.1.upsamplers.0.conv.weight"),
        ("decoder.norm_out.weight", "decoder.conv_norm_out.weight"),
        ("encoder.down.1.attn.0.q.bias", "encoder.down_blocks.1.attentions.0.to_q.bias"),
        ("quant_conv.weight", "quant_conv.weight"),
    ],
)
def test_released_names(released, name):
    model = build()
    assert list(model.from_released({released: torch.zeros(1)})) == [name]
    if name in dict(model.named_parameters()):
        assert model.get_parameter(name) is not None


def test_released_attention_is_a_convolution_of_one_pixel():
    key = "encoder.mid.attn_1.proj_out.weight"
    renamed = build().from_released({key: torch.arange(6.0).reshape(2, 3, 1, 1)})
    (value,) = renamed.values()
    assert value.tolist() == [[0, 1, 2], [3, 4, 5]]
