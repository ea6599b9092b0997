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

from bench import perturbations, seeding
from bench.counts import Counts, ImageCounts, count_all, stack_counts
from bench.inference import check_labels, infer
from bench.loading import Loaded, Split, resize_label, to_tensors
from bench.method import Method
from bench.schema import CLEAN, IGNORE_INDEX, Batch, Condition, LabelMapping, Task
from bench.segments import (
    Objects,
    Segments,
    average_precision,
    connected,
    count_segments,
    objects_of,
    things_of,
)
from bench.store import Preview
from bench.taxonomy import Projection
from bench.train import Progress

MICRO_BATCH = 8
"""Rows of every forward pass at evaluation, where images share one size."""
PREVIEWS = 4
"""Images of a cell that are kept to be looked at."""


class Job(NamedTuple):
    """What a trained method is evaluated on."""

    split: Split
    condition: Condition
    task: Task
    seed: int
    """The suite's seed: root of corruptions and of the method's draws."""
    mapping: LabelMapping = ""
    projection: Projection | None = None
    """How predictions become labels of the split, where it has not the method's classes."""
    sampling_seed: int = 0
    """Another set of the method's draws, the corruptions being the same."""


class Evaluation(NamedTuple):
    """What a job comes to."""

    counts: Counts
    preview: Preview


class _Scored(NamedTuple):
    """One image's outcome, small enough to travel between processes."""

    place: int  # in the split
    counts: ImageCounts
    sample: Loaded | None  # only of the images kept as a preview
    prediction: np.ndarray  # uint8 [h, w], of those images; empty otherwise
    objects: Objects | None = None  # where the protocol has segments


class _Answer(NamedTuple):
    """What a method says of one image."""

    label: np.ndarray  # uint8 [h, w]
    fallen: np.ndarray  # bool [h, w], where no mapping reached
    instance: np.ndarray | None = None  # integers [h, w]; None where it tells no instances
    score: np.ndarray | None = None  # float [h, w], confidence, beside the instances


class _Images(Dataset[Loaded]):
    """The images of some indices under a job's condition, for a loader."""

    def __init__(self, job: Job, indices: Sequence[int]) -> None:
        self.job, self.indices = job, indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, position: int) -> Loaded:
        return _load(self.job, self.indices[position])


def _load(job: Job, index: int) -> Loaded:
    """Return an image under a job's condition; what is reconstructed has no image to corrupt."""
    condition = job.condition if job.task == "predict" else CLEAN
    return job.split.load(index, condition, job.seed)


def evaluate(
    method: Method[Any], job: Job, accelerator: Accelerator, progress: Progress
) -> Evaluation:
    """Evaluate a trained method on a split under a condition.

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
    rows = MICRO_BATCH if split.protocol.resize else 1
    starts = range(0, len(split), rows)
    mine = starts[accelerator.process_index :: accelerator.num_processes]
    indices = [i for start in mine for i in range(start, min(start + rows, len(split)))]
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
                lost = answer.fallen if job.mapping else None
                one = _score(place, sample, answer.label, lost, len(classes))
                if split.protocol.segments:
                    one = _with_segments(one, sample, answer, classes)
                scored.append(one)
            progress.advance(len(scored))
    if accelerator.num_processes > 1:
        scored = gather_object(scored)
    return _collect(sorted(scored, key=lambda item: item.place), classes)


def measure(method: Method[Any], job: Job, accelerator: Accelerator) -> dict[str, float]:
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


def _whole(job: Job, accelerator: Accelerator) -> Iterator[Batch]:
    """Yield every image of a split in micro-batches, the last as short as it is."""
    split = job.split
    rows = MICRO_BATCH if split.protocol.resize else 1
    for start in range(0, len(split), rows):
        indices = range(start, min(start + rows, len(split)))
        samples = [_load(job, index) for index in indices]
        yield to_tensors(samples, _seeds(job, samples), accelerator.device)


def _seeds(job: Job, samples: Iterable[Loaded]) -> list[int]:
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
    method: Method[Any], samples: list[Loaded], rows: int, job: Job, accelerator: Accelerator
) -> list[_Answer]:
    """Label one micro-batch, padded with its last image."""
    padded = samples + samples[-1:] * (rows - len(samples))
    batch = to_tensors(padded, _seeds(job, padded), accelerator.device)
    protocol, found = job.split.protocol, None
    if protocol.segments and job.task == "predict" and job.projection is None:
        found = method.segments(batch.image, batch.seeds)
    if job.task == "reconstruct":
        label = _reconstruct(method, batch, job.condition)
    elif found is not None:
        label = found.label
    else:
        mapped = infer(method, batch, protocol.slide, job.mapping, job.projection)
        return _per_image(mapped, len(samples))
    check_labels(method, label, batch)
    said = (label, torch.zeros_like(label, dtype=torch.bool))
    return _per_image(said if found is None else (*said, *found[1:]), len(samples))


def _per_image(arrays: Iterable[Tensor], count: int) -> list[_Answer]:
    parts = (array[:count].cpu().numpy() for array in arrays)
    return [_Answer(*part) for part in zip(*parts, strict=True)]


def _reconstruct(method: Method[Any], batch: Batch, condition: Condition) -> Tensor:
    if condition == CLEAN:
        return method.reconstruct(batch.label, batch.seeds)
    strength = perturbations.CATALOGUE[condition.corruption].grid[condition.severity - 1]
    return method.reconstruct_perturbed(batch.label, batch.seeds, condition.corruption, strength)


def _score(
    place: int, sample: Loaded, label: np.ndarray, fallen: np.ndarray | None, num_classes: int
) -> _Scored:
    at_truth = resize_label(label.astype(np.int32), sample.truth.shape)
    counts = count_all(sample.truth, at_truth, num_classes, sample.instance)
    if fallen is not None:
        lost = resize_label(fallen.astype(np.uint8), sample.truth.shape) > 0
        counts = counts._replace(fallen=int((lost & (sample.truth != IGNORE_INDEX)).sum()))
    if place >= PREVIEWS:
        return _Scored(place, counts, None, np.empty(0, np.uint8))
    return _Scored(place, counts, sample, label.astype(np.uint8))


def _with_segments(
    scored: _Scored, sample: Loaded, answer: _Answer, classes: Sequence[str]
) -> _Scored:
    """Count an image's segments too, at the truth's size.

    Raises:
        ValueError: if the truth has no instances.
    """
    if sample.instance is None:
        raise ValueError(f"{sample.id} has no instances, which protocol.segments needs")
    things, size = things_of(classes), sample.truth.shape
    known = Segments(sample.truth, sample.instance)
    label = resize_label(answer.label.astype(np.int32), size)
    if answer.instance is None or answer.score is None:
        found = connected(label, things)
    else:
        instance = resize_label(answer.instance.astype(np.int32), size)
        found = Segments(label, instance, resize_label(answer.score, size))
    segments = count_segments(found, known, len(classes), things)
    objects = Objects(objects_of(found, things), objects_of(known, things))
    return scored._replace(counts=scored.counts._replace(segments=segments), objects=objects)


def _collect(scored: list[_Scored], classes: Sequence[str]) -> Evaluation:
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
    counts = stack_counts([item.counts for item in scored], classes)
    objects = [item.objects for item in scored if item.objects is not None]
    if objects:
        counts = counts._replace(
            things=np.isin(np.arange(len(classes)), things_of(classes)),
            precision=np.array(average_precision(objects)),
        )
    return Evaluation(counts, preview)
