"""Distributions over what a tokenizer encodes: their divergence, and choosing from them.

Codes of a scale are integers [B, h, w], and outputs [B, n, V], n = h * w, their logits. A
tokenizer without codes (``kl``) has real vectors [B, h, w, C] in their place, and outputs
[B, n, C] are means of Gaussians of unit variance.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from bench import seeding
from methods._nn.quantisers.multi_scale import Scale
from methods.seg_var.config import DecoderSettings


def divergence(outputs: Sequence[Tensor], codes: Sequence[Tensor]) -> Tensor:
    """Average KL(q || p) over the positions of all scales, of codes q and predicted p; a scalar.

    The encoder is certain of its codes, so the term is a cross-entropy (arXiv:2511.12594,
    stage 3); between Gaussians of unit variance it is half the squared distance.
    """
    predicted = torch.cat([out.flatten(0, 1) for out in outputs])
    if codes[0].is_floating_point():
        truth = torch.cat([c.flatten(0, 2) for c in codes])
        return 0.5 * (predicted - truth).square().sum(1).mean()
    return F.cross_entropy(predicted, torch.cat([c.flatten() for c in codes]))


def choose(
    outputs: Tensor, scale: Scale, seeds: Tensor, config: DecoderSettings, continuous: bool
) -> Tensor:
    """Choose codes by arg-max, or by a draw for which each image has its own stream.

    Args:
        outputs: [B, n, O].
        scale: rows and columns of the codes.
        seeds: int64 [B], used up by this call.
        config: decoding, top_k and top_p.
        continuous: whether outputs are means.
    """
    if config.decoding == "argmax":
        return likeliest(outputs, scale, continuous)
    if continuous:
        chosen = outputs + seeding.normal(seeds, *outputs.shape[1:]).to(outputs)
    else:
        draws = seeding.uniform(seeds, outputs.shape[1])
        chosen = sample(outputs, draws, config.top_k, config.top_p)
    return _as_map(chosen, scale)


def likeliest(outputs: Tensor, scale: Scale, continuous: bool) -> Tensor:
    """Return the most probable codes; arguments as of :func:`choose`."""
    return _as_map(outputs if continuous else outputs.argmax(-1), scale)


def _as_map(codes: Tensor, scale: Scale) -> Tensor:
    return codes.reshape(len(codes), *scale, *codes.shape[2:])


def sample(logits: Tensor, draws: Tensor, top_k: int, top_p: float) -> Tensor:
    """Draw codes among the likeliest: top-k, then the fewest that hold ``top_p`` of the rest.

    Args:
        logits: [B, n, V].
        draws: float32 [B, n] in [0, 1).
        top_k: how many codes at most.
        top_p: in (0, 1]; the likeliest code is always kept.

    Returns:
        int64 [B, n].
    """
    values, codes = logits.float().topk(min(top_k, logits.shape[-1]), dim=-1)  # falling
    share = values.softmax(-1)
    before = share.cumsum(-1) - share
    share = share.masked_fill(before >= top_p, 0)
    edges = share.cumsum(-1)
    rank = (edges <= draws.to(edges)[..., None] * edges[..., -1:]).sum(-1, keepdim=True)
    return codes.gather(-1, rank.clamp(max=codes.shape[-1] - 1))[..., 0]
