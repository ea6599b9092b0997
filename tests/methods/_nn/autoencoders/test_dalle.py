"""The map of colours around DALL-E's discrete VAE; the network is in ``tests/parity``."""

import pytest
import torch

from bench.core import seeding
from methods._nn.autoencoders.dalle import map_pixels, unmap_pixels


def test_the_logit_laplace_map_is_undone_and_clamped():
    image = torch.rand(1, 3, 4, 4, generator=seeding.torch_generator(0))
    torch.testing.assert_close(unmap_pixels(map_pixels(image)), image)
    assert map_pixels(torch.tensor([0.0, 1.0])).tolist() == pytest.approx([0.1, 0.9])
    assert unmap_pixels(torch.tensor([0.0, 1.0])).tolist() == [0.0, 1.0]
