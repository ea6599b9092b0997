"""Vector quantisation: the nearest entry of a learned codebook (arXiv:1711.00937)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods._nn.precision import full_precision
from methods._nn.quantisers.quantiser import CodebookQuantiser, Quantised, Quantiser

_SHARPNESS = 50.0
"""Of the odds of codes on the sphere: of two codes whose cosines with a latent differ by
0.1, the nearer is exp(5) times as likely, so that noise on logits moves codes little."""


def nearest_codes(vectors: Tensor, codebook: Tensor) -> Tensor:
    """Find the nearest entry of [V, C] by L2 for each of [N, C]; int64 [N].

    The expanded square, as released code computes it: equally near entries then fall alike.
    In full precision always.
    """
    with full_precision(vectors):
        vectors = vectors.float()
        distance = vectors.square().sum(1, keepdim=True) + codebook.square().sum(1)
        return torch.addmm(distance, vectors, codebook.T, alpha=-2).argmin(1)


class VectorQuantiser(Quantiser):
    """VQGAN's quantiser (taming/modules/vqvae/quantize.py, VectorQuantizer2).

    Args:
        num_codes: entries V.
        channels: of an entry.
        commitment: weight of the commitment term or, if ``legacy``, of the codebook term: the
            release swapped the two and kept the swap as its default.
    """

    def __init__(
        self, num_codes: int, channels: int, commitment: float = 0.25, legacy: bool = True
    ) -> None:
        super().__init__()
        self.channels, self.codebook_sizes = channels, (num_codes,)
        self.commitment = commitment
        self.legacy = legacy
        self.embedding = nn.Embedding(num_codes, channels)
        nn.init.uniform_(self.embedding.weight, -1 / num_codes, 1 / num_codes)

    def forward(self, latent: Tensor, seeds: Tensor | None = None) -> Quantised:
        vectors = latent.float().movedim(1, -1)  # [B, h, w, C]
        codes = nearest_codes(vectors.flatten(0, 2).detach(), self.embedding.weight.detach())
        codes = codes.reshape(vectors.shape[:-1])
        entries = self.embedding(codes)
        commitment_loss = F.mse_loss(vectors, entries.detach())
        codebook_loss = F.mse_loss(entries, vectors.detach())
        weights = (1.0, self.commitment) if self.legacy else (self.commitment, 1.0)
        loss = weights[0] * commitment_loss + weights[1] * codebook_loss
        through = vectors + (entries - vectors).detach()
        return Quantised(through.movedim(-1, 1), loss, (codes,))

    def decode(self, codes: Sequence[Tensor]) -> Tensor:
        entries: Tensor = self.embedding(codes[0])
        return entries.permute(0, 3, 1, 2)

    def codebook_parameters(self) -> int:
        return self.embedding.weight.numel()


class SphericalQuantiser(CodebookQuantiser):
    """Nearest vector of a learned codebook on the unit sphere.

    van den Oord et al., arXiv:1711.00937, eq. 3, with vectors and latents normalised as
    in arXiv:2110.04627, section 3.1, because many codes of a plain codebook stay unused.
    """

    def __init__(self, num_codes: int, channels: int, commitment: float = 0.25) -> None:
        super().__init__()
        self.num_codes, self.channels, self.commitment = num_codes, channels, commitment
        self.codebook_sizes = (num_codes,)
        self.codebook = nn.Parameter(torch.randn(num_codes, channels))

    def vectors(self) -> Tensor:
        return F.normalize(self.codebook, dim=1)

    def logits(self, latent: Tensor) -> Tensor:
        # On the sphere the nearest vector is the one of largest inner product.
        with full_precision(latent):
            directions = F.normalize(latent.float(), dim=1)
            return _SHARPNESS * torch.einsum("bchw,vc->bvhw", directions, self.vectors())

    def forward(self, latent: Tensor, seeds: Tensor | None = None) -> Quantised:
        latent = F.normalize(latent.float(), dim=1)
        codes = (self.logits(latent).argmax(1),)
        vector = self.decode(codes)
        loss = F.mse_loss(vector, latent.detach())
        loss = loss + self.commitment * F.mse_loss(latent, vector.detach())
        return Quantised(latent + (vector - latent).detach(), loss, codes)
