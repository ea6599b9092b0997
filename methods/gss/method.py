"""GSS: predict the codes of a coloured label map, decode them, read the colours.

A label map is painted as an image, the *maskige*; a discrete tokenizer turns it into
codes; the prior predicts the codes from the photograph; decoded codes give a maskige, and
the nearest colour its classes. Everything is deterministic: no call draws a number.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.method import Method
from bench.schema import IGNORE_INDEX, Batch, DataSpec
from methods._nn.colour import fill_void, nearest_scores, paint
from methods._nn.padding import pad_image, pad_label
from methods._nn.palettes import maximin
from methods._nn.quantize import VectorQuantizer
from methods._nn.tokenizer import ConvTokenizer
from methods.gss.backbone import TimmBackbone
from methods.gss.config import Config
from methods.gss.head import HeadOutput, PriorHead


class Prior(nn.Module):
    """The image encoder I_psi: an image to logits over the codes of its label map."""

    def __init__(self, config: Config, num_codes: int, num_classes: int) -> None:
        super().__init__()
        self.backbone = TimmBackbone(config.backbone)
        self.head = PriorHead(config.head, self.backbone.channels, num_codes, num_classes)

    def forward(self, image: Tensor, size: tuple[int, int]) -> HeadOutput:
        """Classify a token map of the size given, for images [B, 3, H, W] in [0, 1]."""
        output: HeadOutput = self.head(self.backbone(image), size)
        return output


class GSS(Method[Config]):
    """Generative Semantic Segmentation."""

    palette: Tensor  # float32 [K + 1, 3] in [0, 1], the last colour void's

    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        chosen = config.tokenizer
        self.tokenizer = ConvTokenizer(
            chosen.widths, chosen.blocks, VectorQuantizer(chosen.num_codes, chosen.code_dim)
        )
        self.prior = Prior(config, self.tokenizer.num_codes, data.num_classes)
        palette = torch.from_numpy(maximin(data.num_classes + 1) / 255).float()
        self.register_buffer("palette", palette, persistent=False)

    def forward(self, stage: str, batch: Batch) -> dict[str, Tensor]:
        if stage == "tokenizer":
            return self._tokenizer_losses(batch)
        return self._prior_losses(batch)

    def _tokenizer_losses(self, batch: Batch) -> dict[str, Tensor]:
        label = pad_label(batch.label, self.tokenizer.stride)
        target = paint(fill_void(label), self.palette)
        maskige, bottleneck = self.tokenizer.reconstruct(target, batch.seeds)
        scores = nearest_scores(maskige, self.palette[:-1]) / self.config.tokenizer.temperature
        return {
            "colour": F.mse_loss(maskige, target),
            "classes": _cross_entropy(scores, label),
            "codes": bottleneck,
        }

    def _prior_losses(self, batch: Batch) -> dict[str, Tensor]:
        image = pad_image(batch.image, self._multiple)
        label = pad_label(batch.label, self._multiple)
        output = self.prior(image, self._grid(image))
        losses = {}
        filled = label
        if output.pixels is not None:
            pixels = F.interpolate(
                output.pixels, label.shape[1:], mode="bilinear", align_corners=False
            )
            losses["pixels"] = self.config.pixel_weight * _cross_entropy(pixels, label)
            filled = torch.where(label == IGNORE_INDEX, pixels.argmax(1), label)
        codes = self._codes(filled)
        # A cell counts unless every one of its pixels is unlabelled.
        counted = F.max_pool2d(
            (label != IGNORE_INDEX).float(), self.tokenizer.stride // self.config.label_scale
        )
        codes = torch.where(counted > 0, codes, IGNORED_CODE)
        losses["tokens"] = self.config.token_weight * _cross_entropy(
            output.tokens, codes, IGNORED_CODE
        )
        return losses

    @property
    def _multiple(self) -> int:
        """What both sizes of an image must be multiples of, for backbone and tokens."""
        return max(self.prior.backbone.multiple, self.tokenizer.stride)

    def _grid(self, image: Tensor) -> tuple[int, int]:
        """Size of the token map of an image whose sizes are multiples."""
        step = self.tokenizer.stride // self.config.label_scale
        return image.shape[2] // step, image.shape[3] // step

    def _codes(self, label: Tensor) -> Tensor:
        """Encode int64 labels [B, H, W], both multiples of the stride, to codes [B, h, w].

        In full precision always: rounding flips codes of flat colours.
        """
        scale = self.config.label_scale
        label = fill_void(label).repeat_interleave(scale, 1).repeat_interleave(scale, 2)
        with torch.no_grad(), torch.autocast(label.device.type, enabled=False):
            return self.tokenizer.encode(paint(label, self.palette))

    def _scores(self, codes: Tensor) -> Tensor:
        """Decode int64 codes [B, h, w] to votes for classes, float32 [B, K, H, W]."""
        nearest = nearest_scores(self.tokenizer.decode(codes), self.palette[:-1]).argmax(1)
        votes = F.one_hot(nearest, self.data.num_classes).permute(0, 3, 1, 2).float()
        return F.avg_pool2d(votes, self.config.label_scale)

    def scores(self, image: Tensor, seeds: Tensor) -> Tensor:
        """Return one vote a pixel, as the released method does, not probabilities."""
        height, width = image.shape[2:]
        padded = pad_image(image, self._multiple)
        codes = self.prior(padded, self._grid(padded)).tokens.argmax(1)
        return self._scores(codes)[:, :, :height, :width]

    def predict(self, image: Tensor, seeds: Tensor) -> Tensor:
        return self.scores(image, seeds).argmax(1)

    def reconstruct(self, label: Tensor, seeds: Tensor) -> Tensor:
        height, width = label.shape[1:]
        codes = self._codes(pad_label(label, self._multiple))
        return self._scores(codes).argmax(1)[:, :height, :width]


IGNORED_CODE = -1
"""The target of a cell that the token loss leaves out."""


def _cross_entropy(logits: Tensor, target: Tensor, ignore: int = IGNORE_INDEX) -> Tensor:
    """Mean over the targets that count; zero, not 0 / 0, where none does."""
    total = F.cross_entropy(logits, target, ignore_index=ignore, reduction="sum")
    return total / (target != ignore).sum().clamp(min=1)
