"""Bottlenecks and tokenizers: codes, mixtures of codes, gradients, draws."""

import math

import pytest
import torch
from torch.nn import functional as F

from bench.core import seeding
from bench.core.schema import Batch
from methods._nn.codec import Codec, CodecSettings, Colouring
from methods._nn.dalle import DalleTokenizer, map_pixels, unmap_pixels
from methods._nn.inverse import NearestColour
from methods._nn.quantize import FiniteScalarQuantizer, VectorQuantizer, gumbel_one_hot
from methods._nn.tokenizer import ConvTokenizer


def bottlenecks():
    return [VectorQuantizer(16, 4), FiniteScalarQuantizer((4, 3, 2))]


def tokenizers():
    with seeding.seeded(0):
        conv = [ConvTokenizer((8, 8), 1, bottleneck) for bottleneck in bottlenecks()]
        return [*conv, DalleTokenizer(8, 8, 1, 16)]


every_bottleneck = pytest.mark.parametrize("bottleneck", bottlenecks(), ids=["vq", "fsq"])
every_tokenizer = pytest.mark.parametrize("tokenizer", tokenizers(), ids=["vq", "fsq", "dalle"])


@every_bottleneck
def test_the_best_logit_is_the_code_and_its_vector_the_latent(bottleneck):
    latent = torch.randn(2, bottleneck.dim, 5, 6, generator=seeding.torch_generator(0))
    quantized = bottleneck(latent)
    assert torch.equal(bottleneck.logits(latent).argmax(1), quantized.codes)
    torch.testing.assert_close(bottleneck.lookup(quantized.codes), quantized.latent)


@every_bottleneck
def test_every_code_has_a_vector_of_its_own(bottleneck):
    vectors = bottleneck.vectors()
    assert vectors.shape == (bottleneck.num_codes, bottleneck.dim)
    assert len(vectors.unique(dim=0)) == bottleneck.num_codes


@every_bottleneck
def test_gradients_pass_through_rounding(bottleneck):
    generator = seeding.torch_generator(0)
    latent = torch.randn(1, bottleneck.dim, 3, 3, generator=generator, requires_grad=True)
    (bottleneck(latent).latent * torch.rand(latent.shape, generator=generator)).sum().backward()
    assert latent.grad is not None
    assert latent.grad.abs().sum() > 0


def test_levels_of_one_are_refused():
    with pytest.raises(ValueError, match=r"levels are \(4, 1\)"):
        FiniteScalarQuantizer((4, 1))


@every_tokenizer
def test_a_one_hot_mixture_decodes_as_its_codes(tokenizer):
    generator = seeding.torch_generator(0)
    codes = torch.randint(tokenizer.num_codes, (2, 3, 4), generator=generator)
    one_hot = F.one_hot(codes, tokenizer.num_codes).permute(0, 3, 1, 2).float()
    decoded = tokenizer.decode(codes)
    torch.testing.assert_close(tokenizer.decode_mixture(one_hot), decoded)
    assert decoded.shape == (2, 3, 3 * tokenizer.stride, 4 * tokenizer.stride)
    assert decoded.min() >= 0
    assert decoded.max() <= 1


@every_tokenizer
def test_training_reaches_every_parameter(tokenizer):
    maskige = torch.rand(2, 3, 16, 16, generator=seeding.torch_generator(0))
    result = tokenizer.reconstruct(maskige, torch.arange(2))
    (F.mse_loss(result.maskige, maskige) + result.loss).backward()
    untouched = [key for key, p in tokenizer.named_parameters() if p.grad is None]
    assert untouched == []


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_a_tokenizer_learns_to_tell_two_colours(kind):
    """The same data again and again: losses must fall by half."""
    codec = Codec(
        Colouring(torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, 1, 0]]), learned=False),
        tokenizers()[kind],
        NearestColour(),
        CodecSettings(),
    )
    label = torch.zeros(2, 16, 16, dtype=torch.int64)
    label[:, 8:] = 1
    batch = Batch(torch.zeros(2, 3, 16, 16), label, torch.arange(2))
    optimizer = torch.optim.Adam(codec.tokenizer.parameters(), lr=1e-2)
    history = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = sum(codec.tokenizer_losses(batch).values())
        loss.backward()
        optimizer.step()
        history.append(float(loss.detach()))
    assert history[-1] < history[0] / 2


def test_gumbel_codes_are_one_hot_follow_their_seeds_and_prefer_likely_codes():
    logits = torch.zeros(2, 5, 40, 40)
    logits[:, 3] = 3.0
    seeds = torch.tensor([1, 2])
    drawn = gumbel_one_hot(logits, seeds, 1.0)
    assert torch.equal(drawn, gumbel_one_hot(logits, seeds, 1.0))
    torch.testing.assert_close(drawn.sum(1), torch.ones(2, 40, 40))
    assert set(drawn.round().unique().tolist()) == {0.0, 1.0}
    other = gumbel_one_hot(logits, torch.tensor([1, 3]), 1.0)
    assert torch.equal(drawn[0], other[0])
    assert not torch.equal(drawn[1], other[1])
    share = float(drawn[:, 3].mean())
    assert share == pytest.approx(math.exp(3) / (math.exp(3) + 4), abs=0.03)


def test_the_logit_laplace_map_is_undone_and_clamped():
    image = torch.rand(1, 3, 4, 4, generator=seeding.torch_generator(0))
    torch.testing.assert_close(unmap_pixels(map_pixels(image)), image)
    assert map_pixels(torch.tensor([0.0, 1.0])).tolist() == pytest.approx([0.1, 0.9])
    assert unmap_pixels(torch.tensor([0.0, 1.0])).tolist() == [0.0, 1.0]
