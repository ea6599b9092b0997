"""A split under a protocol and a condition -> counts per image.

Kernels are not batch-invariant: the same image can get other logits beside other
images, or in a batch of another size. So a method always sees micro-batches of one fixed
shape, the last one padded, whose composition follows from the split's order alone; the
loader's batch size, the number of processes and resumption change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from bench import seeding
from bench.counts import Counts, ImageCounts, count_all, stack_counts
from bench.loading import Loaded, Split, resize_label, to_tensors
from bench.method import Method
from bench.schema import Batch, Condition, Slide, Task
from bench.segments import (
    Answer,
    Objects,
    Segments,
    average_precision,
    connected,
    count_segments,
    objects_of,
    things_of,
)
from bench.store import Preview
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


class _Images(Dataset[Loaded]):
    """The images of some indices under a job's condition, for a loader."""

    def __init__(self, job: Job, indices: Sequence[int]) -> None:
        self.job, self.indices = job, indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, position: int) -> Loaded:
        job = self.job
        return job.split.load(self.indices[position], job.condition, job.seed)


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
    progress.begin("evaluating", len(indices))
    scored: list[_Scored] = []
    with torch.inference_mode():
        for samples in _regroup(loader, rows):
            answers = _answer(method, samples, rows, job, accelerator)
            for sample, answer in zip(samples, answers, strict=True):
                one = _score(indices[len(scored)], sample, answer, method.data.num_classes)
                if split.protocol.segments:
                    one = _with_segments(one, sample, answer, method.data.classes)
                scored.append(one)
            progress.advance(len(scored))
    if accelerator.num_processes > 1:
        scored = gather_object(scored)
    return _collect(sorted(scored, key=lambda item: item.place), method.data.classes)


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
) -> list[Answer]:
    """Label one micro-batch, padded with its last image."""
    where = (job.seed, str(job.split.reference), str(job.condition))
    further = (job.sampling_seed,) if job.sampling_seed else ()
    padded = samples + samples[-1:] * (rows - len(samples))
    seeds = [seeding.key("predict", *where, sample.id, *further) for sample in padded]
    batch = to_tensors(padded, seeds, accelerator.device)
    protocol, found = job.split.protocol, None
    if job.task == "predict" and protocol.segments:
        found = method.segments(batch.image, batch.seeds)
    if found is not None:
        labels = found.label
    elif job.task == "reconstruct":
        labels = method.reconstruct(batch.label, batch.seeds)
    elif protocol.slide is not None:
        labels = slide_labels(method, batch, protocol.slide)
    else:
        labels = method.predict(batch.image, batch.seeds)
    if labels.shape != batch.label.shape or labels.dtype != torch.int64:
        expected = f"int64 {tuple(batch.label.shape)}"
        got = f"{labels.dtype} {tuple(labels.shape)}"
        raise ValueError(f"{type(method).__name__} returned {got}; {expected} is expected")
    arrays = (labels,) if found is None else (labels, found.instance, found.score)
    parts = zip(*(array[: len(samples)].cpu().numpy() for array in arrays), strict=True)
    return [Answer(*part) for part in parts]


def slide_labels(method: Method[Any], batch: Batch, slide: Slide) -> Tensor:
    """Label images by windows, as mmsegmentation's ``slide_inference`` places them.

    Windows overlap; the last of a row or column is moved back to end at the border. Scores
    are averaged where the method has them, else one-hot votes (ties to the lowest class),
    which is what GSS-FF does. Images smaller than a window are padded with zeros.

    Returns:
        int64 [B, H, W].
    """
    height, width = batch.image.shape[-2:]
    grow = [max(0, w - have) for w, have in zip(slide.window, (height, width), strict=True)]
    image = functional.pad(batch.image, (0, grow[1], 0, grow[0]))
    total = torch.zeros(len(image), method.data.num_classes, *image.shape[-2:], device=image.device)
    places = [
        _window_starts(size, window, stride)
        for size, window, stride in zip(image.shape[-2:], slide.window, slide.stride, strict=True)
    ]
    for top in places[0]:
        for left in places[1]:
            area = (..., slice(top, top + slide.window[0]), slice(left, left + slide.window[1]))
            seeds = seeding.derive(batch.seeds, "window", top, left)
            total[area] += _window_scores(method, image[area], seeds)
    return total[..., :height, :width].argmax(dim=1)


def _window_starts(size: int, window: int, stride: int) -> list[int]:
    """Return where windows begin, so that they cover the side and none leaves it."""
    return sorted({min(start, size - window) for start in range(0, size, stride)})


def _window_scores(method: Method[Any], image: Tensor, seeds: Tensor) -> Tensor:
    """Return a method's scores, or votes where it has none; a void pixel votes for nothing."""
    scores = method.scores(image, seeds)
    if scores is not None:
        return scores
    classes = method.data.num_classes
    labels = method.predict(image, seeds).clamp(max=classes)
    return functional.one_hot(labels, classes + 1)[..., :classes].movedim(-1, 1).float()


def _score(place: int, sample: Loaded, answer: Answer, num_classes: int) -> _Scored:
    at_truth = resize_label(answer.label.astype(np.int32), sample.truth.shape)
    counts = count_all(sample.truth, at_truth, num_classes, sample.instance)
    if place >= PREVIEWS:
        return _Scored(place, counts, None, np.empty(0, np.uint8))
    return _Scored(place, counts, sample, answer.label.astype(np.uint8))


def _with_segments(
    scored: _Scored, sample: Loaded, answer: Answer, classes: Sequence[str]
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
