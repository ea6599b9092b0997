"""Predictions in a universal label space to labels of a test set, both published ways.

*soft* sums the probabilities of the universal classes that a class is made of, and takes
the largest sum (MSeg: mseg-api, ``mseg/taxonomy/taxonomy_converter.py``,
``transform_predictions_test``). *hard* takes the likeliest universal class first, and maps
it (GSS: ``mmseg/models/segmentors/multi_domain_encoder_decoder.py``, ``simple_test``). There
a universal class without a target becomes a vector of zeros, whose arg-max is class 0:
such pixels are counted.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from bench.core.schema import IGNORE_INDEX
from bench.data.taxonomy import UNMAPPED, Projection


class Mapped(NamedTuple):
    """Labels of a test set, and where they say nothing of the prediction."""

    label: Tensor  # int64 [B, H, W], classes of the test set or IGNORE_INDEX
    unmapped: Tensor  # bool [B, H, W], class 0 because nothing was mapped
    confidence: Tensor | None = None
    """float32 [B, H, W], probability of the label; None where there are no probabilities."""


def soft_masses(probabilities: Tensor, projection: Projection) -> Tensor:
    """Sum float32 [B, U, H, W] over the members of each class, float32 [B, K, H, W]."""
    matrix = torch.from_numpy(projection.matrix).to(probabilities)
    return torch.einsum("ku,buhw->bkhw", matrix, probabilities)


def map_masses(masses: Tensor) -> Mapped:
    """Label by the largest mass, float32 [B, K, H, W]; if all are zero that is class 0."""
    largest, label = masses.max(dim=1)
    return Mapped(label, largest == 0, largest)


def map_hard(label: Tensor, projection: Projection) -> Mapped:
    """Map the label of each pixel; one without a target falls to class 0, as GSS has it.

    Args:
        label: int64 [B, H, W], universal classes or IGNORE_INDEX, which stays.
        projection: to the test set.

    Raises:
        ValueError: if a label is neither.
    """
    void = label == IGNORE_INDEX
    if wrong := label[((label < 0) | (label >= len(projection.target))) & ~void].tolist():
        message = f"prediction holds {sorted(set(wrong))[:5]}"
        raise ValueError(f"{message}; classes are 0..{len(projection.target) - 1}")
    target = torch.from_numpy(projection.target).to(label.device)[label.masked_fill(void, 0)]
    unmapped = (target == UNMAPPED) & ~void
    return Mapped(target.masked_fill(unmapped, 0).masked_fill(void, IGNORE_INDEX), unmapped)
