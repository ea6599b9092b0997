"""Discriminative networks: an image encoder and a decode head, cross-entropy per pixel.

NonLocal, CCNet, DANet, HRNet, OCRNet and SETR, which no library that is used here has; and
mmsegmentation's FCN, which is what two of them are without their attention. torchvision's FCN
(``methods/torchvision_models``) has another head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench import Batch, DataSpec, Method
from methods._nn.backbone import make_backbone
from methods._nn.loss import cross_entropy
from methods._nn.padding import pad_image, pad_label
from methods.decode_heads.attention import (
    ContextHead,
    CrissCrossAttention,
    DualAttentionHead,
    NonLocalAttention,
)
from methods.decode_heads.config import Config
from methods.decode_heads.domains import ccsa_loss, mgda_loss
from methods.decode_heads.high_resolution import HighResolutionHead, ObjectContextHead
from methods.decode_heads.layers import DecodeHead
from methods.decode_heads.setr import AggregationHead, UpsamplingHead


class EncoderDecoder(nn.Module):
    """Images [B, 3, H, W] in [0, 1] to maps of logits by name."""

    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__()
        pretrained = config.backbone.pretrained and not config.weights
        self.backbone = make_backbone(config.backbone, config.blocks, data.size, pretrained)
        self.head = make_head(config, self.backbone.channels, data.num_classes)

    def forward(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Return maps of logits, and the features of the last level."""
        levels = self.backbone(image)
        logits: dict[str, Tensor] = self.head(levels)
        return logits, levels[-1]


class DecodeHeads(Method[Config]):
    """A head of :data:`methods.decode_heads.config.Head` on an encoder of timm."""

    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        self.network = EncoderDecoder(config, data)

    def forward(self, stage: str, batch: Batch) -> dict[str, Tensor]:
        """Return the cross-entropy of every map of logits; of ``mgda``, their weighted sum."""
        maps, features = self._maps(batch.image)
        if self.config.domains == "mgda" and batch.domain is not None:
            of_sets = []
            for number in sorted(set(batch.domain.tolist())):
                parts = self._losses(maps, batch.label, batch.domain == number)
                of_sets.append(torch.stack(list(parts.values())).sum())
            return {"domains": mgda_loss(of_sets, list(self.network.parameters()))}
        losses = self._losses(maps, batch.label)
        if self.config.domains == "ccsa" and batch.domain is not None:
            share = self.config.contrast_weight
            losses = {name: (1 - share) * loss for name, loss in losses.items()}
            label = pad_label(batch.label, self.network.backbone.multiple)
            across = ccsa_loss(features, label, batch.domain, batch.seeds)
            losses["across"] = share * across
        return losses

    def _losses(
        self, maps: Mapping[str, Tensor], label: Tensor, rows: Tensor | slice = slice(None)
    ) -> dict[str, Tensor]:
        """Return the weighted cross-entropy of every map of logits, of some of the images."""
        weights = self.network.head.weights
        return {n: weights[n] * cross_entropy(x[rows], label[rows]) for n, x in maps.items()}

    def logits(self, image: Tensor, seeds: Tensor) -> Tensor:
        return self._maps(image)[0]["prediction"]

    def _maps(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Return maps of logits at the size of the image, which the encoder sees padded.

        Beside them are the features of the padded image, of the encoder's last level.
        """
        padded = pad_image(image, self.network.backbone.multiple)
        maps, features = self.network(padded)
        height, width = image.shape[2:]
        resized = {
            name: F.interpolate(
                logits.float(), padded.shape[2:], mode="bilinear", align_corners=False
            )[:, :, :height, :width]
            for name, logits in maps.items()
        }
        return resized, features


def make_head(config: Config, channels: Sequence[int], num_classes: int) -> DecodeHead:
    """Make the head that a configuration names, for levels of so many channels."""
    width, weight, dropout = config.width, config.auxiliary_weight, config.dropout
    auxiliary = (config.auxiliary_width, weight)
    match config.head:
        case "fcn" | "nonlocal":
            attention: nn.Module = nn.Identity()
            if config.head == "nonlocal":
                attention = NonLocalAttention(width)
            return ContextHead(channels, width, attention, 1, num_classes, auxiliary, dropout)
        case "ccnet":
            attention, often = CrissCrossAttention(width), config.recurrence
            return ContextHead(channels, width, attention, often, num_classes, auxiliary, dropout)
        case "danet":
            return DualAttentionHead(channels, width, num_classes, auxiliary, dropout)
        case "hrnet":
            return HighResolutionHead(channels, num_classes, dropout)
        case "ocr":
            return ObjectContextHead(channels, width, num_classes, weight, dropout)
        case "setr_mla":
            return AggregationHead(channels, width, num_classes, weight, dropout)
    progressive = config.head == "setr_pup"
    return UpsamplingHead(channels, width, progressive, num_classes, weight, dropout)
