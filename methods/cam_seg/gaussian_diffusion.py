"""Gaussian diffusion with learned variance, on any subset of its time steps.

Ho et al., arXiv:2006.11239; Nichol and Dhariwal, arXiv:2102.09672 (cosine schedule,
variance between two bounds, variational term, respaced steps); the form is that of
openai/guided-diffusion guided_diffusion/gaussian_diffusion.py, which MAR and CAM-Seg use.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from methods._nn.gaussian import Gaussian

TIME_STEPS = 1000


def cosine_alphas_cumprod(steps: int = TIME_STEPS, largest_beta: float = 0.999) -> Tensor:
    """Return the signal's share of the variance after each step, float64 [steps].

    arXiv:2102.09672 Eq. 17, with each step's beta clipped to ``largest_beta``.
    """
    time = torch.arange(steps + 1, dtype=torch.float64) / steps
    share = torch.cos((time + 0.008) / 1.008 * math.pi / 2) ** 2
    betas = (1 - share[1:] / share[:-1]).clamp(max=largest_beta)
    return torch.cumprod(1 - betas, dim=0)


def respaced_timesteps(count: int, steps: int = TIME_STEPS) -> Tensor:
    """Spread ``count`` of ``steps`` time steps evenly, both ends included, int64 [count].

    Raises:
        ValueError: unless 2 <= count <= steps; one step could not span the schedule.
    """
    if not 2 <= count <= steps:
        raise ValueError(f"{count} sampling steps; from 2 to {steps} are possible")
    return torch.from_numpy(np.linspace(0, steps - 1, count).round().astype(np.int64))


class GaussianDiffusion(nn.Module):
    """The tables of a diffusion process that visits some of the time steps.

    Step indices ``i`` count the visited steps, 0 being the least noisy; ``timesteps``
    holds the original time step of each, which is what the network is told.

    Args:
        alphas_cumprod: float64 [T], of the whole schedule.
        timesteps: int64 [S], ascending; all of them when absent.
    """

    timesteps: Tensor  # int64 [S]
    signal: Tensor  # float32 [S], square root of alphas_cumprod
    noise: Tensor  # float32 [S], square root of 1 - alphas_cumprod
    inverse_signal: Tensor  # float32 [S], 1 / signal
    inverse_ratio: Tensor  # float32 [S], noise / signal
    log_beta: Tensor  # float32 [S], upper bound of the log-variance
    log_posterior: Tensor  # float32 [S], lower bound of the log-variance
    mean_x0: Tensor  # float32 [S], weight of x_0 in the posterior mean
    mean_xt: Tensor  # float32 [S], weight of x_t in the posterior mean

    def __init__(self, alphas_cumprod: Tensor, timesteps: Tensor | None = None) -> None:
        super().__init__()
        if timesteps is None:
            timesteps = torch.arange(len(alphas_cumprod))
        alpha = alphas_cumprod[timesteps]
        previous = torch.cat([torch.ones(1, dtype=alpha.dtype), alpha[:-1]])
        beta = 1 - alpha / previous
        variance = beta * (1 - previous) / (1 - alpha)
        variance[0] = variance[1]  # zero by the formula; its logarithm must be finite
        tables = {
            "signal": alpha.sqrt(),
            "noise": (1 - alpha).sqrt(),
            "inverse_signal": (1 / alpha).sqrt(),
            "inverse_ratio": (1 / alpha - 1).sqrt(),
            "log_beta": beta.log(),
            "log_posterior": variance.log(),
            "mean_x0": beta * previous.sqrt() / (1 - alpha),
            "mean_xt": (1 - previous) * (1 - beta).sqrt() / (1 - alpha),
        }
        self.register_buffer("timesteps", timesteps, persistent=False)
        for name, table in tables.items():
            self.register_buffer(name, table.float(), persistent=False)

    def diffuse(self, x_0: Tensor, i: Tensor, noise: Tensor) -> Tensor:
        """Return x_t, float32 [N, C], of clean tokens at step indices [N]."""
        return self.signal[i, None] * x_0 + self.noise[i, None] * noise

    def clean(self, x_t: Tensor, i: Tensor, epsilon: Tensor) -> Tensor:
        """Return the x_0, float32 [N, C], that a noise estimate implies.

        At the noisiest step the signal's share is 1e-9 and rounding grows by 20,000, so
        the order of operations is the released one.
        """
        return self.inverse_signal[i, None] * x_t - self.inverse_ratio[i, None] * epsilon

    def velocity(self, x_0: Tensor, i: Tensor, noise: Tensor) -> Tensor:
        """Return signal * noise - noise's share * x_0 (arXiv:2202.00512 Section 4), [N, C]."""
        return self.signal[i, None] * noise - self.noise[i, None] * x_0

    def clean_of_velocity(self, x_t: Tensor, i: Tensor, velocity: Tensor) -> Tensor:
        """Return the x_0, float32 [N, C], that an estimate of the velocity implies."""
        return self.signal[i, None] * x_t - self.noise[i, None] * velocity

    def noise_of_velocity(self, x_t: Tensor, i: Tensor, velocity: Tensor) -> Tensor:
        """Return the noise, float32 [N, C], that an estimate of the velocity implies."""
        return self.noise[i, None] * x_t + self.signal[i, None] * velocity

    def posterior(self, x_0: Tensor, x_t: Tensor, i: Tensor) -> Gaussian:
        """Return q(x_{t-1} | x_t, x_0), arXiv:2006.11239 Eq. 6 and 7."""
        mean = self.mean_x0[i, None] * x_0 + self.mean_xt[i, None] * x_t
        return Gaussian(mean, self.log_posterior[i, None].expand_as(mean))

    def reverse(self, x_t: Tensor, i: Tensor, output: Tensor, clip: float = math.inf) -> Gaussian:
        """Return p(x_{t-1} | x_t) of a network's output [N, 2C]: noise and variance.

        Args:
            x_t: float32 [N, C].
            i: int64 [N], step indices.
            output: the noise estimate, then the position of the log-variance between its
                bounds, -1 being the lower (arXiv:2102.09672 Eq. 15).
            clip: bound of the absolute value of the implied x_0; the release has none.
        """
        epsilon, position = output.chunk(2, dim=1)
        x_0 = self.clean(x_t, i, epsilon).clamp(-clip, clip)
        share = (position + 1) / 2
        logvar = share * self.log_beta[i, None] + (1 - share) * self.log_posterior[i, None]
        return Gaussian(self.posterior(x_0, x_t, i).mean, logvar)

    def flow(self, x_t: Tensor, x_0: Tensor, i: int) -> Tensor:
        """Follow the probability flow from step ``i`` to ``i - 1``, x_0 held fixed.

        DDIM (arXiv:2010.02502 Eq. 12) without noise, as DPM-Solver++ of first order
        writes it (arXiv:2211.01095 Eq. 12).
        """
        shrink = self.noise[i - 1] / self.noise[i]
        return shrink * x_t + (self.signal[i - 1] - shrink * self.signal[i]) * x_0

    def extrapolation(self, i: int) -> Tensor:
        """Return how far x_0 moves between steps ``i`` and ``i - 1`` on a line.

        In units of its last change, for half a step of log(signal / noise): the second
        order of DPM-Solver++ (arXiv:2211.01095 Algorithm 2).
        """
        log_ratio = torch.log(self.signal / self.noise)
        return 0.5 * (log_ratio[i - 1] - log_ratio[i]) / (log_ratio[i] - log_ratio[i + 1])

    def variational_bound(self, x_0: Tensor, x_t: Tensor, i: Tensor, output: Tensor) -> Tensor:
        """Return the step's term of the variational bound in bits per channel, float32 [N].

        The gradient reaches the variance only (arXiv:2102.09672 Section 3.1). Step 0 is
        the likelihood of values 1/127.5 apart, as for 8-bit images; the release keeps
        it for latents.
        """
        epsilon, position = output.chunk(2, dim=1)
        model = self.reverse(x_t, i, torch.cat([epsilon.detach(), position], dim=1))
        truth = self.posterior(x_0, x_t, i)
        divergence = 0.5 * (
            model.logvar
            - truth.logvar
            - 1
            + torch.exp(truth.logvar - model.logvar)
            + (truth.mean - model.mean) ** 2 * torch.exp(-model.logvar)
        )
        nats = torch.where(i[:, None] == 0, -_log_likelihood_of_bins(x_0, model), divergence)
        return nats.mean(dim=1) / math.log(2)


def _log_likelihood_of_bins(x: Tensor, normal: Gaussian) -> Tensor:
    """Return the log-probability of the 8-bit bin around each value, float32 [N, C]."""
    scale = torch.exp(-0.5 * normal.logvar)
    above = _normal_cdf(scale * (x - normal.mean + 1 / 255))
    below = _normal_cdf(scale * (x - normal.mean - 1 / 255))
    inside = torch.where(x < -0.999, above, above - below)
    inside = torch.where(x > 0.999, 1 - below, inside)
    return inside.clamp(min=1e-12).log()


def _normal_cdf(x: Tensor) -> Tensor:
    """Approximate the standard normal's distribution function by tanh, as released."""
    return 0.5 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
