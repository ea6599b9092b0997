"""The seglat decoder's transformer: all tokens of a scale at once, scale after scale.

VAR (arXiv:2404.02905, section 3.2; FoundationVision/VAR, models/var.py) predicts the codes
of scale k from the reconstruction after scale k - 1. ControlVAR (arXiv:2406.09750;
lxa9867/ControlVAR, models/control_var.py) sets the tokens of a second picture beside the
image's at each scale, and holds one of the two at the truth to generate the other. Here
the image is held and the seglat generated.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods._nn.quantisers.multi_scale import MultiScaleQuantiser, Scale, map_size, next_input
from methods.seg_var.attention import Cache, TransformerBlock, grid_positions
from methods.seg_var.config import DecoderSettings

TASKS = ("semantic", "instance", "panoptic")
"""What the [TYP] token tells apart."""


class StartTokens(nn.Module):
    """The [CLS] and [TYP] tokens: which classes, and which task."""

    def __init__(self, num_classes: int, width: int) -> None:
        super().__init__()
        self.classes = nn.Linear(num_classes, width)  # its bias stands for no class
        self.task = nn.Embedding(len(TASKS), width)
        nn.init.normal_(self.task.weight, std=0.02)

    def forward(self, classes: Tensor, task: str) -> Tensor:
        """Return [TYP] and [CLS] of float32 [B, K] with ones at the classes: [B, 2, D]."""
        share = classes / classes.sum(1, keepdim=True).clamp(min=1)
        index = torch.full((len(classes),), TASKS.index(task), device=classes.device)
        return torch.stack([self.task(index), self.classes(share)], 1)


class NextScaleTransformer(nn.Module):
    """Predict image and seglat codes of every scale from the scales before.

    The sequence is [image of scale 1 | seglat of scale 1 | image of scale 2 | ...]. Within
    a scale attention is full; no token sees a later scale.

    Args:
        scales: how many there are.
        channels: of the tokenizer's latent.
        outputs: numbers predicted per position, such as a logit per code.
        num_classes: of the data.
        config: sizes.
    """

    def __init__(
        self,
        scales: int,
        channels: int,
        outputs: int,
        num_classes: int,
        config: DecoderSettings,
    ) -> None:
        super().__init__()
        width = config.width
        self.start = StartTokens(num_classes, width)
        self.word = nn.Linear(channels, width)
        self.stream = nn.Parameter(0.02 * torch.randn(2, 1, width))
        self.level = nn.Parameter(0.02 * torch.randn(scales, width))
        self.blocks = nn.ModuleList(
            TransformerBlock(width, config.heads, config.dropout, condition=True)
            for _ in range(config.depth)
        )
        self.norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.modulate = nn.Linear(width, 2 * width)
        self.head = nn.Linear(width, outputs)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(
        self,
        scales: Sequence[Scale],
        image: Sequence[Tensor | None],
        seglat: Sequence[Tensor | None],
        start: Tensor,
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Predict all scales at once, from the truth of the scales before.

        Args:
            scales: rows and columns of the code maps.
            image: what each scale sees of the image, [B, n, C] each; None for [TYP].
            seglat: what each scale sees of the seglat; None for [CLS].
            start: [B, 2, D], of :class:`StartTokens`.

        Returns:
            Image and seglat outputs of each scale, [B, n, O] each.
        """
        tokens = [
            self._embed(k, scale, seen, start)
            for k, (scale, *seen) in enumerate(zip(scales, image, seglat, strict=True))
        ]
        lengths = [x.shape[1] for x in tokens]
        mask = block_causal_mask(lengths).to(start.device)
        condition = start.sum(1)
        x = torch.cat(tokens, 1)
        for block in self.blocks:
            x, _ = block(x, condition, mask)
        outputs = [
            out.chunk(2, dim=1) for out in torch.split(self._outputs(x, condition), lengths, 1)
        ]
        return [out[0] for out in outputs], [out[1] for out in outputs]

    def step(
        self,
        k: int,
        scale: Scale,
        seen: Sequence[Tensor | None],
        start: Tensor,
        past: list[Cache],
    ) -> tuple[Tensor, list[Cache]]:
        """Predict the seglat of scale k from the caches of the scales before.

        Args:
            k: the scale.
            scale: its rows and columns.
            seen: what it sees of image and seglat, as in :meth:`forward`.
            start: [B, 2, D].
            past: one cache per block; empty at the first scale.

        Returns:
            Seglat outputs [B, n, O], and the caches with this scale.
        """
        x = self._embed(k, scale, seen, start)
        condition = start.sum(1)
        caches = []
        for i, block in enumerate(self.blocks):
            x, cache = block(x, condition, past=past[i] if past else None)
            caches.append(cache)
        return self._outputs(x.chunk(2, dim=1)[1], condition), caches

    def _embed(self, k: int, scale: Scale, seen: Sequence[Tensor | None], start: Tensor) -> Tensor:
        """Embed image and seglat of scale k, their positions and level: [B, 2n, D]."""
        position = grid_positions(*scale, start.shape[2]).to(start) + self.level[k]
        streams = [
            (start[:, i : i + 1] if x is None else self.word(x)) + position + self.stream[i]
            for i, x in enumerate(seen)
        ]
        return torch.cat(streams, 1)

    def _outputs(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.modulate(F.silu(condition))[:, None].chunk(2, dim=-1)
        outputs: Tensor = self.head(self.norm(x) * (1 + scale) + shift).float()
        return outputs


def block_causal_mask(lengths: Sequence[int]) -> Tensor:
    """Return which token may attend to which, bool [L, L]: those of its own block and before."""
    block = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    return block[:, None] >= block


def inputs(
    quantiser: MultiScaleQuantiser, codes: Sequence[Tensor], own: bool
) -> list[Tensor | None]:
    """Return what each scale sees of a picture with these codes: [B, n, C] each.

    Args:
        quantiser: of the tokenizer.
        codes: of every scale.
        own: whether a scale sees its own codes, not only those before; otherwise the first
            sees nothing, None.
    """
    if not own:
        return [None, *quantiser.next_inputs(codes)]
    running = quantiser.running(codes, map_size(codes[-1]))
    return [next_input(f, map_size(c)) for f, c in zip(running, codes, strict=True)]
