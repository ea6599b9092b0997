"""A method whose predictions were made elsewhere: they are looked up by the images' ids."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from bench import DataSpec, Labelled, Method
from methods.predictions.config import Config


class StoredPredictions(Method[Config]):
    """Answers for the images that it was last told of."""

    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        self.predictions = config.predictions
        self.folder = ""
        self.ids: tuple[str, ...] = ()

    def for_images(self, folder: str, ids: Sequence[str]) -> StoredPredictions:
        bound = copy.copy(self)
        bound.folder, bound.ids = folder, tuple(ids)
        return bound

    def predict(self, image: Tensor, seeds: Tensor) -> Tensor:
        return self.predict_with_confidence(image, seeds).label

    def predict_with_confidence(self, image: Tensor, seeds: Tensor) -> Labelled:
        scores = self.logits(image, seeds)
        if scores is not None:
            return Labelled(scores.argmax(1), self.normalise(scores).amax(1))
        read = self.predictions.labels
        labels = [read(self.folder, name, self.data.classes) for name in self.ids]
        return Labelled(torch.from_numpy(np.stack(labels)).to(image.device), None)

    def logits(self, image: Tensor, seeds: Tensor) -> Tensor | None:
        if self.predictions.manifest.values == "labels":
            return None
        read = self.predictions.scores
        scores = [read(self.folder, name, self.data.classes) for name in self.ids]
        return torch.from_numpy(np.stack(scores)).to(image.device)
