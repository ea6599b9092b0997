"""Public segmentation models as transformers has them, behind their own processors.

Images go through the checkpoint's processor and its outputs through the library's
post-processing, so that labels are those of the library's own pipeline.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from bench import IGNORE_INDEX, Batch, DataSpec, Labelled, Method, Segmented, ensure_torchvision
from methods.hf.checkpoint import MASKS
from methods.hf.config import Config


class HuggingFace(Method[Config]):
    """A model of transformers; its outputs are put in the order of the data's classes."""

    order: Tensor  # int64 [K], the output that is each class
    classes: Tensor  # int64 [outputs], the class that each output is

    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        order = torch.tensor(config.order(data))
        ensure_torchvision()
        from methods.hf.network import load

        loaded = load(config, data)
        self.network: nn.Module = loaded.model
        self.processor, self.family = loaded.processor, loaded.family
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("classes", order.argsort(), persistent=False)

    def forward(self, stage: str, batch: Batch) -> dict[str, Tensor]:
        """Return the library's own loss, auxiliary heads included."""
        arguments = self._arguments(batch.image, resize=False)
        ignored = batch.label == IGNORE_INDEX
        label = self.order[batch.label.masked_fill(ignored, 0)].masked_fill(ignored, IGNORE_INDEX)
        if self.family in MASKS:
            arguments |= _mask_targets(label, arguments["pixel_values"].shape[2:])
        else:
            arguments["labels"] = label
        output = self.network(**arguments)
        if ignored.all():  # the library's means would be 0 / 0
            given = output.class_queries_logits if self.family in MASKS else output.logits
            return {"loss": given.sum() * 0}
        return {"loss": output.loss.squeeze()}

    def _arguments(self, image: Tensor, resize: bool, task: str = "semantic") -> dict[str, Any]:
        """Return what the processor makes of images: normalised pixels, and what goes with them.

        Images are given as the bytes they were, which is what processors expect.
        """
        pixels = list((255 * image).round().to(torch.uint8))
        kept = {} if resize else {"do_resize": False}
        if self.family == "oneformer":
            found = self.processor(pixels, [task] * len(pixels), return_tensors="pt", **kept)
        else:
            found = self.processor(images=pixels, return_tensors="pt", **kept)
        arguments = dict(found)
        return {
            key: value.to(image.device) if isinstance(value, Tensor) else value
            for key, value in arguments.items()
        }

    def _outputs(self, image: Tensor, task: str = "semantic") -> Any:
        return self.network(**self._arguments(image, self.config.resize == "processor", task))

    def logits(self, image: Tensor, seeds: Tensor) -> Tensor:
        """Return scores as the library's post-processing computes them, at the images' size.

        They are logits, or of mask classification the masks' class probabilities weighted by
        the masks' own.
        """
        return self._scores(image)[:, self.order]

    def normalise(self, scores: Tensor) -> Tensor:
        """Return the softmax of logits, or what scores of mask classification are in sum."""
        if self.family not in MASKS:
            return scores.softmax(1)
        # Where every mask says no, all classes are as likely.
        scores = scores.clamp(min=torch.finfo(scores.dtype).tiny)
        return scores / scores.sum(1, keepdim=True)

    def predict(self, image: Tensor, seeds: Tensor) -> Tensor:
        """Return the library's labels: of equal scores it takes the first of its own order."""
        return self.classes[torch.stack(self._post_processed(image))]

    def predict_with_confidence(self, image: Tensor, seeds: Tensor) -> Labelled:
        scores = self._scores(image)
        return Labelled(self.classes[scores.argmax(1)], self.normalise(scores).amax(1))

    def _scores(self, image: Tensor) -> Tensor:
        """Return scores in the library's order, float32 [B, outputs, H, W]."""
        found = self._post_processed(image, return_segmentation_scores=True)
        return torch.stack([each["segmentation_scores"] for each in found]).float()

    def _post_processed(self, image: Tensor, **settings: bool) -> list[Any]:
        found: list[Any] = self.processor.post_process_semantic_segmentation(
            self._outputs(image), target_sizes=_sizes(image), **settings
        )
        return found

    def segments(self, image: Tensor, seeds: Tensor) -> Segmented | None:
        """Return the library's panoptic segments, with its own thresholds.

        OneFormer is asked for them; the others give what they were trained for. An EoMT whose
        processor cuts images into patches is one for semantic segmentation and has none.
        """
        if self.family not in MASKS or getattr(self.processor, "do_split_image", False):
            return None
        outputs = self._outputs(image, "panoptic")
        found = self.processor.post_process_panoptic_segmentation(
            outputs, target_sizes=_sizes(image)
        )
        shape = (len(image), *image.shape[2:])
        label = image.new_full(shape, IGNORE_INDEX, dtype=torch.int64)
        instance = torch.zeros_like(label)
        score = image.new_zeros(shape)
        for row, each in enumerate(found):
            for number, segment in enumerate(each["segments_info"], start=1):
                inside = each["segmentation"].to(image.device) == segment["id"]
                label[row][inside] = self.classes[segment["label_id"]]
                instance[row][inside] = number
                score[row][inside] = segment["score"]
        return Segmented(label, instance, score)


def _sizes(image: Tensor) -> list[tuple[int, int]]:
    height, width = image.shape[2:]
    return [(height, width)] * len(image)


def _mask_targets(label: Tensor, size: torch.Size) -> dict[str, list[Tensor]]:
    """Return one mask for each class of an image, as semantic segmentation trains masks.

    Args:
        label: int64 [B, H, W].
        size: of the images after the processor, which may pad them below and beside.
    """
    padded = label.new_full((len(label), *size), IGNORE_INDEX)
    padded[:, : label.shape[1], : label.shape[2]] = label
    classes = [each[each != IGNORE_INDEX].unique() for each in padded]
    pairs = zip(padded, classes, strict=True)
    masks = [(each == present[:, None, None]).float() for each, present in pairs]
    return {"mask_labels": masks, "class_labels": classes}
