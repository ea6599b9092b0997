"""A codebook learned by moving averages, and the bottlenecks made of one or several.

vector-quantize-pytorch (1.32) was tried for these. It draws restarts from the global
stream, where this project keys every draw; its residual quantiser fails on maps
(``accept_image_fmap``); and a training step with 16,384 codes took it many times as long on a
CPU as the product of two matrices below. So it is not used.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench import seeding
from methods._nn.precision import full_precision
from methods.codec.bottleneck import BottleneckOutput, DiscreteBottleneck

_TINY = 1e-5


class MovingAverageCodebook(nn.Module):
    """Vectors that follow the mean of what chose them (arXiv:1711.00937, appendix A.1).

    Args:
        num_codes: V entries.
        dim: D numbers of an entry.
        decay: of the moving averages, per step.
        restart_below: entries chosen less often than this fraction of the average are dead
            and restart on a vector of the batch (after arXiv:2005.00341, section 3.1). Before
            the first step all are, so the codebook starts from data.
    """

    vectors: Tensor  # float32 [V, D]
    uses: Tensor  # float32 [V], average choices per step
    sums: Tensor  # float32 [V, D], average sum of what chose each entry

    def __init__(self, num_codes: int, dim: int, decay: float, restart_below: float) -> None:
        super().__init__()
        self.decay, self.restart_below = decay, restart_below
        self.register_buffer("vectors", torch.randn(num_codes, dim))
        self.register_buffer("uses", torch.zeros(num_codes))
        self.register_buffer("sums", torch.zeros(num_codes, dim))

    def nearest(self, latent: Tensor) -> Tensor:
        """Find the nearest entry at each position of [B, D, h, w]; int64 [B, h, w]."""
        rows = latent.permute(0, 2, 3, 1)
        # The nearest vector is the one of largest inner product less half its square.
        bias = -0.5 * self.vectors.square().sum(1)
        with full_precision(latent):
            scores = torch.addmm(bias, rows.reshape(-1, rows.shape[-1]), self.vectors.t())
        return scores.argmax(1).view(rows.shape[:3])

    def lookup(self, codes: Tensor) -> Tensor:
        """Return the entries float32 [B, D, h, w] of int64 codes [B, h, w]."""
        return F.embedding(codes, self.vectors).permute(0, 3, 1, 2)

    @torch.no_grad()
    def learn(self, latent: Tensor, seeds: Tensor) -> Tensor:
        """Quantise [B, D, h, w], then move the entries towards the vectors that chose them.

        Sums are over all processes, and the first one's restarts hold for all.

        Returns:
            The entries as they were, float32 [B, D, h, w].
        """
        rows = latent.permute(0, 2, 3, 1).flatten(0, 2)
        if not self.uses.any():
            self._restart(torch.ones_like(self.uses, dtype=torch.bool), rows, seeds)
        chosen = self.nearest(latent)
        quantised, codes = self.lookup(chosen), chosen.flatten()
        hits = torch.bincount(codes, minlength=len(self.uses)).to(self.uses)
        sums = torch.zeros_like(self.sums).index_add_(0, codes, rows)
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.all_reduce(hits)
            torch.distributed.all_reduce(sums)
        self.uses.lerp_(hits, 1 - self.decay)
        self.sums.lerp_(sums, 1 - self.decay)
        self.vectors.copy_(self.sums / self.uses.clamp(min=_TINY)[:, None])
        self._restart(self.uses < self.restart_below * self.uses.mean(), rows, seeds)
        return quantised

    def _restart(self, dead: Tensor, rows: Tensor, seeds: Tensor) -> None:
        """Put dead entries, bool [V], on vectors drawn from [N, D], as if used averagely."""
        count = int(dead.sum())
        if not count:
            return
        generator = seeding.torch_generator(int(seeding.derive(seeds[:1], "restart")[0]))
        drawn = rows[torch.randint(len(rows), (count,), generator=generator).to(rows.device)]
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.broadcast(drawn, 0)
        average = self.uses.mean().clamp(min=1.0)
        self.vectors[dead], self.uses[dead] = drawn, average
        self.sums[dead] = drawn * average


class ResidualBottleneck(DiscreteBottleneck):
    """Nearest codes of a latent, then of what they leave over, and so on; one level is VQ.

    arXiv:1711.00937, equation 3, with moving averages in place of its second term; levels as
    in arXiv:2107.03312, section III-C.
    """

    def __init__(
        self,
        features: int,
        dim: int,
        num_codes: int,
        depth: int,
        *,
        commitment: float,
        decay: float,
        restart_below: float,
    ) -> None:
        super().__init__()
        self.codebook_sizes = (num_codes,) * depth
        self.dim = dim
        self.commitment = commitment
        self.narrow = nn.Conv2d(features, dim, 1)
        self.levels = nn.ModuleList(
            MovingAverageCodebook(num_codes, dim, decay, restart_below) for _ in range(depth)
        )

    def _levels(self) -> Iterator[MovingAverageCodebook]:
        for level in self.levels:
            assert isinstance(level, MovingAverageCodebook)
            yield level

    def latent(self, features: Tensor, seeds: Tensor) -> Tensor:
        narrow: Tensor = self.narrow(features)
        return narrow

    def codes(self, latent: Tensor) -> tuple[Tensor, ...]:
        codes, rest = [], latent
        for level in self._levels():
            codes.append(level.nearest(rest))
            rest = rest - level.lookup(codes[-1])
        return tuple(codes)

    def lookup(self, codes: tuple[Tensor, ...]) -> Tensor:
        parts = [
            level.lookup(level_codes)
            for level, level_codes in zip(self._levels(), codes, strict=True)
        ]
        return torch.stack(parts).sum(0)

    def forward(self, features: Tensor, seeds: Tensor) -> BottleneckOutput:
        latent = self.latent(features, seeds)
        rest = latent.detach()
        total, loss = torch.zeros_like(rest), latent.new_zeros(())
        for depth, level in enumerate(self._levels()):
            if self.training:
                added = level.learn(rest, seeding.derive(seeds[:1], "level", depth))
            else:
                added = level.lookup(level.nearest(rest))
            rest, total = rest - added, total + added
            loss = loss + F.mse_loss(latent, total)
        return BottleneckOutput(latent + (total - latent).detach(), self.commitment * loss)
