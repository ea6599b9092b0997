"""A split under a protocol and a condition -> counts per image.

Kernels are not batch-invariant: the same image can get other logits beside other
images, or in a batch of another size. So a method always sees micro-batches of one fixed
shape, the last one padded, whose composition follows from the split's order alone; the
loader's batch size, the number of processes and resumption change nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from bench.core import seeding
from bench.core.method import Method
from bench.core.schema import CLEAN, Batch, Condition, LabelMapping, Protocol, Task
from bench.corruptions import latents as perturbations
from bench.data.split import Split
from bench.data.taxonomy import Projection
from bench.data.transforms import Loaded, Truth, resize_label, to_tensors
from bench.engine.inference import check_labels, infer
from bench.engine.mapping import Mapped
from bench.engine.progress import Progress
from bench.score.counts import Counts, ImageCounts, count_all, stack_counts
from bench.score.segments import (
    SegmentCounts,
    Segments,
    add_segments,
    connected,
    count_segments,
    things_of,
)
from bench.store.cells import Preview

MICRO_BATCH = 8
"""Rows of every forward pass at evaluation, where images share one size."""
PREVIEWS = 4
"""Images of a cell that are kept to be looked at."""


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


class Evaluation(NamedTuple):
    """What a job comes to."""

    counts: Counts
    preview: Preview


class _Scored(NamedTuple):
    """One image's outcome, small enough to travel between processes."""

    place: int  # in the split
    counts: tuple[ImageCounts, ...]  # one for each way of scoring
    segments: tuple[SegmentCounts, ...]  # likewise; none where the protocol has no segments
    sample: Loaded | None  # only of the images kept as a preview
    prediction: np.ndarray  # uint8 [h, w], of those images; empty otherwise


class _Answer(NamedTuple):
    """What a method says of one image."""

    label: np.ndarray  # uint8 [h, w]
    unmapped: np.ndarray  # bool [h, w], where no mapping reached
    instance: np.ndarray | None = None  # integers [h, w]; None where it tells no instances
    score: np.ndarray | None = None  # float [h, w], confidence, beside the instances


class _Images(Dataset[Loaded]):
    """The images of some indices under a job's condition, for a loader."""

    def __init__(self, job: EvaluationJob, indices: Sequence[int]) -> None:
        self.job, self.indices = job, indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, position: int) -> Loaded:
        return _load(self.job, self.indices[position])


def _load(job: EvaluationJob, index: int) -> Loaded:
    """Return an image under a job's condition; what is reconstructed has no image to corrupt."""
    condition = job.condition if job.task == "predict" else CLEAN
    return job.split.load(index, condition, job.seed, job.geometries)


def _rows(protocol: Protocol) -> int:
    return MICRO_BATCH if protocol.resize else 1


def micro_batches(images: int, protocol: Protocol) -> list[range]:
    """Divide so many images into what a method sees at a time; only the last may be short."""
    rows = _rows(protocol)
    return [range(start, min(start + rows, images)) for start in range(0, images, rows)]


def evaluate(
    method: Method[Any], job: EvaluationJob, accelerator: Accelerator, progress: Progress
) -> tuple[Evaluation, ...]:
    """Evaluate a trained method on a split under a condition, once for each way of scoring.

    Args:
        method: with all weights loaded.
        job: images, condition, task and seed.
        accelerator: the process's device and peers; micro-batches are shared out.
        progress: told the number of images done.

    Raises:
        DatasetError: if a sample cannot be read.
        ValueError: if the method returns labels of a wrong size, type or value.
    """
    method.to(accelerator.device).eval()
    split = job.split
    rows = _rows(split.protocol)
    batches = micro_batches(len(split), split.protocol)
    mine = batches[accelerator.process_index :: accelerator.num_processes]
    indices = [index for batch in mine for index in batch]
    images = _Images(job, indices)
    loader = DataLoader(images, batch_size=split.protocol.batch_size, collate_fn=list)
    classes = job.projection.space.classes if job.projection else method.data.classes
    progress.begin("evaluating", len(indices))
    scored: list[_Scored] = []
    with torch.inference_mode():
        for samples in _regroup(loader, rows):
            answers = _answer(method, samples, rows, job, accelerator)
            for sample, answer in zip(samples, answers, strict=True):
                place = indices[len(scored)]
                scored.append(_score(place, sample, answer, classes, split.protocol.segments))
            progress.advance(len(scored))
    if accelerator.num_processes > 1:
        scored = gather_object(scored)
    return _collect(sorted(scored, key=lambda item: item.place), classes, bool(job.mapping))


def measure(method: Method[Any], job: EvaluationJob, accelerator: Accelerator) -> dict[str, float]:
    """Return what a trained method measures of itself on a split; the same in every process.

    Raises:
        ValueError: if a number is not finite, naming it.
    """
    method.to(accelerator.device).eval()
    with torch.inference_mode():
        measured = {name: float(x) for name, x in method.measure(_whole(job, accelerator)).items()}
    if wrong := {name: x for name, x in measured.items() if not math.isfinite(x)}:
        raise ValueError(f"{type(method).__name__} measured {wrong}; finite numbers are expected")
    return measured


def _whole(job: EvaluationJob, accelerator: Accelerator) -> Iterator[Batch]:
    """Yield every image of a split in micro-batches, the last as short as it is."""
    for indices in micro_batches(len(job.split), job.split.protocol):
        samples = [_load(job, index) for index in indices]
        yield to_tensors(samples, _seeds(job, samples), accelerator.device)


def _seeds(job: EvaluationJob, samples: Iterable[Loaded]) -> list[int]:
    """Return the root of a method's draws for each image."""
    where = (job.seed, str(job.split.reference), str(job.condition))
    further = (job.sampling_seed,) if job.sampling_seed else ()
    return [seeding.key("predict", *where, sample.id, *further) for sample in samples]


def _regroup(batches: Iterable[list[Loaded]], rows: int) -> Iterator[list[Loaded]]:
    """Turn a loader's batches of any size into micro-batches; only the last may be short."""
    waiting: list[Loaded] = []
    for batch in batches:
        waiting += batch
        while len(waiting) >= rows:
            yield waiting[:rows]
            waiting = waiting[rows:]
    if waiting:
        yield waiting


def _answer(
    method: Method[Any],
    samples: list[Loaded],
    rows: int,
    job: EvaluationJob,
    accelerator: Accelerator,
) -> list[_Answer]:
    """Label one micro-batch, padded with its last image."""
    padded = samples + samples[-1:] * (rows - len(samples))
    batch = to_tensors(padded, _seeds(job, padded), accelerator.device)
    protocol, found = job.split.protocol, None
    if protocol.segments and job.task == "predict" and job.projection is None:
        found = method.segments(batch.image, batch.seeds)
    if job.task == "predict" and found is None:
        mapped = infer(method, batch, protocol.slide, job.mapping, job.projection)
    else:
        labels = found.label if found is not None else _through_latents(method, batch, job)
        check_labels(method, labels, batch)
        mapped = Mapped(labels, torch.zeros_like(labels, dtype=torch.bool))
    tensors = mapped if found is None else (*mapped, found.instance, found.score)
    arrays = (tensor[: len(samples)].cpu().numpy() for tensor in tensors)
    return [_Answer(*parts) for parts in zip(*arrays, strict=True)]


def _through_latents(method: Method[Any], batch: Batch, job: EvaluationJob) -> Tensor:
    """Label a batch with the truth at hand: the tasks beside ``predict``."""
    if job.task == "label":
        return batch.label
    if job.task == "oracle_codes":
        return method.oracle_codes(batch.image, batch.label, batch.seeds)
    condition = job.condition
    if condition == CLEAN:
        return method.reconstruct(batch.label, batch.seeds)
    strength = perturbations.CATALOGUE[condition.corruption].grid[condition.severity - 1]
    return method.reconstruct_perturbed(batch.label, batch.seeds, condition.corruption, strength)


def _score(
    place: int, sample: Loaded, answer: _Answer, classes: Sequence[str], segments: bool
) -> _Scored:
    counts = tuple(_count(truth, answer, len(classes)) for truth in sample.truths)
    matched: tuple[SegmentCounts, ...] = ()
    if segments:
        matched = tuple(_match(truth, answer, classes, sample.id) for truth in sample.truths)
    if place >= PREVIEWS:
        return _Scored(place, counts, matched, None, np.empty(0, np.uint8))
    return _Scored(place, counts, matched, sample, answer.label.astype(np.uint8))


def _count(truth: Truth, answer: _Answer, num_classes: int) -> ImageCounts:
    size = truth.label.shape
    at_truth = resize_label(answer.label.astype(np.int32), size)
    lost = resize_label(answer.unmapped.astype(np.uint8), size) > 0
    return count_all(truth.label, at_truth, num_classes, truth.instance, lost)


def _match(truth: Truth, answer: _Answer, classes: Sequence[str], name: str) -> SegmentCounts:
    """Count segments at the truth's size.

    Raises:
        ValueError: if the truth has no instances.
    """
    if truth.instance is None:
        raise ValueError(f"{name} has no instances, which protocol.segments needs")
    size = truth.label.shape
    label = resize_label(answer.label.astype(np.int32), size)
    if answer.instance is None or answer.score is None:
        found = connected(label, things_of(classes))
    else:
        instance = resize_label(answer.instance.astype(np.int32), size)
        found = Segments(label, instance, resize_label(answer.score, size))
    return count_segments(found, Segments(truth.label, truth.instance), classes)


def _collect(scored: list[_Scored], classes: Sequence[str], mapped: bool) -> tuple[Evaluation, ...]:
    """Put the images of a split together; a preview shows those of the first one's size."""
    kept = [(item.sample, item.prediction) for item in scored if item.sample is not None]
    shape = kept[0][0].label.shape
    kept = [(sample, prediction) for sample, prediction in kept if sample.label.shape == shape]
    preview = Preview(
        ids=np.array([sample.id for sample, _ in kept]),
        image=np.stack([sample.image for sample, _ in kept]),
        label=np.stack([sample.label for sample, _ in kept]),
        prediction=np.stack([prediction for _, prediction in kept]),
    )
    each = zip(*(item.counts for item in scored), strict=True)
    stacked = [stack_counts(list(counts), classes, mapped=mapped) for counts in each]
    if scored[0].segments:
        matched = zip(*(item.segments for item in scored), strict=True)
        stacked = [
            add_segments(counts, images, classes)
            for counts, images in zip(stacked, matched, strict=True)
        ]
    return tuple(Evaluation(counts, preview) for counts in stacked)
