"""Training on several data sets at once: MGDA and CCSA, with which MSeg compares.

Both need to know which data set an image is of (``Batch.domain``). What MSeg did beyond the two
papers is taken from mseg-dataset/mseg-semantic (multiobjective_opt/dist_mgda_utils.py,
domain_generalization/ccsa_pspnet.py and ccsa_utils.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from bench import IGNORE_INDEX, seeding

STEPS = 250
"""Of Frank and Wolfe's algorithm at most, as in the release."""
PRECISION = 1e-5
"""A smaller change of a weight ends it."""
POSITIVE_PAIRS = 100
"""Of pixels of one class, for CCSA; of different classes three times as many, as released."""
NEGATIVE_PAIRS = 3 * POSITIVE_PAIRS
MARGIN = 1.0
"""Distance beyond which pixels of different classes cost nothing."""
CANDIDATES = 20_000
"""Pairs drawn, of which the first suitable are taken. The release draws a million, again and
again until there are enough; here a batch without enough has fewer."""


def min_norm_weights(products: Tensor) -> Tensor:
    """Weigh gradients so that their sum is the shortest (Sener and Koltun, arXiv:1810.04650).

    Algorithm 2, with the exact step of algorithm 1. That sum descends for every data set, or is
    zero where nothing does.

    Args:
        products: float [D, D], inner products of the gradients.

    Returns:
        float64 [D], at least 0 and with a sum of 1.
    """
    products = products.double()
    weights = torch.full((len(products),), 1 / len(products)).to(products)
    for _ in range(STEPS):
        slopes = products @ weights
        corner = F.one_hot(slopes.argmin(), len(products)).to(products)
        towards = corner - weights
        curvature = towards @ products @ towards
        if curvature <= 0:
            break
        step = (-(towards @ slopes) / curvature).clamp(0, 1)
        weights = weights + step * towards
        if (step * towards).abs().max() < PRECISION:
            break
    return weights


def mgda_loss(losses: Sequence[Tensor], parameters: Sequence[Tensor]) -> Tensor:
    """Sum the losses of data sets by the weights of :func:`min_norm_weights`; a scalar.

    Gradients are of all parameters, which all data sets share, as MSeg has it; each costs a
    backward pass. Of several processes each weighs its own share of the images, where the
    release gathers the gradients of all.

    Args:
        losses: a scalar of each data set, with gradients.
        parameters: of the network.
    """
    if len(losses) == 1:
        return losses[0]
    learned = [p for p in parameters if p.requires_grad]
    rows = []
    for loss in losses:
        parts = torch.autograd.grad(loss, learned, retain_graph=True, materialize_grads=True)
        rows.append(torch.cat([part.flatten().float() for part in parts]))
    gradients = torch.stack(rows)
    weights = min_norm_weights(gradients @ gradients.T)
    return (weights.to(losses[0]) * torch.stack(list(losses))).sum()


def ccsa_loss(features: Tensor, label: Tensor, domain: Tensor, seeds: Tensor) -> Tensor:
    """Pull pixels of one class together across data sets, push others apart; a scalar.

    Motiian et al., arXiv:1709.10190, equations 3 and 4, between pixels as MSeg has it: the
    squared distance of features of a pair of one class, and of others the square of what it
    lacks of the margin. Data sets are drawn alike, then an image of each and a position.

    Args:
        features: float [B, C, h, w].
        label: int64 [B, H, W], classes or IGNORE_INDEX.
        domain: int64 [B], which data set each image is of.
        seeds: int64 [B], roots of the draws.
    """
    small = F.interpolate(label[:, None].float(), features.shape[2:], mode="nearest")[:, 0].long()
    rows = features.movedim(1, -1).flatten(0, 2)
    first, second = (_draw_positions(small, domain, seeds, side) for side in ("first", "second"))
    classes, sets = small.flatten(), domain.repeat_interleave(small[0].numel())
    usable = (sets[first] != sets[second]) & (classes[first] != IGNORE_INDEX)
    usable &= classes[second] != IGNORE_INDEX
    same = classes[first] == classes[second]
    positive = (usable & same).nonzero()[:POSITIVE_PAIRS, 0]
    negative = (usable & ~same).nonzero()[:NEGATIVE_PAIRS, 0]
    chosen = torch.cat([positive, negative])
    if not len(chosen):
        return features.sum() * 0
    apart = (rows[first[chosen]] - rows[second[chosen]]).float().square().sum(1)
    distance = apart.clamp(min=1e-8).sqrt()
    pulled = distance[: len(positive)].square()
    pushed = (MARGIN - distance[len(positive) :]).clamp(min=0).square()
    return torch.cat([pulled, pushed]).mean()


def _draw_positions(label: Tensor, domain: Tensor, seeds: Tensor, side: str) -> Tensor:
    """Draw positions of [B, h, w], data sets alike; int64 [CANDIDATES], counted row by row."""
    draws = seeding.uniform(seeding.derive(seeds[:1], "pairs", side), 3, CANDIDATES)[0]
    numbers = sorted(set(domain.tolist()))
    sets = torch.tensor(numbers, device=domain.device)
    chosen = sets[(draws[0] * len(sets)).long().to(sets.device)]
    images = torch.zeros_like(chosen)
    for number in numbers:
        members = (domain == number).nonzero()[:, 0]
        of_set = chosen == number
        rank = (draws[1].to(of_set.device)[of_set] * len(members)).long()
        images[of_set] = members[rank]
    size = label[0].numel()
    return images * size + (draws[2] * size).long().to(images.device)
