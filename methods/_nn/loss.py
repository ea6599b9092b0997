"""Losses that leave ignored targets out."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from bench import IGNORE_INDEX


def cross_entropy(logits: Tensor, target: Tensor, ignore: int = IGNORE_INDEX) -> Tensor:
    """Mean cross-entropy over the targets that count; zero, not 0 / 0, where none does.

    Args:
        logits: [B, K, ...], taken in float32.
        target: int64 [B, ...], 0 .. K - 1 or ``ignore``.
        ignore: the target of a position that does not count.
    """
    total = F.cross_entropy(logits.float(), target, ignore_index=ignore, reduction="sum")
    return total / (target != ignore).sum().clamp(min=1)
