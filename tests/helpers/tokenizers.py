"""One small tokenizer of each kind, its weights drawn from seed 0."""

from bench.core import seeding
from methods._nn.autoencoders.dalle import DalleTokenizer
from methods._nn.autoencoders.tokenizer import ConvTokenizer
from methods._nn.quantisers.finite_scalar import FiniteScalarQuantiser
from methods._nn.quantisers.vector import SphericalQuantiser


def tokenizers() -> list[ConvTokenizer | DalleTokenizer]:
    """Return a spherical, a finite scalar and a DALL-E tokenizer."""
    with seeding.seeded(0):
        quantisers = [SphericalQuantiser(16, 4), FiniteScalarQuantiser((4, 3, 2))]
        conv = [ConvTokenizer((8, 8), 1, quantiser) for quantiser in quantisers]
        return [*conv, DalleTokenizer(8, 8, 1, 16)]
