"""Finite scalar quantisation (Mentzer et al., arXiv:2309.15505)."""

from __future__ import annotations

import torch
from torch import Tensor

from methods._nn.precision import full_precision
from methods._nn.quantisers.quantiser import CodebookQuantiser, Quantised


class FiniteScalarQuantiser(CodebookQuantiser):
    """Every channel rounded to a few levels (Mentzer et al., arXiv:2309.15505, section 3).

    It has no codebook to learn, so all codes are in reach from the first step.
    """

    levels: Tensor  # float32 [C]
    base: Tensor  # int64 [C], the weight of each channel in the code

    def __init__(self, levels: tuple[int, ...]) -> None:
        super().__init__()
        if min(levels) < 2:
            raise ValueError(f"levels are {levels}; every channel needs at least two")
        size = torch.tensor(levels)
        self.num_codes, self.channels = int(size.prod()), len(levels)
        self.codebook_sizes = (self.num_codes,)
        base = torch.cat([torch.ones(1, dtype=torch.int64), size[:-1].cumprod(0)])
        self.register_buffer("levels", size.float(), persistent=False)
        self.register_buffer("base", base, persistent=False)

    def _bound(self, latent: Tensor) -> Tensor:
        """Squash [B, C, h, w] to the positions 0 .. levels - 1 of each channel."""
        return (self.levels.view(-1, 1, 1) - 1) * torch.sigmoid(2 * latent.float())

    def _scale(self, position: Tensor) -> Tensor:
        """Map positions 0 .. levels - 1, channels second, to [-1, 1]."""
        return 2 * position / (self.levels.view(-1, 1, 1) - 1) - 1

    def vectors(self) -> Tensor:
        codes = torch.arange(self.num_codes, device=self.base.device)
        position = codes[:, None] // self.base % self.levels.long()  # [V, C]
        return 2 * position / (self.levels - 1) - 1

    def logits(self, latent: Tensor) -> Tensor:
        normalised = self._scale(self._bound(latent))
        vectors = self.vectors()
        with full_precision(latent):
            inner = torch.einsum("bchw,vc->bvhw", normalised, vectors)
        return 2 * inner - vectors.square().sum(1).view(-1, 1, 1)  # -|z - e|^2 but for |z|^2

    def forward(self, latent: Tensor, seeds: Tensor | None = None) -> Quantised:
        position = self._bound(latent)
        rounded = position.round()
        codes = (rounded.long() * self.base.view(-1, 1, 1)).sum(1)
        straight = position + (rounded - position).detach()
        return Quantised(self._scale(straight), latent.new_zeros(()), (codes,))
