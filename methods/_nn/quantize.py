"""Bottlenecks that turn a latent map into codes and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench import seeding

_SHARPNESS = 50.0
"""Of the odds of codes on the sphere: of two codes whose cosines with a latent differ by
0.1, the nearer is exp(5) times as likely, so that noise on logits moves codes little."""


class Quantized(NamedTuple):
    """A latent map after the bottleneck."""

    latent: Tensor  # float32 [B, D, h, w], gradients pass straight through
    codes: Tensor  # int64 [B, h, w]
    loss: Tensor  # float32 scalar, what pulls codes and latents together


class Bottleneck(nn.Module, ABC):
    """A finite set of latent vectors of width ``dim``."""

    num_codes: int
    dim: int

    @abstractmethod
    def forward(self, latent: Tensor) -> Quantized:
        """Replace every vector of float32 [B, D, h, w] by its code's."""

    @abstractmethod
    def vectors(self) -> Tensor:
        """Return the vectors of all codes, float32 [V, D]."""

    @abstractmethod
    def logits(self, latent: Tensor) -> Tensor:
        """Return float32 [B, V, h, w], highest for the code that ``forward`` picks."""

    def lookup(self, codes: Tensor) -> Tensor:
        """Return float32 [B, D, h, w] for int64 codes [B, h, w]."""
        return F.embedding(codes, self.vectors()).permute(0, 3, 1, 2)


class VectorQuantizer(Bottleneck):
    """Nearest vector of a learned codebook on the unit sphere.

    van den Oord et al., arXiv:1711.00937, eq. 3, with vectors and latents normalised as
    in arXiv:2110.04627, section 3.1, because many codes of a plain codebook stay unused.
    """

    def __init__(self, num_codes: int, dim: int, commitment: float = 0.25) -> None:
        super().__init__()
        self.num_codes, self.dim, self.commitment = num_codes, dim, commitment
        self.codebook = nn.Parameter(torch.randn(num_codes, dim))

    def vectors(self) -> Tensor:
        return F.normalize(self.codebook, dim=1)

    def logits(self, latent: Tensor) -> Tensor:
        # On the sphere the nearest vector is the one of largest inner product.
        cosine = torch.einsum("bdhw,vd->bvhw", F.normalize(latent, dim=1), self.vectors())
        return _SHARPNESS * cosine

    def forward(self, latent: Tensor) -> Quantized:
        latent = F.normalize(latent, dim=1)
        codes = self.logits(latent).argmax(1)
        vector = self.lookup(codes)
        loss = F.mse_loss(vector, latent.detach())
        loss = loss + self.commitment * F.mse_loss(latent, vector.detach())
        return Quantized(latent + (vector - latent).detach(), codes, loss)


class FiniteScalarQuantizer(Bottleneck):
    """Every channel rounded to a few levels (Mentzer et al., arXiv:2309.15505, section 3).

    It has no codebook to learn, so all codes are in reach from the first step.
    """

    levels: Tensor  # float32 [D]
    base: Tensor  # int64 [D], the weight of each channel in the code

    def __init__(self, levels: tuple[int, ...]) -> None:
        super().__init__()
        if min(levels) < 2:
            raise ValueError(f"levels are {levels}; every channel needs at least two")
        size = torch.tensor(levels)
        self.num_codes, self.dim = int(size.prod()), len(levels)
        base = torch.cat([torch.ones(1, dtype=torch.int64), size[:-1].cumprod(0)])
        self.register_buffer("levels", size.float(), persistent=False)
        self.register_buffer("base", base, persistent=False)

    def _bound(self, latent: Tensor) -> Tensor:
        """Squash [B, D, h, w] to the places 0 .. levels - 1 of each channel."""
        return (self.levels.view(-1, 1, 1) - 1) * torch.sigmoid(2 * latent)

    def _scale(self, place: Tensor) -> Tensor:
        """Map places 0 .. levels - 1, channels second, to [-1, 1]."""
        return 2 * place / (self.levels.view(-1, 1, 1) - 1) - 1

    def vectors(self) -> Tensor:
        codes = torch.arange(self.num_codes, device=self.base.device)
        place = codes[:, None] // self.base % self.levels.long()  # [V, D]
        return 2 * place / (self.levels - 1) - 1

    def logits(self, latent: Tensor) -> Tensor:
        place = self._scale(self._bound(latent))
        vectors = self.vectors()
        inner = torch.einsum("bdhw,vd->bvhw", place, vectors)
        return 2 * inner - vectors.square().sum(1).view(-1, 1, 1)  # -|z - e|^2 but for |z|^2

    def forward(self, latent: Tensor) -> Quantized:
        place = self._bound(latent)
        rounded = place.round()
        codes = (rounded.long() * self.base.view(-1, 1, 1)).sum(1)
        straight = place + (rounded - place).detach()
        return Quantized(self._scale(straight), codes, latent.new_zeros(()))


def gumbel_one_hot(logits: Tensor, seeds: Tensor, temperature: float) -> Tensor:
    """Draw one-hot codes whose gradient is that of a softmax (Jang et al., arXiv:1611.01144).

    Args:
        logits: float32 [B, V, h, w].
        seeds: int64 [B], one stream of noise an image.
        temperature: of the softmax behind the gradient, above 0.

    Returns:
        float32 [B, V, h, w], one-hot over V.
    """
    noise = seeding.uniform(seeding.derive(seeds, "gumbel"), *logits.shape[1:]).to(logits)
    tiny = torch.finfo(noise.dtype).tiny
    gumbel = -(-noise.clamp(min=tiny).log()).clamp(min=tiny).log()
    soft = ((logits + gumbel) / temperature).softmax(1)
    hard = F.one_hot(soft.argmax(1), logits.shape[1]).movedim(-1, 1).to(soft.dtype)
    return hard + soft - soft.detach()
