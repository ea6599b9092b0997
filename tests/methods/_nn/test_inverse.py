"""Inverse colourings, and what the printed one cannot do."""

import numpy as np
import pytest
import torch

from bench.core import seeding
from methods._nn.inverse import ConvInverse, NearestColour, PseudoInverse, colours_returned
from methods._nn.palettes import make_palette
from methods._nn.released_palettes import RELEASED


@pytest.mark.parametrize(("name", "found"), [("ade20k", 14), ("mseg", 9), ("cityscapes", 5)])
def test_the_pseudo_inverse_misses_most_noise_free_colours(name, found):
    palette = torch.from_numpy(RELEASED[name][:-1] / 255).float()
    assert colours_returned(PseudoInverse(), palette) == found
    assert colours_returned(NearestColour(), palette) == len(palette)


def test_the_convolutions_start_as_the_nearest_colour():
    generator = seeding.torch_generator(0)
    palette = torch.rand(7, 3, generator=generator)
    maskige = torch.rand(2, 3, 6, 5, generator=generator)
    inverse = ConvInverse(5, 7)
    inverse.start_as_nearest_colour(palette, 0.1)
    want = NearestColour()(maskige, palette) / 0.1
    torch.testing.assert_close(inverse(maskige, palette), want, atol=1e-4, rtol=1e-4)
    with pytest.raises(ValueError, match="width is 2; three colours"):
        ConvInverse(2, 7).start_as_nearest_colour(palette, 0.1)


def test_the_pseudo_inverse_is_the_least_squares_solution():
    palette = make_palette("random", ["a", "b", "c", "d"], [], 0)[:-1] / 255
    gamma = np.linalg.inv(palette.T @ palette) @ palette.T  # eq. 15
    colour = np.array([0.2, 0.5, 0.9])
    scores = PseudoInverse()(
        torch.tensor(colour).float().view(1, 3, 1, 1), torch.from_numpy(palette).float()
    )
    np.testing.assert_allclose(scores.flatten(), colour @ gamma, atol=1e-5)
