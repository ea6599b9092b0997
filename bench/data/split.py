"""A split of a dataset under a protocol: samples resized, corrupted, and cached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bench import corruptions
from bench.core import seeding
from bench.core.schema import CLEAN, Condition, Protocol, fingerprint
from bench.core.source import harness_digest
from bench.data.dataset import Dataset, Sample
from bench.data.transforms import Loaded, Truth, resize_image, resize_label
from bench.score.geometry import load_geometry
from bench.score.prepared import PreparedTruth, prepare_truth

if TYPE_CHECKING:
    from bench.core.schema import DataRef
    from bench.data.files.array_cache import ArrayCache

CACHE_BYTES = 2**30
"""Decoded samples kept in memory; most sets of small suites fit whole."""


AFTER_LOADING = (
    *("metrics", "eval_at", "segments", "slide", "micro_batch", "crop"),
    *("precision", "compile", "channels_last"),
)
"""Fields of a protocol that change no image and no truth at a given geometry."""


class Split:
    """A split of a dataset under a protocol; decoded samples are kept in memory."""

    def __init__(
        self,
        dataset: Dataset,
        reference: DataRef,
        protocol: Protocol,
        limit: int | None = None,
        start: int = 0,
        cache: ArrayCache | None = None,
    ) -> None:
        """Take the images from ``start`` to before ``limit``.

        Args:
            dataset: the whole split.
            reference: its name, by which draws are keyed.
            protocol: its sizes and who corrupts.
            limit: number of the first image left out.
            start: number of the first image.
            cache: where corrupted images and prepared truths are kept; None: they are made anew.
        """
        self.dataset = dataset
        self.reference = reference
        self.protocol = protocol
        self.start = start
        self.cache = cache
        self.ids = dataset.ids()[start:limit]
        self.clusters = tuple(dataset.cluster(start + at) for at in range(len(self.ids)))
        self._samples: dict[int, Sample] = {}
        self.room = CACHE_BYTES
        """Bytes left for further samples."""
        self._made_of = "" if cache is None else self._everything()

    def __len__(self) -> int:
        return len(self.ids)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_samples": {}}

    def preload(self) -> None:
        """Read what fits in memory, so that damaged files are found before any training.

        Raises:
            DatasetError: for the first sample that cannot be used.
        """
        for index in range(len(self)):
            self.sample(index)
            if self.room < 0:
                return

    def sample(self, index: int) -> Sample:
        """Return a sample at its own size.

        Raises:
            DatasetError: if its files are damaged or contradict each other.
        """
        if index in self._samples:
            return self._samples[index]
        sample = self.dataset[self.start + index]
        if self.room >= 0:
            held = (sample.image, sample.label, sample.instance, sample.depth)
            self.room -= sum(array.nbytes for array in held if array is not None)
            self._samples[index] = sample
        return sample

    def domain(self, index: int) -> int:
        """Number of the data set that a sample is of, where several are mixed."""
        return self.dataset.domain(self.start + index)

    def load(self, index: int, condition: Condition = CLEAN, seed: int = 0) -> Loaded:
        """Return an image under a condition, resized as the protocol says.

        Args:
            index: of the sample.
            condition: the corruption of the image.
            seed: the suite's seed, root of the corruption's draws.
        """
        if condition == CLEAN or self.cache is None:
            return self._load(index, condition, seed)
        key = self._key("image", index, condition, seed)
        if (kept := self.cache.get(key)) is not None:
            return Loaded(self.ids[index], kept["image"], kept["label"])
        loaded = self._load(index, condition, seed)
        self.cache.put(key, {"image": loaded.image, "label": loaded.label})
        return loaded

    def training_image(self, index: int) -> Loaded:
        """Return a clean image with its instances, where the dataset has any."""
        sample = self.sample(index)
        size = self.protocol.size_of(*sample.label.shape)
        own = sample.instance
        return Loaded(
            sample.id,
            resize_image(sample.image, size),
            resize_label(sample.label, size),
            instance=None if own is None else resize_label(own.astype(np.int32), size),
        )

    def truth(self, index: int, geometry: str) -> Truth:
        """Return what predictions for an image are compared with.

        Args:
            index: of the sample.
            geometry: where they are compared, a file of ``bench.score.geometry``.
        """
        if self.cache is None:
            return self._truth(index, geometry)
        key = self._key("truth", index, geometry)
        if (kept := self.cache.get(key)) is not None:
            truth, instance = kept.pop("truth"), kept.pop("instance", None)
            return Truth(truth, instance, PreparedTruth.of_arrays(kept))
        made = self._truth(index, geometry)
        arrays = {"truth": made.label, **made.prepared.arrays()}
        if made.instance is not None:
            arrays["instance"] = made.instance
        self.cache.put(key, arrays)
        return made

    def _load(self, index: int, condition: Condition, seed: int) -> Loaded:
        sample = self.sample(index)
        image, native = sample.image, self.protocol.corrupt_at == "native"
        if native:
            image = self._corrupt(image, sample, condition, seed)
        size = self.protocol.size_of(*sample.label.shape)
        image = resize_image(image, size)
        if not native:
            image = self._corrupt(image, sample, condition, seed)
        return Loaded(sample.id, image, resize_label(sample.label, size))

    def _truth(self, index: int, geometry: str) -> Truth:
        sample = self.sample(index)
        rules = load_geometry(geometry)
        resized = resize_label(sample.label, self.protocol.size_of(*sample.label.shape))
        space = self.dataset.label_space
        label = rules.truth(sample.label, resized, space.palette)
        instance = None
        if sample.instance is not None and rules.KEEPS_INSTANCES:
            instance = resize_label(sample.instance, label.shape)
        return Truth(label, instance, prepare_truth(label, len(space.classes), instance))

    def _everything(self) -> str:
        """Hash all that every image depends on, the code that makes it included."""
        made = self.protocol.model_dump(mode="json", exclude=set(AFTER_LOADING))
        return fingerprint(self.dataset.fingerprint(), self.reference, made, harness_digest())

    def _key(self, what: str, index: int, *further: object) -> str:
        return fingerprint(what, self._made_of, self.start + index, *further)

    def corruption_key(self, name: str, condition: Condition, seed: int) -> int:
        """Return the key of an image's draws: that of all severities, which nest.

        Args:
            name: of the image.
            condition: of which the severity does not count.
            seed: the suite's.
        """
        return seeding.key("corruption", seed, str(self.reference), name, condition.corruption)

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
            self.corruption_key(sample.id, condition, seed),
            depth=depth,
            backend=self.protocol.backend,
            reference_height=self.protocol.reference_height,
        )
