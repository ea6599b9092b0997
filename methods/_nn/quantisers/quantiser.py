"""What every quantiser does: latents to maps of codes and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F


class Quantised(NamedTuple):
    """A latent after a quantiser."""

    latent: Tensor  # float32 [B, C, h, w], gradients pass straight through to the input
    loss: Tensor  # float32 scalar, what pulls codes and latents together
    codes: tuple[Tensor, ...]  # int64 [B, h_i, w_i], one map per codebook


class Quantiser(nn.Module, ABC):
    """Latents [B, C, h, w] to one or several maps of codes, and back."""

    channels: int
    """C, of the latent before and after."""
    codebook_sizes: tuple[int, ...]
    """Number of codes of each map; empty where real vectors stand in for codes."""

    @abstractmethod
    def forward(self, latent: Tensor, seeds: Tensor | None = None) -> Quantised:
        """Quantise float32 [B, C, h, w] with gradients.

        Args:
            latent: float32 [B, C, h, w].
            seeds: int64 [B], roots of what training draws; without them nothing is drawn.
        """

    @abstractmethod
    def decode(self, codes: Sequence[Tensor]) -> Tensor:
        """Return the latent float32 [B, C, h, w] that all maps together stand for."""

    def encode(self, latent: Tensor) -> tuple[Tensor, ...]:
        """Return the maps of codes of float32 [B, C, h, w], drawing nothing."""
        quantised: Quantised = self(latent)
        return quantised.codes

    def codebook_parameters(self) -> int:
        """Count the learned numbers that only tell codes apart."""
        return 0


class CodebookQuantiser(Quantiser):
    """A finite set of vectors and one code per position, with a logit for every code."""

    num_codes: int

    @abstractmethod
    def vectors(self) -> Tensor:
        """Return the vectors of all codes, float32 [V, C]."""

    @abstractmethod
    def logits(self, latent: Tensor) -> Tensor:
        """Return float32 [B, V, h, w], highest for the code that ``forward`` picks."""

    def decode(self, codes: Sequence[Tensor]) -> Tensor:
        return F.embedding(codes[0], self.vectors()).permute(0, 3, 1, 2)
