"""From images to labels: whole or by windows, in the label space of the test set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from bench.core import seeding
from bench.core.method import Labelled, Method
from bench.core.schema import Batch, LabelMapping, Slide
from bench.data.taxonomy import Projection
from bench.engine.evaluation.mapping import Mapped, map_hard, map_masses, soft_masses

Scores = Callable[[Tensor, Tensor], Tensor]
"""From images and seeds to float32 [B, C, H, W]."""


def infer(
    method: Method[Any],
    batch: Batch,
    slide: Slide | None = None,
    mapping: LabelMapping = "",
    projection: Projection | None = None,
) -> Mapped:
    """Label a batch.

    Soft masses are summed over windows after the mapping, as MSeg does; votes and scores
    before it, as GSS does.

    Args:
        method: with all weights loaded.
        batch: images, and labels of their size.
        slide: windows, or None for whole images.
        mapping: of universal classes to the test set's, or empty where they are the same.
        projection: what is mapped to what, if anything is.

    Raises:
        ValueError: if the method returns labels of a wrong size, type or value.
    """
    if mapping == "soft":
        assert projection is not None, "a cell that is mapped has a projection"

        def masses(image: Tensor, seeds: Tensor) -> Tensor:
            return soft_masses(method.probabilities(image, seeds), projection)

        classes = len(projection.space.classes)
        if slide is None:
            return map_masses(masses(batch.image, batch.seeds))
        mapped = map_masses(slide_sum(masses, classes, batch, slide))
        assert mapped.confidence is not None
        return mapped._replace(confidence=mapped.confidence / coverage(batch, slide))
    if slide is not None:
        label, confidence = slide_labels(method, batch, slide)
    else:
        label, confidence = method.predict_with_confidence(batch.image, batch.seeds)
    check_labels(method, label, batch)
    if projection is None:
        return Mapped(label, torch.zeros_like(label, dtype=torch.bool), confidence)
    return map_hard(label, projection)


def slide_labels(method: Method[Any], batch: Batch, slide: Slide) -> Labelled:
    """Label images by windows, as mmsegmentation's ``slide_inference`` places them.

    Scores are averaged where the method has them and the protocol does not say otherwise,
    else one-hot votes (ties to the lowest class), which is what GSS-FF does; votes have no
    probabilities.
    """
    classes = method.data.num_classes

    def votes(image: Tensor, seeds: Tensor) -> Tensor:
        scores = method.logits(image, seeds) if slide.average == "scores" else None
        if scores is not None:
            return scores
        # A void pixel votes for nothing.
        labels = method.predict(image, seeds).clamp(max=classes)
        return functional.one_hot(labels, classes + 1)[..., :classes].movedim(-1, 1).float()

    total = slide_sum(votes, classes, batch, slide)
    if slide.average == "votes" or not method.config.gives_probabilities:
        return Labelled(total.argmax(dim=1), None)
    average = method.normalise(total / coverage(batch, slide))
    return Labelled(total.argmax(dim=1), average.amax(dim=1))


def coverage(batch: Batch, slide: Slide) -> Tensor:
    """Count the windows that each pixel is in, float32 [H, W]."""

    def one(image: Tensor, seeds: Tensor) -> Tensor:
        return image.new_ones(1, 1, *image.shape[-2:])

    single = batch._replace(image=batch.image[:1], seeds=batch.seeds[:1])
    return slide_sum(one, 1, single, slide)[0, 0]


def slide_sum(scores: Scores, channels: int, batch: Batch, slide: Slide) -> Tensor:
    """Sum scores over windows, float32 [B, channels, H, W].

    Windows overlap; the last of a row or column is moved back to end at the border. Images
    smaller than a window are padded with zeros. Every window has seeds of its own.
    """
    height, width = batch.image.shape[-2:]
    grow = [max(0, w - have) for w, have in zip(slide.window, (height, width), strict=True)]
    image = functional.pad(batch.image, (0, grow[1], 0, grow[0]))
    total = torch.zeros(len(image), channels, *image.shape[-2:], device=image.device)
    places = [
        window_starts(size, window, stride)
        for size, window, stride in zip(image.shape[-2:], slide.window, slide.stride, strict=True)
    ]
    for top in places[0]:
        for left in places[1]:
            area = (..., slice(top, top + slide.window[0]), slice(left, left + slide.window[1]))
            seeds = seeding.derive(batch.seeds, "window", top, left)
            total[area] += scores(image[area], seeds)
    return total[..., :height, :width]


def window_starts(size: int, window: int, stride: int) -> list[int]:
    """Return where windows begin, so that they cover the side and none leaves it."""
    return sorted({min(start, size - window) for start in range(0, size, stride)})


def check_labels(method: Method[Any], label: Tensor, batch: Batch) -> None:
    """Refuse labels of another size or type than the batch's.

    Raises:
        ValueError: saying what was returned, and what is expected.
    """
    if label.shape != batch.label.shape or label.dtype != torch.int64:
        expected = f"int64 {tuple(batch.label.shape)}"
        got = f"{label.dtype} {tuple(label.shape)}"
        raise ValueError(f"{type(method).__name__} returned {got}; {expected} is expected")
