"""The most frequent class at each pixel position."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench import IGNORE_INDEX, Batch, DataSpec, Method
from methods.position_prior.config import Config


class FrequencyTable(nn.Module):
    """How often each class was seen at each position."""

    frequency: Tensor  # float32 [K, H, W], sums to one over the classes

    def __init__(self, num_classes: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.register_buffer("frequency", torch.full((num_classes, *size), 1 / num_classes))


class PositionPrior(Method[Config]):
    """Predict the same label map for every image."""

    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        self.table = FrequencyTable(data.num_classes, data.size)

    def fit(self, stage: str, batches: Iterable[Batch]) -> None:
        """Count the classes at each position; ignored pixels count for none.

        Labels of another size than the data promise are resized by nearest neighbour. A
        position that is never labelled takes the frequencies of the whole set.

        Raises:
            ValueError: if no pixel is labelled.
        """
        counts = torch.zeros_like(self.table.frequency, dtype=torch.int64)
        for batch in batches:
            label = _resize(batch.label[:, None].float(), self.data.size)[:, 0]
            for k in range(self.data.num_classes):
                counts[k] += (label == k).sum(0)
        if not counts.any():
            raise ValueError(f"no pixel is labelled: every label is {IGNORE_INDEX}")
        overall = counts.sum((1, 2), keepdim=True).expand_as(counts)
        counts = torch.where(counts.any(0), counts, overall)
        self.table.frequency.copy_(counts / counts.sum(0))

    def logits(self, image: Tensor, seeds: Tensor) -> Tensor:
        """Return the frequencies, resized to the image by nearest neighbour if need be."""
        frequency = _resize(self.table.frequency[None], image.shape[2:])
        return frequency.expand(len(image), -1, -1, -1)

    def normalise(self, scores: Tensor) -> Tensor:
        """Return the scores, for frequencies are probabilities."""
        return scores


def _resize(values: Tensor, size: Sequence[int]) -> Tensor:
    """Resize float32 [B, C, H, W] by nearest neighbour, pixel centres aligned."""
    if values.shape[2:] == torch.Size(size):
        return values
    return F.interpolate(values, list(size), mode="nearest-exact")
