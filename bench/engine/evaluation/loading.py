"""The images of a job and their truths, micro-batch by micro-batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch

from bench.core import seeding
from bench.core.schema import CLEAN, Batch, Condition, LabelMapping, Task
from bench.corruptions import batched
from bench.data.split import Split
from bench.data.taxonomy import Projection
from bench.data.transforms import Loaded, to_tensors
from bench.data.workers import Workers


class EvaluationJob(NamedTuple):
    """What a trained method is evaluated on."""

    split: Split
    condition: Condition
    task: Task
    seed: int
    """The suite's seed: root of corruptions and of the method's draws."""
    sampling_seed: int = 0
    """Another set of the method's draws, the corruptions being the same."""
    mapping: LabelMapping = ""
    projection: Projection | None = None
    """How predictions become labels of the split, where it has not the method's classes."""
    geometries: tuple[str, ...] = ()
    """Where the same predictions are compared; the protocol's own place when none is given."""
    micro_batch: int = 0
    """Images of every forward pass; 0: as the protocol says."""
    sampled: bool = False
    """Whether predictions are kept at a few pixels, to be compared between sampling seeds."""


class MicroBatch(NamedTuple):
    """The images of a forward pass."""

    samples: list[Loaded]
    """In the split's order, with their truths."""
    batch: Batch
    """The same on the device, padded with the last one where they are fewer."""


class _TestImage(NamedTuple):
    """An image as a worker is asked for it."""

    image: int
    condition: Condition
    seed: int
    geometries: tuple[str, ...]


def _load(split: Split, request: _TestImage) -> Loaded:
    loaded = split.load(request.image, request.condition, request.seed)
    truths = tuple(split.truth(request.image, name) for name in request.geometries)
    return loaded._replace(truths=truths)


def rows_of(job: EvaluationJob) -> int:
    """Return how many images a forward pass has; of several sizes only one fits into it."""
    protocol = job.split.protocol
    return job.micro_batch or (protocol.micro_batch if protocol.resize else 1)


def micro_batches(images: int, rows: int) -> list[range]:
    """Divide so many images into what a method sees at a time; only the last may be short."""
    return [range(start, min(start + rows, images)) for start in range(0, images, rows)]


def load_batches(
    job: EvaluationJob,
    indices: Sequence[Sequence[int]],
    rows: int,
    device: torch.device,
    workers: Workers,
) -> Iterator[MicroBatch]:
    """Yield micro-batches, the next of which is made while one is in use if there are workers.

    Args:
        job: images, condition and seeds.
        indices: of the images of each micro-batch.
        rows: images that each is padded to.
        device: where batches go.
        workers: who loads the images.
    """
    return workers.one_ahead(_load_batches(job, indices, rows, device, workers))


def _load_batches(
    job: EvaluationJob,
    indices: Sequence[Sequence[int]],
    rows: int,
    device: torch.device,
    workers: Workers,
) -> Iterator[MicroBatch]:
    together = corrupts_batches(job, device)
    condition = CLEAN if together else _image_condition(job)
    geometries = job.geometries or (job.split.protocol.eval_at,)
    requests = (
        _TestImage(index, condition, job.seed, geometries) for batch in indices for index in batch
    )
    images = workers.map(_load, job.split, requests, rows)
    for batch in indices:
        samples = [next(images) for _ in batch]
        if together:
            samples = _corrupted(samples, job, device)
        padded = samples + samples[-1:] * (rows - len(samples))
        yield MicroBatch(samples, to_tensors(padded, seeds_of(job, padded), device))


def corrupts_batches(job: EvaluationJob, device: torch.device) -> bool:
    """Whether an accelerator corrupts micro-batches, instead of whoever loads their images."""
    protocol, condition = job.split.protocol, _image_condition(job)
    wanted = condition != CLEAN and (protocol.backend, protocol.corrupt_at) == ("torch", "input")
    return wanted and device.type != "cpu" and batched.covers(condition.corruption)


def _corrupted(samples: list[Loaded], job: EvaluationJob, device: torch.device) -> list[Loaded]:
    """Corrupt images of one size as a batch on a device."""
    images = torch.from_numpy(np.stack([sample.image for sample in samples])).to(device)
    keys = [job.split.corruption_key(s.id, job.condition, job.seed) for s in samples]
    corruption, severity = job.condition.corruption, job.condition.severity
    out = batched.corrupt_batch(images, corruption, severity, torch.tensor(keys, device=device))
    return [
        sample._replace(image=image)
        for sample, image in zip(samples, out.cpu().numpy(), strict=True)
    ]


def whole_split(job: EvaluationJob, device: torch.device) -> Iterator[Batch]:
    """Yield every image of a split in micro-batches, the last as short as it is."""
    for indices in micro_batches(len(job.split), rows_of(job)):
        samples = [job.split.load(i, _image_condition(job), job.seed) for i in indices]
        yield to_tensors(samples, seeds_of(job, samples), device)


def _image_condition(job: EvaluationJob) -> Condition:
    """Return what images are under; what is reconstructed has no image to corrupt."""
    return job.condition if job.task == "predict" else CLEAN


def seeds_of(job: EvaluationJob, samples: Iterable[Loaded]) -> list[int]:
    """Return the root of a method's draws for each image."""
    where = (job.seed, str(job.split.reference), str(job.condition))
    further = (job.sampling_seed,) if job.sampling_seed else ()
    return [seeding.key("predict", *where, sample.id, *further) for sample in samples]
