"""Drawing the tokens of a mask: in one pass, or in MAR's order of iterations."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from bench import seeding
from methods.cam_seg.config import InferenceSettings
from methods.cam_seg.diffusion_head import DiffusionHead
from methods.cam_seg.transformer import MaskTransformer


def hidden_share(seed: Tensor, minimum: float) -> float:
    """Draw the share of hidden tokens: normal around 1 with deviation 0.25, cut to [minimum, 1].

    Args:
        seed: int64 [1].
        minimum: of the share, as ``mask_ratio_min`` in mahmed10/CAMSS models/mar.py.
    """
    lowest = torch.special.ndtr(torch.tensor((minimum - 1) / 0.25, dtype=torch.float64))
    quantile = (
        lowest + (0.5 - lowest) * seeding.uniform(seeding.derive(seed, "share"), 1)[0, 0].double()
    )
    return float((1 + 0.25 * torch.special.ndtri(quantile)).clamp(minimum, 1))


def hide(seeds: Tensor, length: int, count: int) -> Tensor:
    """Choose ``count`` of ``length`` tokens at random for each image, bool [B, length]."""
    rank = seeding.uniform(seeding.derive(seeds, "order"), length).argsort(dim=1).argsort(dim=1)
    return rank < count


def remaining(length: int, iterations: int) -> Iterator[int]:
    """Yield how many tokens stay hidden after each iteration: MAR's cosine schedule.

    At least one token is drawn in each iteration, and one is left for the last
    (LTH14/mar models/mar.py sample_tokens).
    """
    hidden = length
    for iteration in range(1, iterations):
        wanted = math.floor(length * math.cos(math.pi / 2 * iteration / iterations))
        hidden = max(1, min(hidden - 1, wanted))
        yield hidden
    yield 0


class MaskSampler:
    """Draws mask tokens given an image's tokens; only these, and none twice.

    The release also draws the image half's tokens and throws them away.
    """

    def __init__(
        self, transformer: MaskTransformer, head: DiffusionHead, settings: InferenceSettings
    ) -> None:
        self.transformer = transformer
        self.head = head
        self.settings = settings

    def first_condition(self, image: Tensor) -> Tensor:
        """Return the condition with all mask tokens hidden, float32 [B, L, D].

        It is the same for every sample of an image.
        """
        hidden = torch.ones(image.shape[:2], dtype=torch.bool, device=image.device)
        return self._condition(image, torch.zeros_like(image), hidden)

    def draw(self, image: Tensor, first: Tensor, seeds: Tensor) -> Tensor:
        """Draw one mask for each image, tokens float32 [B, L, C].

        Args:
            image: tokens, float32 [B, L, C].
            first: of :meth:`first_condition`.
            seeds: int64 [B].
        """
        batch, length, _ = image.shape
        iterations = 1 if self.settings.mode == "one_shot" else self.settings.iterations
        mask = torch.zeros_like(image)
        hidden = torch.ones(batch, length, dtype=torch.bool, device=image.device)
        for iteration, left in enumerate(remaining(length, min(iterations, length))):
            condition = first if iteration == 0 else self._condition(image, mask, hidden)
            still_hidden = hide(seeds, length, left).to(hidden.device)
            chosen = hidden & ~still_hidden
            drawn = self._tokens(condition[chosen], seeding.derive(seeds, "tokens", iteration))
            mask[chosen] = drawn.to(mask.dtype)
            hidden = still_hidden
        return mask

    def _condition(self, image: Tensor, mask: Tensor, hidden: Tensor) -> Tensor:
        condition: Tensor = self.transformer(image, mask, hidden).float()
        return condition[:, self.transformer.length :]

    def _tokens(self, condition: Tensor, seeds: Tensor) -> Tensor:
        """Draw a token for each condition [N, D], N being the same share for each seed."""
        settings, channels = self.settings, self.head.channels
        count = len(condition) // len(seeds)

        def noise(draw: int) -> Tensor:
            drawn = seeding.normal(seeding.derive(seeds, "noise", draw), count, channels)
            return drawn.flatten(0, 1).to(condition)

        return self.head.sample(
            condition,
            noise,
            steps=settings.steps,
            sampler=settings.sampler,
            temperature=settings.temperature,
            clip=settings.clip or math.inf,
        )
