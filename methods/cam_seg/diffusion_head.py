"""A diffusion model of each token, conditioned on a vector (Li et al., arXiv:2406.11838).

The network and its training are those of LTH14/mar models/diffloss.py with the released
key names, so that released weights load as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from methods.cam_seg.gaussian_diffusion import (
    GaussianDiffusion,
    cosine_alphas_cumprod,
    respaced_timesteps,
)

Sampler = Literal["ancestral", "ddim", "dpm_solver"]
Target = Literal["noise", "velocity"]
SOLVER_ORDER = {"ddim": 1, "dpm_solver": 2}
FREQUENCIES = 256


class DiffusionLoss(NamedTuple):
    """The two terms of a token's loss, which the release adds."""

    mse: Tensor  # float32 [N], of the noise
    vlb: Tensor  # float32 [N], variational bound in bits per channel


class TimeEmbedding(nn.Module):
    """Sinusoids of the time step through two linear layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(FREQUENCIES, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, time: Tensor) -> Tensor:
        half = FREQUENCIES // 2
        exponent = -math.log(10000) * torch.arange(half, dtype=torch.float32) / half
        # One unit in the last place here is 1e-4 in the angle of the last time step, so
        # the exponential is rounded once, whatever the machine's own function does.
        frequency = exponent.double().exp().float().to(time.device)
        angle = time[:, None].float() * frequency
        embedding: Tensor = self.mlp(torch.cat([angle.cos(), angle.sin()], dim=1))
        return embedding


class AdaLNBlock(nn.Module):
    """Two linear layers with shift, scale and gate from the condition (AdaLN)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.in_ln = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 3 * width))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        shift, scale, gate = self.adaLN_modulation(condition).chunk(3, dim=1)
        residual: Tensor = gate * self.mlp(self.in_ln(x) * (1 + scale) + shift)
        return x + residual


class FinalLayer(nn.Module):
    """Normalise, shift and scale from the condition, and map to the output."""

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.norm_final = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.linear = nn.Linear(width, channels)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        shift, scale = self.adaLN_modulation(condition).chunk(2, dim=1)
        output: Tensor = self.linear(self.norm_final(x) * (1 + scale) + shift)
        return output


class TokenDenoiser(nn.Module):
    """The network: noisy tokens [N, C], time steps [N] and condition [N, D] to [N, 2C]."""

    def __init__(self, channels: int, condition_width: int, width: int, depth: int) -> None:
        super().__init__()
        self.time_embed = TimeEmbedding(width)
        self.cond_embed = nn.Linear(condition_width, width)
        self.input_proj = nn.Linear(channels, width)
        self.res_blocks = nn.ModuleList(AdaLNBlock(width) for _ in range(depth))
        self.final_layer = FinalLayer(width, 2 * channels)
        self._initialise()

    def _initialise(self) -> None:
        """Start as released: every block the identity, the output zero."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        for layer in (self.time_embed.mlp[0], self.time_embed.mlp[2]):
            nn.init.normal_(layer.get_parameter("weight"), std=0.02)
        for layer in (*self.res_blocks, self.final_layer):
            nn.init.zeros_(layer.adaLN_modulation[1].weight)
        nn.init.zeros_(self.final_layer.linear.weight)

    def forward(self, x: Tensor, time: Tensor, condition: Tensor) -> Tensor:
        y = self.time_embed(time) + self.cond_embed(condition)
        x = self.input_proj(x)
        for block in self.res_blocks:
            x = block(x, y)
        output: Tensor = self.final_layer(x, y).float()  # the process is in full precision
        return output


class DiffusionHead(nn.Module):
    """Learn and sample the distribution of a token given a condition.

    Args:
        channels: C, of a token.
        condition_width: D, of the condition.
        width: of the network's layers.
        depth: number of residual blocks.
        target: what the network estimates: the noise, as released, or the velocity
            (Salimans and Ho, arXiv:2202.00512), which is minus the clean token where
            noise is strongest and the noise where there is least.
    """

    net: TokenDenoiser
    process: GaussianDiffusion

    def __init__(
        self,
        channels: int,
        condition_width: int,
        width: int,
        depth: int,
        target: Target = "noise",
    ) -> None:
        super().__init__()
        self.channels = channels
        self.velocity = target == "velocity"
        self.net = TokenDenoiser(channels, condition_width, width, depth)
        self.process = GaussianDiffusion(cosine_alphas_cumprod())

    def loss(self, token: Tensor, condition: Tensor, time: Tensor, noise: Tensor) -> DiffusionLoss:
        """Return the loss of each token.

        Args:
            token: float32 [N, C], clean.
            condition: float32 [N, D].
            time: int64 [N] in [0, 1000).
            noise: float32 [N, C], standard normal.
        """
        x_t = self.process.diffuse(token, time, noise)
        output = self.net(x_t, time, condition)
        target = self.process.velocity(token, time, noise) if self.velocity else noise
        mse = F.mse_loss(output[:, : self.channels], target, reduction="none").mean(dim=1)
        output = self._noise(self.process, x_t, time, output)
        return DiffusionLoss(mse, self.process.variational_bound(token, x_t, time, output))

    def sample(
        self,
        condition: Tensor,
        noise: Callable[[int], Tensor],
        *,
        steps: int,
        sampler: Sampler,
        temperature: float = 1.0,
        clip: float = math.inf,
    ) -> Tensor:
        """Draw one token for each condition, float32 [N, C].

        Args:
            condition: float32 [N, D].
            noise: gives standard normal [N, C]; it is asked for draw ``steps`` first,
                then by ``ancestral`` for each later draw down to 1.
            steps: number of evenly spaced time steps.
            sampler: ``ancestral`` (released), or the deterministic ``ddim``
                (arXiv:2010.02502) and ``dpm_solver`` (second order, arXiv:2211.01095).
            temperature: factor of the noise that ``ancestral`` adds at each step, as
                released. The deterministic samplers add none, so there it scales the
                noise they start from.
            clip: bound of the absolute value of the implied clean token.

        Raises:
            ValueError: fewer than 2 or more than 1000 steps.
        """
        timesteps = respaced_timesteps(steps)
        process = GaussianDiffusion(cosine_alphas_cumprod(), timesteps).to(condition.device)
        if sampler == "ancestral":
            return self._ancestral(process, condition, noise, temperature, clip)
        start = temperature * noise(steps)
        return self._solve(process, condition, start, SOLVER_ORDER[sampler], clip)

    def _ancestral(
        self,
        process: GaussianDiffusion,
        condition: Tensor,
        noise: Callable[[int], Tensor],
        temperature: float,
        clip: float,
    ) -> Tensor:
        steps = len(process.timesteps)
        x = noise(steps)
        for i in reversed(range(steps)):
            index = torch.full((len(x),), i, device=x.device)
            output = self.net(x, process.timesteps[index], condition)
            output = self._noise(process, x, index, output)
            step = process.reverse(x, index, output, clip)
            x = step.mean
            if i > 0:
                x = x + temperature * torch.exp(0.5 * step.logvar) * noise(i)
        return x

    def _solve(
        self,
        process: GaussianDiffusion,
        condition: Tensor,
        x: Tensor,
        order: int,
        clip: float,
    ) -> Tensor:
        """Follow the probability flow by DPM-Solver++ (arXiv:2211.01095 Algorithm 2).

        Of first order it is DDIM without noise. The last step, to no noise at all, is of
        first order always.
        """
        before: Tensor | None = None
        for i in reversed(range(1, len(process.timesteps))):
            x_0 = direction = self._clean(process, condition, x, i, clip)
            if order == 2 and before is not None:
                direction = x_0 + process.extrapolation(i) * (x_0 - before)
            x, before = process.flow(x, direction, i), x_0
        return self._clean(process, condition, x, 0, clip)

    def _clean(
        self, process: GaussianDiffusion, condition: Tensor, x: Tensor, i: int, clip: float
    ) -> Tensor:
        """Return the clean tokens that the network's noise estimate at step ``i`` implies."""
        index = torch.full((len(x),), i, device=x.device)
        estimate = self.net(x, process.timesteps[index], condition)[:, : self.channels]
        clean = process.clean_of_velocity if self.velocity else process.clean
        return clean(x, index, estimate).clamp(-clip, clip)

    def _noise(self, process: GaussianDiffusion, x: Tensor, i: Tensor, output: Tensor) -> Tensor:
        """Return the network's output [N, 2C] with its estimate turned into one of the noise."""
        if not self.velocity:
            return output
        velocity, position = output.chunk(2, dim=1)
        return torch.cat([process.noise_of_velocity(x, i, velocity), position], dim=1)
