"""The codec of GSS: colouring, tokenizer and inverse colouring together.

All that stands between a label map and its codes, and so the ceiling of every method
that predicts the codes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench import Batch, seeding
from methods._nn.autoencoders.tokenizer import Tokenizer
from methods._nn.colour import fill_void, nearest_scores, paint
from methods._nn.inverse import Inverse
from methods._nn.loss import cross_entropy
from methods._nn.padding import pad_label
from methods._nn.precision import full_precision
from methods._nn.quantisers.gumbel import gumbel_one_hot
from methods._nn.settings import Void


class MaskigeCodecSettings(NamedTuple):
    """How label maps are painted, and how the codec is trained."""

    label_scale: int = 1
    """How many times labels are enlarged before tokenising, 1 or 2."""
    void: Void = "fill"
    """Ignored pixels get void's colour, or a label from their surroundings."""
    colour_temperature: float = 0.1
    """Divides colour scores in the losses; colours are in [0, 1]."""
    gumbel_temperature: float = 1.0
    """Of the softmax behind the gradient, when the colouring is learned."""
    recolour: float = 0.0
    """How far the tokenizer's colours are drawn from the palette's at every step, in [0, 1],
    so that a palette can still be moved once it is frozen: a stand-in for one trained on
    photographs."""


class Palette(nn.Module):
    """A palette, fixed or learned."""

    fixed: Tensor  # float32 [K + 1, 3]

    def __init__(self, palette: Tensor, learned: bool) -> None:
        super().__init__()
        self.register_buffer("fixed", palette, persistent=False)
        # Learned through a sigmoid, so that colours stay in [0, 1].
        start = palette.clamp(0.02, 0.98).logit()
        self.logits = nn.Parameter(start) if learned else None

    def colours(self) -> Tensor:
        """Return float32 [K + 1, 3] in [0, 1], void's colour last."""
        return self.fixed if self.logits is None else self.logits.sigmoid()


class MaskigeCodec(nn.Module):
    """Labels [B, H, W] to codes [B, h, w], and codes to class scores."""

    def __init__(
        self,
        colouring: Palette,
        tokenizer: Tokenizer,
        inverse: Inverse,
        settings: MaskigeCodecSettings,
    ) -> None:
        super().__init__()
        self.colouring = colouring
        self.tokenizer = tokenizer
        self.inverse = inverse
        self.settings = settings

    @property
    def stride(self) -> int:
        """Pixels of a label, in each direction, behind one code."""
        return self.tokenizer.stride // self.settings.label_scale

    def paint(self, label: Tensor, palette: Tensor) -> Tensor:
        """Paint int64 labels [B, H, W] as a maskige [B, 3, s H, s W], s the label scale.

        The release enlarges one-hot maps bilinearly and takes the arg-max. At twice the
        size a pixel's own label has 9/16 of the weight, so that is nearest neighbour.
        """
        if self.settings.void == "fill":
            label = fill_void(label)
        scale = self.settings.label_scale
        return paint(label.repeat_interleave(scale, 1).repeat_interleave(scale, 2), palette)

    @torch.no_grad()
    def encode(self, label: Tensor) -> Tensor:
        """Encode int64 labels whose sizes are multiples of the stride.

        In full precision always: rounding flips the codes of flat colours.
        """
        with full_precision(label):
            return self.tokenizer.encode(self.paint(label, self.colouring.colours()))

    def nearest(self, codes: Tensor, truth: Tensor) -> Tensor:
        """Replace each code by the nearest of those of the truth in the same image.

        Nearest as the decoder reads them; int64 [B, h, w] each.
        """
        vectors = self.tokenizer.vectors()
        replaced = []
        for predicted, true in zip(codes, truth, strict=True):
            candidates = true.unique()
            distance = torch.cdist(vectors[predicted.flatten()], vectors[candidates])
            replaced.append(candidates[distance.argmin(1)].view_as(predicted))
        return torch.stack(replaced)

    def decode(self, codes: Tensor) -> Tensor:
        """Decode int64 codes [B, h, w] to scores float32 [B, K, H, W] at the labels' size."""
        return self.logits(self.maskige(codes))

    def maskige(self, codes: Tensor) -> Tensor:
        """Decode int64 codes [B, h, w] to maskiges [B, 3, s H, s W], in full precision always."""
        with full_precision(codes):
            return self.tokenizer.decode(codes)

    def logits(self, maskige: Tensor) -> Tensor:
        """Score the classes of a maskige [B, 3, s H, s W], averaged over enlarged pixels."""
        scores: Tensor = self.inverse(maskige, self.colouring.colours()[:-1]).float()
        if self.inverse.votes:
            best = scores.argmax(1)
            scores = F.one_hot(best, scores.shape[1]).permute(0, 3, 1, 2).to(maskige.dtype)
        return F.avg_pool2d(scores, self.settings.label_scale)

    def reconstruct(self, label: Tensor) -> Tensor:
        """Encode and decode int64 labels [B, H, W] of any size; exactly that size returns."""
        height, width = label.shape[1:]
        codes = self.encode(pad_label(label, self.stride))
        return self.decode(codes).argmax(1)[:, :height, :width]

    def tokenizer_losses(self, batch: Batch) -> dict[str, Tensor]:
        """Train the tokenizer to keep colours and, by nearest colour, classes."""
        label = pad_label(batch.label, self.stride)
        palette = self.colouring.colours()
        if self.settings.recolour:
            drawn = seeding.uniform(seeding.derive(batch.seeds[:1], "palette"), *palette.shape)
            shift = self.settings.recolour * (2 * drawn[0].to(palette) - 1)
            palette = (palette + shift).clamp(0, 1)
        target = self.paint(label, palette)
        maskige, quantisation = self.tokenizer.reconstruct(target, batch.seeds)
        scores = nearest_scores(maskige, palette[:-1]) / self.settings.colour_temperature
        scores = F.avg_pool2d(scores, self.settings.label_scale)
        return {
            "colour": F.mse_loss(maskige, target),
            "classes": cross_entropy(scores, label),
            "codes": quantisation,
        }

    def colouring_losses(self, batch: Batch) -> dict[str, Tensor]:
        """Train the palette (and a learned inverse with it) through the frozen tokenizer.

        GSS-TF and -TT: hard Gumbel-softmax codes, gradients of the soft ones (section 3.3);
        an inverse in closed form follows from the palette anew at every step.
        """
        label = pad_label(batch.label, self.stride)
        palette = self.colouring.colours()
        logits = self.tokenizer.logits(self.paint(label, palette))
        weights = gumbel_one_hot(logits, batch.seeds, self.settings.gumbel_temperature)
        scores = self.inverse(self.tokenizer.decode_mixture(weights), palette[:-1])
        if self.inverse.votes:
            scores = scores / self.settings.colour_temperature
        scores = F.avg_pool2d(scores, self.settings.label_scale)
        return {"classes": cross_entropy(scores, label)}
