"""Distributions over what a tokenizer encodes: their divergence, and choosing from them.

Codes are integers [B, n] with outputs [B, n, V] as logits. A tokenizer without codes (``kl``)
has real vectors [B, n, C] in their place, and outputs [B, n, C] are means of Gaussians of
unit variance.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from bench.seeding import normal, uniform
from methods.seg_var.config import Decoder


def divergence(outputs: Tensor, codes: Tensor) -> Tensor:
    """Average KL(q || p) over positions, of the encoder's codes q and predicted p; a scalar.

    The encoder is certain of its codes, so the term is a cross-entropy (arXiv:2511.12594,
    stage 3); between Gaussians of unit variance it is half the squared distance.
    """
    if codes.is_floating_point():
        return 0.5 * F.mse_loss(outputs, codes) * codes.shape[-1]
    return F.cross_entropy(outputs.flatten(0, -2), codes.flatten())


def choose(outputs: Tensor, seeds: Tensor, config: Decoder, continuous: bool) -> Tensor:
    """Choose codes by arg-max, or by a draw for which each image has its own stream.

    Args:
        outputs: [B, n, O].
        seeds: int64 [B], used up by this call.
        config: decoding, top_k and top_p.
        continuous: whether outputs are means.
    """
    if continuous:
        noise = normal(seeds, *outputs.shape[1:]).to(outputs)
        return outputs + noise if config.decoding == "sample" else outputs
    if config.decoding == "argmax":
        return outputs.argmax(-1)
    return sample(outputs, uniform(seeds, outputs.shape[1]), config.top_k, config.top_p)


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
    place = (edges <= draws.to(edges)[..., None] * edges[..., -1:]).sum(-1, keepdim=True)
    return codes.gather(-1, place.clamp(max=codes.shape[-1] - 1))[..., 0]
