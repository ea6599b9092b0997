"""What a map of codes costs: nominal rate, entropy, and how much of the codebook is used.

The names are those that reports know (``bench/core/method.py``, ``Method.measure``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


class CodeCounter:
    """Counts the codes of a split, map by map.

    Args:
        codebook_sizes: of each map; a residual codec has several maps.
    """

    def __init__(self, codebook_sizes: Sequence[int]) -> None:
        self.hits = [torch.zeros(size, dtype=torch.int64) for size in codebook_sizes]
        self.pixels = 0

    def add(self, codes: Sequence[Tensor], pixels: int) -> None:
        """Count int64 maps [B, h, w], one per codebook, that stand for so many pixels."""
        self.pixels += pixels
        for hits, chosen in zip(self.hits, codes, strict=True):
            hits += torch.bincount(chosen.flatten().cpu(), minlength=len(hits))

    def measured(self) -> dict[str, float]:
        """Return rates in bits per pixel, use and perplexity.

        ``bits_per_pixel`` is codes times log2 of the codebook: the divergence from a uniform
        prior, as a KL codec's rate is that from a normal one. ``entropy_bits_per_pixel`` has
        the empirical entropy of each map's codes in place of log2 (plug-in estimate: low
        where there are few codes for a large codebook). ``codebook_use`` is the share of
        codes seen at all and ``perplexity`` two to the entropy, both averaged over maps.
        """
        counts = [int(hits.sum()) for hits in self.hits]
        entropies = [_entropy(hits) for hits in self.hits]
        nominal = sum(n * math.log2(len(h)) for n, h in zip(counts, self.hits, strict=True))
        used = [float((hits > 0).double().mean()) for hits in self.hits]
        maps = len(self.hits)
        return {
            "codes_per_pixel": sum(counts) / self.pixels,
            "bits_per_pixel": nominal / self.pixels,
            "entropy_bits_per_pixel": sum(
                n * entropy for n, entropy in zip(counts, entropies, strict=True)
            )
            / self.pixels,
            "codebook_use": sum(used) / maps,
            "perplexity": sum(2**entropy for entropy in entropies) / maps,
        }


def _entropy(hits: Tensor) -> float:
    """Return the entropy in bits of what int64 [V] counted; 0 for nothing."""
    share = hits[hits > 0].double() / hits.sum()
    return float(-(share * share.log2()).sum())
