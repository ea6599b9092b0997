"""The family of quantisers: one interface, codes and their vectors, gradients, draws."""

import math

import pytest
import torch

from bench.core import seeding
from methods._nn.quantisers.finite_scalar import FiniteScalarQuantiser
from methods._nn.quantisers.gumbel import gumbel_one_hot
from methods._nn.quantisers.multi_scale import MultiScaleResidualQuantiser
from methods._nn.quantisers.vector import SphericalQuantiser, VectorQuantiser
from methods.seg_var.single_scale_quantisers import GaussianQuantiser, GumbelQuantiser


def family():
    with seeding.seeded(0):
        return {
            "spherical": SphericalQuantiser(16, 4),
            "finite scalar": FiniteScalarQuantiser((4, 3, 2, 2)),
            "vector": VectorQuantiser(16, 4),
            "multi-scale": MultiScaleResidualQuantiser(16, 4, (1, 2, 4)),
            "gumbel": GumbelQuantiser(16, 4),
            "gaussian": GaussianQuantiser(4),
        }


CODEBOOKS = ("spherical", "finite scalar")
every_quantiser = pytest.mark.parametrize("quantiser", family().values(), ids=family())
every_codebook = pytest.mark.parametrize(
    "quantiser", [family()[name] for name in CODEBOOKS], ids=CODEBOOKS
)


def draw_latent(channels=4, size=(8, 8)):
    return torch.randn(2, channels, *size, generator=seeding.torch_generator(0))


@every_quantiser
def test_the_same_latent_has_the_same_codes_and_they_decode_to_its_shape(quantiser):
    latent = draw_latent()
    quantiser.eval()
    with torch.no_grad():
        codes, quantised = quantiser.encode(latent), quantiser(latent)
    assert quantiser.channels == latent.shape[1]
    assert len(codes) == len(quantised.codes)
    for one, other in zip(codes, quantised.codes, strict=True):
        assert torch.equal(one, other)
    assert quantiser.decode(codes).shape == quantised.latent.shape == latent.shape
    assert quantised.loss.shape == ()


@every_quantiser
def test_codes_are_below_the_size_of_their_codebook(quantiser):
    codes = quantiser.encode(draw_latent())
    if not quantiser.codebook_sizes:
        assert all(values.is_floating_point() for values in codes)
        return
    for level, size in zip(codes, quantiser.codebook_sizes, strict=True):
        assert level.dtype == torch.int64
        assert level.min() >= 0
        assert level.max() < size


@every_quantiser
def test_only_the_parameters_of_codebooks_are_counted_as_such(quantiser):
    counted = quantiser.codebook_parameters()
    assert 0 <= counted <= sum(p.numel() for p in quantiser.parameters())
    if hasattr(quantiser, "embedding") and not isinstance(quantiser, GumbelQuantiser):
        assert counted == quantiser.embedding.weight.numel()


@every_codebook
def test_the_best_logit_is_the_code_and_its_vector_the_latent(quantiser):
    latent = torch.randn(2, quantiser.channels, 5, 6, generator=seeding.torch_generator(0))
    quantised = quantiser(latent)
    assert torch.equal(quantiser.logits(latent).argmax(1), quantised.codes[0])
    torch.testing.assert_close(quantiser.decode(quantised.codes), quantised.latent)


@every_codebook
def test_every_code_has_a_vector_of_its_own(quantiser):
    vectors = quantiser.vectors()
    assert vectors.shape == (quantiser.num_codes, quantiser.channels)
    assert len(vectors.unique(dim=0)) == quantiser.num_codes


@every_codebook
def test_gradients_pass_through_rounding(quantiser):
    generator = seeding.torch_generator(0)
    latent = torch.randn(1, quantiser.channels, 3, 3, generator=generator, requires_grad=True)
    (quantiser(latent).latent * torch.rand(latent.shape, generator=generator)).sum().backward()
    assert latent.grad is not None
    assert latent.grad.abs().sum() > 0


def test_levels_of_one_are_refused():
    with pytest.raises(ValueError, match=r"levels are \(4, 1\)"):
        FiniteScalarQuantiser((4, 1))


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
