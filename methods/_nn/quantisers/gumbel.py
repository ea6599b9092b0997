"""Straight-through Gumbel-softmax: codes drawn so that gradients reach their logits."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from bench import seeding


def gumbel_one_hot(logits: Tensor, seeds: Tensor, temperature: float) -> Tensor:
    """Draw one-hot codes whose gradient is that of a softmax (Jang et al., arXiv:1611.01144).

    Args:
        logits: [B, V, h, w], of any precision: noise and softmax are in float32 always.
        seeds: int64 [B], one stream of noise per image.
        temperature: of the softmax behind the gradient, above 0.

    Returns:
        float32 [B, V, h, w], one-hot over V.
    """
    noise = seeding.uniform(seeding.derive(seeds, "gumbel"), *logits.shape[1:]).to(logits.device)
    tiny = torch.finfo(noise.dtype).tiny
    gumbel = -(-noise.clamp(min=tiny).log()).clamp(min=tiny).log()
    soft = ((logits.float() + gumbel) / temperature).softmax(1)
    hard = F.one_hot(soft.argmax(1), logits.shape[1]).movedim(-1, 1).to(soft.dtype)
    return hard + soft - soft.detach()
