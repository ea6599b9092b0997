"""A split under a protocol and a condition -> counts per image.

Kernels are not batch-invariant: the same image can get other logits beside other
images, or in a batch of another size. So a method always sees micro-batches of one fixed
shape, the last one padded, whose composition follows from the split's order alone; the
loader's batch size, the number of processes and resumption change nothing.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor

from bench.core.method import Method
from bench.core.schema import CLEAN, Batch
from bench.corruptions import latents as perturbations
from bench.data.transforms import Loaded, Truth, resize_label
from bench.data.workers import INLINE, Workers
from bench.engine.accelerator import agree_on_failure
from bench.engine.evaluation.inference import check_labels, infer
from bench.engine.evaluation.inputs import folder_name
from bench.engine.evaluation.loading import (
    EvaluationJob,
    MicroBatch,
    load_batches,
    micro_batches,
    rows_of,
    whole_split,
)
from bench.engine.evaluation.mapping import Mapped
from bench.engine.evaluation.previews import make_preview, preview_places
from bench.engine.failure import is_out_of_memory
from bench.engine.progress import Progress
from bench.score.calibration import count_calibration
from bench.score.counts import Counts, ImageCounts, as_bytes, stack_counts
from bench.score.panoptic.overlaps import Segments
from bench.score.panoptic.segments import (
    SegmentCounts,
    add_segments,
    connected,
    count_segments,
    thing_ids,
)
from bench.score.prepared import count_all
from bench.score.sampling import sample_labels
from bench.store.cells import Preview


class Evaluation(NamedTuple):
    """What a job comes to."""

    counts: Counts
    preview: Preview
    micro_batch: int
    """Images of every forward pass: less than the protocol's where memory was short."""


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
    segment: np.ndarray | None = None  # integers [h, w], labels; None where it has no segments
    instance: np.ndarray | None = None  # integers [h, w], beside these labels
    score: np.ndarray | None = None  # float [h, w], confidence, likewise
    confidence: np.ndarray | None = None  # float32 [h, w], probability of the label


def evaluate(
    method: Method[Any],
    job: EvaluationJob,
    accelerator: Accelerator,
    progress: Progress,
    workers: Workers = INLINE,
) -> tuple[Evaluation, ...]:
    """Evaluate a trained method on a split under a condition, once for each geometry.

    Where memory is too short for a micro-batch, half of it is tried, down to single images.

    Args:
        method: with all weights loaded.
        job: images, condition, task and seed.
        accelerator: the process's device and peers; micro-batches are shared out.
        progress: told the number of images done.
        workers: who loads the images. If there are any, predictions are counted in a thread
            while the method is at the next ones.

    Raises:
        DatasetError: if a sample cannot be read.
        LoadingError: if a worker was killed.
        ValueError: if the method returns labels of a wrong size, type or value.
    """
    method.to(accelerator.device).eval()
    classes = job.projection.space.classes if job.projection else method.data.classes
    things = thing_ids(classes, job.split.dataset.label_space.things)
    rows = rows_of(job)
    scored: list[_Scored] = []
    error: Exception | None = None
    while True:
        try:
            scored = _score_images(
                method, job, rows, (classes, things), accelerator, progress, workers
            )
        except Exception as raised:
            if rows > 1 and accelerator.num_processes == 1 and is_out_of_memory(raised):
                progress.say(f"out of memory with {rows} images at a time; trying {rows // 2}")
                rows //= 2
                accelerator.free_memory()
                continue
            error = raised
        break
    agree_on_failure(accelerator, error)
    if accelerator.num_processes > 1:
        scored = gather_object(scored)
    ordered = sorted(scored, key=lambda item: item.place)
    return _collect(ordered, classes, things, bool(job.mapping), rows)


def _score_images(
    method: Method[Any],
    job: EvaluationJob,
    rows: int,
    space: tuple[Sequence[str], tuple[int, ...]],
    accelerator: Accelerator,
    progress: Progress,
    workers: Workers,
) -> list[_Scored]:
    """Label and count this process's share of the images, in micro-batches."""
    protocol, (classes, things) = job.split.protocol, space
    shares = micro_batches(len(job.split), rows)
    mine = shares[accelerator.process_index :: accelerator.num_processes]
    progress.begin("evaluating", sum(map(len, mine)))
    scored: list[_Scored] = []
    counting: deque[Future[_Scored]] = deque()
    segmented = things if protocol.segments else None
    shown = preview_places(len(job.split))
    batches = load_batches(job, mine, rows, accelerator.device, workers)
    with torch.inference_mode(), accelerator.autocast(), workers.beside() as beside:
        for indices, batch in zip(mine, batches, strict=True):
            answers = _answer(method, batch, job)
            for place, sample, answer in zip(indices, batch.samples, answers, strict=True):
                labelled = (place, sample, answer, len(classes))
                counts = (*labelled, segmented, place in shown, job.sampled)
                counting.append(beside.submit(_score, *counts))
            while len(counting) > rows:
                scored.append(counting.popleft().result())
            progress.advance(len(scored) + len(counting))
        return scored + [future.result() for future in counting]


def measure(method: Method[Any], job: EvaluationJob, accelerator: Accelerator) -> dict[str, float]:
    """Return what a trained method measures of itself on a split; the same in every process.

    Raises:
        ValueError: if a number is not finite, naming it.
    """
    method.to(accelerator.device).eval()
    with torch.inference_mode():
        images = whole_split(job, accelerator.device)
        measured = {name: float(x) for name, x in method.measure(images).items()}
    if wrong := {name: x for name, x in measured.items() if not math.isfinite(x)}:
        raise ValueError(f"{type(method).__name__} measured {wrong}; finite numbers are expected")
    return measured


def _answer(method: Method[Any], micro_batch: MicroBatch, job: EvaluationJob) -> list[_Answer]:
    """Label one micro-batch."""
    samples, batch = micro_batch
    protocol, found = job.split.protocol, None
    padding = samples[-1:] * (len(batch.seeds) - len(samples))
    shown = method.for_images(_folder(job), [sample.id for sample in samples + padding])
    # What was predicted elsewhere is of whole images.
    slide = protocol.slide if shown is method else None
    if protocol.segments and job.task == "predict" and job.projection is None:
        found = shown.segments(batch.image, batch.seeds)
    if job.task == "predict":
        mapped = infer(shown, batch, slide, job.mapping, job.projection)
    else:
        labels = _through_latents(method, batch, job)
        check_labels(method, labels, batch)
        mapped = Mapped(labels, torch.zeros_like(labels, dtype=torch.bool))
    tensors = mapped._asdict()
    if found is not None:
        check_labels(method, found.label, batch)
        tensors |= {"segment": found.label, "instance": found.instance, "score": found.score}
    arrays = {
        name: tensor[: len(samples)].cpu().numpy()
        for name, tensor in tensors.items()
        if tensor is not None
    }
    return [
        _Answer(**{name: array[row] for name, array in arrays.items()})
        for row in range(len(samples))
    ]


def _folder(job: EvaluationJob) -> str:
    return folder_name(job.split.reference, job.split.protocol, job.condition, job.seed)


def _through_latents(method: Method[Any], batch: Batch, job: EvaluationJob) -> Tensor:
    """Label a batch with the truth at hand: the tasks beside ``predict``."""
    if job.task == "label":
        return batch.label
    if job.task == "oracle_codes":
        return method.oracle_codes(batch.image, batch.label, batch.seeds)
    condition = job.condition
    if condition == CLEAN:
        return method.reconstruct_with(batch.image, batch.label, batch.seeds)
    strength = perturbations.CATALOGUE[condition.corruption].grid[condition.severity - 1]
    return method.reconstruct_perturbed(batch.label, batch.seeds, condition.corruption, strength)


def _score(
    place: int,
    sample: Loaded,
    answer: _Answer,
    num_classes: int,
    things: tuple[int, ...] | None,
    is_shown: bool,
    sampled: bool,
) -> _Scored:
    """Count an image; its segments too, unless ``things`` is None; keep it if it is shown."""
    name = sample.id if sampled else ""
    counts = tuple(_count(truth, answer, num_classes, name) for truth in sample.truths)
    matched: tuple[SegmentCounts, ...] = ()
    if things is not None:
        matched = tuple(
            _match(truth, answer, num_classes, things, sample.id) for truth in sample.truths
        )
    if not is_shown:
        return _Scored(place, counts, matched, None, np.empty(0, np.uint8))
    return _Scored(place, counts, matched, sample, answer.label.astype(np.uint8))


def _count(truth: Truth, answer: _Answer, num_classes: int, sampled: str) -> ImageCounts:
    """Count an image at the truth's size; an id in ``sampled`` asks for its sampled labels."""
    size = truth.label.shape
    at_truth = resize_label(as_bytes("prediction", answer.label, num_classes), size)
    lost = resize_label(answer.unmapped.astype(np.uint8), size) > 0
    counts = count_all(truth.prepared, at_truth, lost)
    if answer.confidence is not None:
        sure = resize_label(answer.confidence, size)
        counts = counts._replace(calibration=count_calibration(truth.label, at_truth, sure))
    if sampled:
        labels = sample_labels(truth.label, at_truth, num_classes, sampled)
        counts = counts._replace(sampled=labels)
    return counts


def _match(
    truth: Truth, answer: _Answer, num_classes: int, things: tuple[int, ...], name: str
) -> SegmentCounts:
    """Count segments at the truth's size.

    Raises:
        ValueError: if the truth has no instances.
    """
    if truth.instance is None or not things:
        raise ValueError(f"{name} has no instances, which protocol.segments needs")
    size = truth.label.shape
    if answer.segment is None or answer.instance is None or answer.score is None:
        label = resize_label(answer.label.astype(np.int32), size)
        found = connected(label, things)
    else:
        label = resize_label(answer.segment.astype(np.int32), size)
        instance = resize_label(answer.instance.astype(np.int32), size)
        found = Segments(label, instance, resize_label(answer.score, size))
    return count_segments(found, Segments(truth.label, truth.instance), num_classes, things)


def _collect(
    scored: list[_Scored],
    classes: Sequence[str],
    things: tuple[int, ...],
    mapped: bool,
    micro_batch: int,
) -> tuple[Evaluation, ...]:
    """Put the images of a split together."""
    kept = [(item.sample, item.prediction) for item in scored if item.sample is not None]
    preview = make_preview(kept)
    each = zip(*(item.counts for item in scored), strict=True)
    stacked = [stack_counts(list(counts), classes, mapped=mapped) for counts in each]
    if scored[0].segments:
        matched = zip(*(item.segments for item in scored), strict=True)
        stacked = [
            add_segments(counts, images, things)
            for counts, images in zip(stacked, matched, strict=True)
        ]
    return tuple(Evaluation(counts, preview, micro_batch) for counts in stacked)
