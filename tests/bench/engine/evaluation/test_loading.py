"""Micro-batches: their images, padding, seeds, and who corrupts them."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bench.core.schema import CLEAN, Condition
from bench.corruptions import batched
from bench.data.workers import INLINE
from bench.engine.evaluation import loading
from bench.engine.evaluation.loading import (
    EvaluationJob,
    corrupts_batches,
    load_batches,
    micro_batches,
    rows_of,
    seeds_of,
)
from tests.helpers.drawn import split

CPU, GPU = torch.device("cpu"), SimpleNamespace(type="cuda")
NOISE = Condition(corruption="gaussian_noise", severity=2)
BLUR = Condition(corruption="defocus_blur", severity=2)


def job_of(condition=CLEAN, task="predict", **protocol):
    return EvaluationJob(split(images=5, **protocol), condition, task, 3)


def test_the_last_micro_batch_is_padded_with_its_last_image():
    job = job_of(micro_batch=2)
    batches = list(load_batches(job, micro_batches(5, 2), 2, CPU, INLINE))
    assert [[s.id for s in batch.samples] for batch in batches] == [["0", "1"], ["2", "3"], ["4"]]
    assert [len(batch.batch.seeds) for batch in batches] == [2, 2, 2]
    assert torch.equal(batches[2].batch.image[0], batches[2].batch.image[1])
    assert all(len(sample.truths) == 1 for batch in batches for sample in batch.samples)
    assert len(set(seeds_of(job, [job.split.load(i) for i in range(5)]))) == 5


def test_images_of_several_sizes_come_one_by_one():
    assert rows_of(job_of(micro_batch=4)) == 4
    assert rows_of(job_of(micro_batch=4, resize=None, short_side=16, crop=(16, 16))) == 1
    assert rows_of(job_of()._replace(micro_batch=3)) == 3


@pytest.mark.parametrize("task", ["reconstruct", "oracle_codes", "label"])
def test_what_is_no_prediction_has_clean_images(task):
    (batch,) = load_batches(job_of(NOISE, task), [[0]], 1, CPU, INLINE)
    assert np.array_equal(batch.samples[0].image, split().load(0).image)


def test_an_accelerator_corrupts_batches_where_the_protocol_says_so():
    torch_backend = {"backend": "torch"}
    assert corrupts_batches(job_of(NOISE, **torch_backend), GPU)
    assert not corrupts_batches(job_of(NOISE, **torch_backend), CPU)
    assert not corrupts_batches(job_of(NOISE), GPU)
    assert not corrupts_batches(job_of(CLEAN, **torch_backend), GPU)
    assert not corrupts_batches(job_of(NOISE, "reconstruct", **torch_backend), GPU)
    assert not corrupts_batches(job_of(NOISE, corrupt_at="native", **torch_backend), GPU)
    depth = Condition(corruption="depth_fog", severity=1)
    assert not corrupts_batches(job_of(depth, **torch_backend), GPU)


@pytest.mark.parametrize("condition", [NOISE, BLUR])
def test_batches_are_corrupted_as_single_images_are(condition, monkeypatch):
    """On this device; ``test_batched`` holds every corruption against the fast backend."""
    job = job_of(condition, micro_batch=2, backend="torch")
    expected = list(load_batches(job, micro_batches(5, 2), 2, CPU, INLINE))
    calls = []
    whole = batched.corrupt_batch

    def counted(images, *arguments):
        calls.append(len(images))
        return whole(images, *arguments)

    monkeypatch.setattr(batched, "corrupt_batch", counted)
    monkeypatch.setattr(loading, "corrupts_batches", lambda job, device: True)
    together = list(load_batches(job, micro_batches(5, 2), 2, CPU, INLINE))
    assert calls == [2, 2, 1]
    for ours, theirs in zip(together, expected, strict=True):
        assert torch.equal(ours.batch.image, theirs.batch.image)
        assert np.array_equal(ours.samples[0].image, theirs.samples[0].image)
