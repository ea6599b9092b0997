"""The diagonal Gaussian: samples, and its divergence from the standard normal."""

import torch
from torch.distributions import Normal, kl_divergence

from bench.core import seeding
from methods._nn.gaussian import Gaussian


def draw(shape):
    generator = seeding.torch_generator(0)
    return Gaussian(
        torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)
    )


def test_without_noise_a_sample_is_the_mean_and_noise_is_scaled_by_the_deviation():
    gaussian = draw((2, 3, 4, 5))
    assert torch.equal(gaussian.sample(torch.zeros(2, 3, 4, 5)), gaussian.mean)
    wide = Gaussian(torch.zeros(1, 1), torch.tensor([[4.0]]).log())
    torch.testing.assert_close(wide.sample(torch.tensor([[-1.5]])), torch.tensor([[-3.0]]))


def test_the_divergence_is_that_of_torch_s_distributions_summed_per_image():
    gaussian = draw((2, 3, 4, 5))
    posterior = Normal(gaussian.mean, (0.5 * gaussian.logvar).exp())
    expected = kl_divergence(posterior, Normal(0.0, 1.0)).flatten(1).sum(1)
    torch.testing.assert_close(gaussian.kl(), expected)
    standard = Gaussian(torch.zeros(2, 1, 2, 2), torch.zeros(2, 1, 2, 2))
    assert standard.kl().tolist() == [0.0, 0.0]
