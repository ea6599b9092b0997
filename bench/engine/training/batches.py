"""The images of a training's steps."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from typing import NamedTuple

import torch

from bench.core import seeding
from bench.core.schema import Batch
from bench.core.stage import Stage
from bench.data.split import Split
from bench.data.transforms import Loaded, augment, to_tensors
from bench.data.workers import Workers


class Share(NamedTuple):
    """Which images of a stage's steps a process takes."""

    split: Split
    stage: Stage
    seed: int
    """The suite's."""
    process: int
    """Its number."""
    processes: int


class _TrainingImage(NamedTuple):
    """An image of a step as a worker is asked for it."""

    image: int
    stage: Stage
    seed: int
    step: int


class _Augmented(NamedTuple):
    """An image after its random changes."""

    image: Loaded
    seed: int
    """Key of its draws in the step."""
    domain: int
    """Number of its data set, where several are mixed."""


def step_indices(images: int, stage: Stage, seed: int, step: int) -> list[int]:
    """Return the images of an optimiser step: each once an epoch, reshuffled every epoch."""
    first, last = step * stage.batch_size, (step + 1) * stage.batch_size
    chosen: list[int] = []
    for epoch in range(first // images, (last - 1) // images + 1):
        random = seeding.numpy_generator(seeding.key("epoch", seed, stage.name, epoch))
        order = random.permutation(images).tolist()
        chosen += order[max(0, first - epoch * images) : last - epoch * images]
    return chosen


def load_steps(
    share: Share, first: int, device: torch.device, workers: Workers
) -> Generator[list[Batch], None, None]:
    """Yield the batches of each optimiser step, one per micro-step.

    Args:
        share: of this process.
        first: the step to begin with.
        device: where batches go.
        workers: who loads and augments; if there are any, a step's batches are made while the
            step before is taken.
    """
    return workers.one_ahead(_load_steps(share, first, device, workers))


def _load_steps(
    share: Share, first: int, device: torch.device, workers: Workers
) -> Iterator[list[Batch]]:
    stage, steps = share.stage, range(first, share.stage.steps)
    requests = (
        _TrainingImage(image, stage, share.seed, step)
        for step in steps
        for image in _mine(share, step)
    )
    images = workers.map(_load, share.split, requests, stage.batch_size)
    for step in steps:
        mine = [next(images) for _ in _mine(share, step)]
        size = math.ceil(len(mine) / stage.accumulate)
        parts = [mine[start : start + size] for start in range(0, len(mine), size)]
        yield [_batch(part, device)._replace(step=step, steps=stage.steps) for part in parts]


def _mine(share: Share, step: int) -> list[int]:
    indices = step_indices(len(share.split), share.stage, share.seed, step)
    return indices[share.process :: share.processes]


def _load(split: Split, request: _TrainingImage) -> _Augmented:
    sample = split.training_image(request.image)
    stage = request.stage
    key = seeding.key("train", request.seed, stage.name, request.step, sample.id)
    augmented = augment(sample, stage.augment, split.protocol.input_size, key)
    return _Augmented(augmented, key, split.domain(request.image))


def _batch(part: list[_Augmented], device: torch.device) -> Batch:
    batch = to_tensors([item.image for item in part], [item.seed for item in part], device)
    return batch._replace(domain=torch.tensor([item.domain for item in part], device=device))


def whole_batches(split: Split, stage: Stage, seed: int, device: torch.device) -> Iterator[Batch]:
    """Yield every training image once, unchanged and in order."""
    for start in range(0, len(split), stage.batch_size):
        indices = range(start, min(start + stage.batch_size, len(split)))
        samples = [split.training_image(index) for index in indices]
        seeds = [seeding.key("fit", seed, stage.name, s.id) for s in samples]
        yield to_tensors(samples, seeds, device)
