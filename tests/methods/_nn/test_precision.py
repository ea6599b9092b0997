"""What bfloat16 would spoil stays in full precision within autocast."""

import pytest
import torch

from bench import seeding
from methods._nn.colour import nearest_scores
from methods._nn.quantisers.finite_scalar import FiniteScalarQuantiser
from methods._nn.quantisers.gumbel import gumbel_one_hot
from methods._nn.quantisers.multi_scale import MultiScaleResidualQuantiser
from methods._nn.quantisers.vector import SphericalQuantiser, VectorQuantiser
from methods.seg_var.single_scale_quantisers import GaussianQuantiser, GumbelQuantiser

QUANTISERS = {
    "vector": lambda: VectorQuantiser(64, 8),
    "spherical": lambda: SphericalQuantiser(64, 8),
    "finite scalar": lambda: FiniteScalarQuantiser((7, 5, 5, 3, 3, 3, 3, 3)),
    "multi-scale": lambda: MultiScaleResidualQuantiser(64, 8, (1, 2, 4)),
    "gumbel": lambda: GumbelQuantiser(64, 8),
    "gaussian": lambda: GaussianQuantiser(8),
}


def mixed():
    return torch.autocast("cpu", torch.bfloat16)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_likely_code_is_drawn_as_often_as_it_is_likely(dtype):
    """Two codes, one of probability 0.99998; noise rounded to bfloat16 drew the other at 3%."""
    logits = torch.zeros(4, 2, 256, 256, dtype=dtype)
    logits[:, 0] = 10.8
    with mixed():
        drawn = gumbel_one_hot(logits, torch.arange(4), 1.0)
    assert drawn.dtype == torch.float32
    expected = float(torch.sigmoid(-logits[0, 0, 0, 0].float()))
    assert float(drawn[:, 1].mean()) < 5 * expected


@pytest.mark.parametrize("name", QUANTISERS)
def test_quantisers_give_the_same_within_autocast(name):
    with seeding.seeded(0):
        quantiser = QUANTISERS[name]().eval()
    latent = seeding.normal(torch.arange(2), 8, 4, 4)
    exact = quantiser(latent, torch.arange(2))
    with mixed():
        inside = quantiser(latent, torch.arange(2))
        rounded = quantiser(latent.bfloat16(), torch.arange(2))
    assert torch.equal(exact.latent, inside.latent)
    assert torch.equal(exact.loss, inside.loss)
    assert all(torch.equal(a, b) for a, b in zip(exact.codes, inside.codes, strict=True))
    assert rounded.latent.dtype == torch.float32
    assert torch.isfinite(rounded.latent).all()
    assert torch.isfinite(rounded.loss)


def test_near_colours_are_told_apart_within_autocast():
    palette = torch.tensor([[0.5, 0.5, 0.5], [0.5, 0.5, 0.502]])
    with mixed():
        scores = nearest_scores(palette.t()[None, :, :, None], palette)
    assert scores.argmax(1).flatten().tolist() == [0, 1]
