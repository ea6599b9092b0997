"""A count does not depend on how it was computed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.core.config import MethodConfig
from bench.core.method import Method
from bench.core.schema import CLEAN, Batch, Condition, DataRef, DataSpec, Protocol, Slide
from bench.data.datasets.scenes import SceneOptions, Scenes
from bench.data.split import Split
from bench.data.workers import INLINE, Workers
from bench.engine.accelerator import make_accelerator
from bench.engine.evaluation.evaluate import evaluate, measure
from bench.engine.evaluation.inference import slide_labels, window_starts
from bench.engine.evaluation.loading import EvaluationJob
from bench.score.metrics import METRICS
from bench.score.sampling import SAMPLES
from bench.store.folders import SuiteFolder
from tests.helpers.drawn import Drawn, Silent, split
from tests.helpers.small_methods import DATA, SIZE, learned

ROOT = Path(__file__).parents[4]
NOISE = Condition(corruption="gaussian_noise", severity=3)


def counts(
    method, a_split, condition=NOISE, task="predict", seed=0, sampling_seed=0, workers=INLINE
):
    job = EvaluationJob(a_split, condition, task, seed, sampling_seed=sampling_seed)
    (result,) = evaluate(method, job, make_accelerator(), Silent(), workers)
    return [array.tolist() for array in result.counts if array is not None]


@pytest.mark.parametrize("number", [1, 3])
def test_the_number_of_workers_changes_no_count(number):
    method = learned("baselines", "segformer_tiny")
    expected = counts(method, split())
    workers = Workers(number)
    try:
        assert counts(method, split(), workers=workers) == expected
        assert counts(method, split(micro_batch=3), workers=workers) == expected
    finally:
        workers.close()


def test_fewer_images_change_no_other():
    method = learned("baselines", "segformer_tiny")
    alone = counts(method, split(images=9))
    more = counts(method, split(images=11))
    assert alone[0] == more[0][:9]


def test_scores_at_the_labels_own_size_use_every_pixel():
    method, big = learned("position_prior", "tiny"), (64, 128)
    native = counts(method, split(size=big, eval_at="native"))
    at_input = counts(method, split(size=big, eval_at="input"))
    assert np.sum(native[0]) + np.sum(native[2]) == 11 * 64 * 128
    assert np.sum(at_input[0]) + np.sum(at_input[2]) == 11 * 32 * 64


def test_where_a_corruption_is_applied_matters():
    method = learned("baselines", "segformer_tiny")
    images = [
        split(size=(64, 128), corrupt_at=apply).load(0, NOISE, 0).image
        for apply in ("input", "native")
    ]
    assert images[0].shape == images[1].shape
    assert images[0].std() > images[1].std()  # the resize averages native noise
    assert method is not None


def test_corruption_depends_on_seed_image_and_condition_only():
    first = split().load(3, NOISE, 5).image
    assert (split(images=4).load(3, NOISE, 5).image == first).all()
    assert (split().load(3, NOISE, 6).image != first).any()


def test_fog_sees_the_depth_of_the_scene(monkeypatch):
    fog = Condition(corruption="depth_fog", severity=3)
    flat = split().load(0, fog).image
    sample = Drawn.__getitem__
    near = np.full(SIZE, 0.1, np.float32)
    monkeypatch.setattr(Drawn, "__getitem__", lambda s, i: sample(s, i)._replace(depth=near))
    clear, seen = split().load(0).image, split().load(0, fog).image
    assert np.abs(seen.astype(int) - clear).mean() < np.abs(flat.astype(int) - clear).mean()


@given(st.integers(1, 40), st.integers(1, 20), st.integers(1, 20))
def test_windows_cover_every_pixel_and_none_leaves_the_image(size, window, stride):
    size, stride = max(size, window), min(stride, window)
    starts = window_starts(size, window, stride)
    covered = {pixel for start in starts for pixel in range(start, start + window)}
    assert covered == set(range(size))


def test_sliding_with_one_window_is_the_whole_image():
    method = learned("baselines", "segformer_tiny")
    sample = split().load(0)
    image = torch.from_numpy(sample.image).permute(2, 0, 1)[None].float() / 255
    batch = Batch(image, torch.zeros(1, *SIZE, dtype=torch.int64), torch.tensor([1]))
    with torch.inference_mode():
        whole = method.predict(batch.image, batch.seeds)
        one = slide_labels(method, batch, Slide(window=SIZE, stride=SIZE)).label
        larger = slide_labels(method, batch, Slide(window=(48, 80), stride=(8, 8))).label
    assert torch.equal(one, whole)
    assert larger.shape == whole.shape


def test_windows_add_up_scores_or_one_vote_a_pixel():
    """Two windows overlap: the sure one decides by its score, by votes it is a tie."""
    method = learned("baselines", "segformer_tiny")
    batch = Batch(torch.zeros(1, 3, *SIZE), torch.zeros(1, *SIZE).long(), torch.tensor([1]))
    window, stride = (SIZE[0], SIZE[1] // 2 + 8), (SIZE[0], SIZE[1] // 2 - 8)
    logits = iter([(1.0, 0.0), (0.0, 5.0)] * 2)

    class Torn:
        data, config, normalise = method.data, method.config, method.normalise

        def logits(self, image, seeds):
            values = torch.zeros(1, method.data.num_classes, *image.shape[-2:])
            values[:, 0], values[:, 1] = next(logits)
            return values

        def predict(self, image, seeds):
            return self.logits(image, seeds).argmax(1)

    middle = SIZE[1] // 2
    by_score = slide_labels(Torn(), batch, Slide(window=window, stride=stride))
    by_vote = slide_labels(Torn(), batch, Slide(window=window, stride=stride, average="votes"))
    places = [0, middle, -1]
    assert by_score.label[0, 0, places].tolist() == [0, 1, 1]
    assert by_vote.label[0, 0, places].tolist() == [0, 0, 1]
    others = [0.0] * (method.data.num_classes - 2)
    averages = torch.tensor([[1.0, 0.0, *others], [0.5, 2.5, *others], [0.0, 5.0, *others]])
    torch.testing.assert_close(by_score.confidence[0, 0, places], averages.softmax(1).amax(1))
    assert by_vote.confidence is None


def test_calibration_is_counted_where_there_are_probabilities():
    """Of the labels that are counted, and at the truth's size."""
    method, big = learned("baselines", "segformer_tiny"), split(size=(64, 128), eval_at="native")
    job = EvaluationJob(big, NOISE, "predict", 0)
    (result,) = evaluate(method, job, make_accelerator(), Silent())
    pixels, right, confidence = np.moveaxis(result.counts.calibration, 1, 0)
    assert (pixels.sum(1) == 64 * 128).all()
    assert (right.sum(1) == result.counts.tp.sum(1)).all()
    assert ((confidence <= pixels) & (confidence >= pixels / method.data.num_classes)).all()
    voting = learned("gss", "tiny")
    (result,) = evaluate(voting, job, make_accelerator(), Silent())
    assert (result.counts.calibration is None) != voting.config.gives_probabilities


def test_predictions_are_sampled_where_that_is_asked_for():
    method, images = learned("baselines", "segformer_tiny"), split(images=3)
    jobs = [EvaluationJob(images, CLEAN, "predict", 0, sampled=asked) for asked in (False, True)]
    plain, kept = (evaluate(method, job, make_accelerator(), Silent())[0].counts for job in jobs)
    assert plain.sampled is None
    assert kept.sampled.shape == (3, SAMPLES)
    for before, after in zip(plain[:-1], kept[:-1], strict=True):
        np.testing.assert_array_equal(before, after)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 300))
def test_a_short_side_keeps_the_shape_of_an_image(height, width, side):
    protocol = Protocol(short_side=side, crop=(8, 8))
    resized = protocol.size_of(height, width)
    assert min(resized) == side
    assert max(resized) == pytest.approx(max(height, width) * side / min(height, width), abs=0.5001)


def test_a_short_side_scores_at_the_label_s_own_size():
    method, big = learned("position_prior", "tiny"), (64, 128)
    found = counts(method, split(size=big, resize=None, short_side=32, crop=SIZE, eval_at="native"))
    assert np.sum(found[0]) + np.sum(found[2]) == 11 * 64 * 128
    loaded = split(size=(56, 128), resize=None, short_side=32, crop=SIZE).load(0)
    assert loaded.image.shape[:2] == loaded.label.shape == (32, 73)
    with pytest.raises(ValidationError, match="resize and short_side are both given"):
        Protocol(resize=SIZE, short_side=32)


@pytest.mark.parametrize(
    "wrong", [lambda image, seeds: image[:, 0], lambda image, seeds: torch.zeros(8, 2, 2).long()]
)
def test_labels_of_a_wrong_type_or_size_are_refused(monkeypatch, wrong):
    method = learned("baselines", "segformer_tiny")
    monkeypatch.setattr(method, "predict", wrong)
    with pytest.raises(ValueError, match=r"int64 \(8, 32, 64\) is expected"):
        counts(method, split())


class Measuring(MethodConfig):
    tasks = ("predict", "reconstruct")


class Averages(Method):
    """Measures the split it is shown; reconstructs by heart."""

    def __init__(self):
        super().__init__(Measuring(), DATA)
        self.answer = {}

    def predict(self, image, seeds):
        raise AssertionError("never asked")

    def reconstruct(self, label, seeds):
        self.answer |= dict(zip(seeds.tolist(), label.float().mean((1, 2)).tolist(), strict=True))
        return label

    def measure(self, batches):
        pairs = (pair for b in batches for pair in zip(b.seeds.tolist(), b.label, strict=True))
        seen = {seed: label.float().mean().item() for seed, label in pairs}
        return {"images": len(seen), "mean": sum(seen.values()) / len(seen)}


def test_what_is_measured_is_of_every_image_once_with_its_own_seed():
    method, job = Averages(), EvaluationJob(split(), CLEAN, "reconstruct", 0)
    evaluate(method, job, make_accelerator(), Silent())
    measured = measure(method, job, make_accelerator())
    assert measured == {
        "images": 11,
        "mean": pytest.approx(np.mean([job.split.load(i).label.mean() for i in range(11)])),
    }
    assert measured["mean"] == pytest.approx(np.mean(list(method.answer.values())))


def test_a_measured_number_that_is_not_finite_is_refused_by_name(monkeypatch):
    method = Averages()
    monkeypatch.setattr(method, "measure", lambda batches: {"rate": 1.0, "entropy": float("nan")})
    with pytest.raises(ValueError, match="Averages measured {'entropy': nan}"):
        measure(method, EvaluationJob(split(), CLEAN, "reconstruct", 0), make_accelerator())


@pytest.mark.slow
def test_two_processes_give_the_counts_of_one(world):
    """Run for real under torchrun: evaluation shared out, training averaged."""
    run = ["-m", "bench", "run", str(world.suite), "--data-root", str(world.root)]
    trained = "{adapter: baselines, preset: segformer_tiny, config: {train_network: {steps: 2}}}"
    methods = ["--set", f"methods=[{{adapter: position_prior, label: Floor}}, {trained}]"]
    launch = ["-m", "torch.distributed.run", "--nproc_per_node", "2", "--standalone"]
    found = {}
    for processes, launcher in ((1, []), (2, launch)):
        output = world.root / f"processes{processes}"
        done = subprocess.run(
            [sys.executable, *launcher, *run, *methods, "--output", str(output)],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stderr
        folder = SuiteFolder(output / "small")
        records = list(folder.records())
        assert len({record.key for record in records}) == len(records) == 6
        assert [record.provenance.processes for record in records] == [processes] * 6
        found[processes] = [
            [array.tolist() for array in folder.counts(record.key) if array is not None]
            for record in records
            if record.cell.label == "Floor"
        ]
        assert len(found[processes]) == 3
    assert found[1] == found[2]


class Sampler(Method):
    """Says what its seeds say, and keeps what it was given."""

    def __init__(self):
        super().__init__(MethodConfig(), DATA)
        self.seen = []

    def predict(self, image, seeds):
        self.seen.append(image)
        classes = seeds % len(DATA.classes)
        return classes[:, None, None].expand(-1, *image.shape[-2:])


def test_a_sampling_seed_changes_the_methods_draws_and_not_the_corruption():
    method = Sampler()
    first, again, other = (
        counts(method, split(images=4), sampling_seed=seed) for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other
    assert torch.equal(method.seen[0], method.seen[2])


def test_bands_and_instances_are_counted_at_the_size_that_is_scored():
    images = 3
    world = Split(
        Scenes("val", "city", None, SceneOptions(images=images, height=48, width=96)),
        DataRef(dataset="scenes", split="val"),
        Protocol(resize=SIZE, eval_at="native", segments=True),
    )
    space = world.dataset.label_space
    method = Sampler()
    method.data = DataSpec(classes=space.classes, palette=space.palette, size=SIZE)
    (result,) = evaluate(
        method, EvaluationJob(world, CLEAN, "predict", 0), make_accelerator(), Silent()
    )
    found = result.counts
    assert found.bands.shape == (images, 3, 19)
    assert all(metric.is_stored(found) for metric in METRICS.values())
    truths = [world.sample(index) for index in range(images)]
    inside = sum(((t.instance > 0) & (t.label != 255)).sum() for t in truths)
    assert found.instances[:, 4].sum() == inside > 0
