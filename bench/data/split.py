"""A split of a dataset under a protocol: samples resized, corrupted, and cached in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench import corruptions
from bench.core import seeding
from bench.core.schema import CLEAN, Condition, Protocol
from bench.data.dataset import Dataset, Sample
from bench.data.transforms import Loaded, Truth, resize_image, resize_label
from bench.score.geometry import load_geometry

if TYPE_CHECKING:
    from bench.core.schema import DataRef

CACHE_BYTES = 2**30
"""Decoded samples kept in memory; most sets of small suites fit whole."""


class Split:
    """A split of a dataset under a protocol; decoded samples are kept in memory."""

    def __init__(
        self,
        dataset: Dataset,
        reference: DataRef,
        protocol: Protocol,
        limit: int | None = None,
        start: int = 0,
    ) -> None:
        """Take the images from ``start`` to before ``limit``."""
        self.dataset = dataset
        self.reference = reference
        self.protocol = protocol
        self.start = start
        self.ids = dataset.ids()[start:limit]
        self.clusters = tuple(dataset.cluster(start + at) for at in range(len(self.ids)))
        self._samples: dict[int, Sample] = {}
        self._room = CACHE_BYTES

    def __len__(self) -> int:
        return len(self.ids)

    def preload(self) -> None:
        """Read what fits in memory, so that damaged files are found before any training.

        Raises:
            DatasetError: for the first sample that cannot be used.
        """
        for index in range(len(self)):
            self.sample(index)
            if self._room < 0:
                return

    def sample(self, index: int) -> Sample:
        """Return a sample at its own size.

        Raises:
            DatasetError: if its files are damaged or contradict each other.
        """
        if index in self._samples:
            return self._samples[index]
        sample = self.dataset[self.start + index]
        if self._room >= 0:
            held = (sample.image, sample.label, sample.instance, sample.depth)
            self._room -= sum(array.nbytes for array in held if array is not None)
            self._samples[index] = sample
        return sample

    def load(
        self,
        index: int,
        condition: Condition = CLEAN,
        seed: int = 0,
        geometries: Sequence[str] = (),
    ) -> Loaded:
        """Return an image under a condition, resized as the protocol says.

        Args:
            index: of the sample.
            condition: the corruption of the image.
            seed: the suite's seed, root of the corruption's draws.
            geometries: where predictions are compared, each with its own form of the truth;
                the protocol's own when none is given.
        """
        sample = self.sample(index)
        image, label = sample.image, sample.label
        native = self.protocol.corrupt_at == "native"
        if native:
            image = self._corrupt(image, sample, condition, seed)
        size = self.protocol.size_of(*label.shape)
        image, label = resize_image(image, size), resize_label(label, size)
        if not native:
            image = self._corrupt(image, sample, condition, seed)
        names = geometries or [self.protocol.eval_at]
        truths = [self._truth(sample, label, name) for name in names]
        return Loaded(sample.id, image, label, tuple(truths))

    def _truth(self, sample: Sample, label: np.ndarray, name: str) -> Truth:
        geometry = load_geometry(name)
        truth = geometry.truth(sample.label, label, self.dataset.label_space.palette)
        if sample.instance is None or not geometry.KEEPS_INSTANCES:
            return Truth(truth)
        return Truth(truth, resize_label(sample.instance, truth.shape))

    def _corrupt(
        self, image: np.ndarray, sample: Sample, condition: Condition, seed: int
    ) -> np.ndarray:
        if condition == CLEAN:
            return image
        depth = None if sample.depth is None else resize_label(sample.depth, image.shape[:2])
        return corruptions.corrupt(
            image,
            condition.corruption,
            condition.severity,
            seeding.key("corruption", seed, str(self.reference), sample.id, condition.corruption),
            depth=depth,
            backend=self.protocol.backend,
        )
