"""Choosing seglat codes scale by scale."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from methods._nn.quantisers.multi_scale import MultiScaleQuantiser, map_size
from methods.seg_var.attention import Cache
from methods.seg_var.config import DecoderSettings
from methods.seg_var.next_scale import NextScaleTransformer, inputs


class SeglatSampler:
    """The seglat decoder at inference: one scale a call, earlier ones from its cache.

    The image's tokens are held at the truth at every scale (ControlVAR's conditional
    generation). With guidance, a second pass without [CLS] runs beside the first.

    Args:
        decoder: in evaluation mode.
        quantiser: of the tokenizer.
        image: codes of the image at each scale.
        classes: float32 [B, K], what [CLS] says.
        config: how far the image is seen, and the strength of guidance.
    """

    def __init__(
        self,
        decoder: NextScaleTransformer,
        quantiser: MultiScaleQuantiser,
        image: Sequence[Tensor],
        classes: Tensor,
        config: DecoderSettings,
    ) -> None:
        self.decoder, self.guidance = decoder, config.guidance
        self.scales = [map_size(codes) for codes in image]
        self.copies = 2 if config.guidance > 0 else 1
        self.image = [
            None if x is None else x.repeat(self.copies, 1, 1)
            for x in inputs(quantiser, image, config.image_sees == "current")
        ]
        told = torch.cat([classes, torch.zeros_like(classes)][: self.copies])
        self.start = decoder.start(told, "semantic")
        self.caches: list[Cache] = []

    def outputs(self, k: int, before: Tensor | None) -> Tensor:
        """Predict scale k, [B, n, O]; to be called for each scale in turn.

        Args:
            k: the scale.
            before: [B, n, C], the seglat's latent after the scales before; None at 0.
        """
        seglat = None if before is None else before.repeat(self.copies, 1, 1)
        seen = (self.image[k], seglat)
        out, self.caches = self.decoder.step(k, self.scales[k], seen, self.start, self.caches)
        if self.copies == 1:
            return out
        told, untold = out.chunk(2)
        strength = self.guidance * k / max(len(self.scales) - 1, 1)
        return (1 + strength) * told - strength * untold


def mix(experts: Sequence[tuple[float, Tensor]], continuous: bool) -> Tensor:
    """Average what several predict of the same positions, by weight.

    Args:
        experts: weight and outputs [B, n, O] of each.
        continuous: whether outputs are means; otherwise their log-probabilities are
            averaged, and the result is unnormalised.
    """
    total = sum(weight for weight, _ in experts)
    mixed = torch.zeros_like(experts[0][1])
    for weight, outputs in experts:
        mixed = mixed + weight / total * (outputs if continuous else outputs.log_softmax(-1))
    return mixed
