"""UViM for semantic segmentation (Kolesnikov et al., arXiv:2205.10337).

The paper has panoptic labels, depth and colour, at 512 x 512; here labels have classes alone,
and images any size that is padded to the codes' stride. GSS (arXiv:2303.11316, tables 2, 4
and 5) compares with a repetition of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from bench import Batch, DataSpec, Method
from methods._nn.backbone import make_backbone
from methods._nn.loss import cross_entropy
from methods._nn.padding import pad_image, pad_label
from methods._nn.precision import full_precision
from methods._nn.rate import CodeCounter
from methods.uvim.config import Config
from methods.uvim.guiding import BaseModel, Oracle, hide_codes
from methods.uvim.predictor import Autoregressive, CodeModel, Grid, OnePass


class UViM(Method[Config]):
    """Oracle and base model, and a predictor in the oracle's place."""

    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        guiding, stride = config.guiding, config.guiding.stride
        settings = config.predictor
        size = (data.size[0] + -data.size[0] % stride, data.size[1] + -data.size[1] % stride)
        self.oracle = Oracle(guiding, data.num_classes, size)
        self.base = BaseModel(guiding, data.num_classes, size)
        pretrained = settings.backbone.pretrained and "predictor" not in config.weights
        backbone = make_backbone(settings.backbone, settings.blocks, size, pretrained)
        self.predictor: CodeModel
        if settings.kind == "one_pass":
            self.predictor = OnePass(settings, backbone, guiding.num_codes)
        else:
            grid = (size[0] // stride, size[1] // stride)
            self.predictor = Autoregressive(settings, backbone, guiding.num_codes, size, grid)
        self.multiple = math.lcm(stride, backbone.multiple)

    def forward(self, stage: str, batch: Batch) -> dict[str, Tensor]:
        image, label = self._padded(batch.image, batch.label)
        if stage == "guiding":
            return {"classes": cross_entropy(self._guided(image, label, batch.seeds), label)}
        if stage == "predictor":
            codes = self._encode(image, label)
            return {"codes": cross_entropy(self.predictor(image, codes), codes, ignore=-1)}
        return super().forward(stage, batch)

    def _guided(self, image: Tensor, label: Tensor, seeds: Tensor) -> Tensor:
        """Return logits as stage I trains them.

        Gradients pass the codes straight through; there is no commitment loss, as released.
        """
        latent = self.oracle(label, image)
        book = self.oracle.codebook
        with full_precision(latent):
            codes = book.nearest(latent.detach())
            guide = latent + (book.lookup(codes) - latent).detach()
            if book.training:
                book.learn(latent.detach(), codes, seeds)
        if self.config.guiding.code_dropout:
            guide = hide_codes(guide, seeds)
        logits: Tensor = self.base(image, guide)
        return logits

    def logits(self, image: Tensor, seeds: Tensor) -> Tensor:
        padded = pad_image(image, self.multiple)
        return self._decode(padded, self._predict(padded, seeds), image)

    def reconstruct(self, label: Tensor, seeds: Tensor) -> Tensor:
        """Do without the image: both models are shown a grey one."""
        grey = torch.full((len(label), 3, *label.shape[1:]), 0.5, device=label.device)
        return self.reconstruct_with(grey, label, seeds)

    def reconstruct_with(self, image: Tensor, label: Tensor, seeds: Tensor) -> Tensor:
        padded = self._padded(image, label)
        return self._decode(padded[0], self._encode(*padded), image).argmax(1)

    def oracle_codes(self, image: Tensor, label: Tensor, seeds: Tensor) -> Tensor:
        padded = self._padded(image, label)
        truth, predicted = self._encode(*padded), self._predict(padded[0], seeds)
        vectors = self.oracle.codebook.vectors()
        replaced = []
        for codes, true in zip(predicted, truth, strict=True):
            candidates = true.unique()
            likeness = vectors[codes.flatten()] @ vectors[candidates].t()
            replaced.append(candidates[likeness.argmax(1)].view_as(codes))
        return self._decode(padded[0], torch.stack(replaced), image).argmax(1)

    def measure(self, batches: Iterable[Batch]) -> dict[str, float]:
        counter = CodeCounter([self.config.guiding.num_codes])
        for batch in batches:
            codes = self._encode(*self._padded(batch.image, batch.label))
            counter.add([codes], batch.label.numel())
        return {"stride": self.config.guiding.stride, **counter.measured()}

    def _padded(self, image: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        return pad_image(image, self.multiple), pad_label(label, self.multiple)

    def _predict(self, image: Tensor, seeds: Tensor) -> Tensor:
        stride = self.config.guiding.stride
        grid: Grid = (image.shape[2] // stride, image.shape[3] // stride)
        return self.predictor.draw(image, grid, seeds)

    @torch.no_grad()
    def _encode(self, image: Tensor, label: Tensor) -> Tensor:
        """Return the oracle's codes, int64 [B, h, w]; in full precision, as rounding moves them."""
        with full_precision(image):
            return self.oracle.codes(label, image)

    def _decode(self, padded: Tensor, codes: Tensor, image: Tensor) -> Tensor:
        """Return logits of the size of an image from the codes of its padded copy."""
        logits: Tensor = self.base(padded, self.oracle.codebook.lookup(codes))
        return logits[:, :, : image.shape[2], : image.shape[3]]
