"""Costs are products of measured speeds and what is left to do; unknown ones stay unknown."""

import pytest

from bench.core.schema import CLEAN
from bench.engine.cost import Cost, _total, estimate, longest_first
from bench.engine.plan import Settings, make_plan
from bench.store.folders import pack
from bench.suite.reading import read_suite
from tests.helpers.stores import PROVENANCE, Store

TEXT = """\
name: trial
question: What does it cost?
methods:
  - {adapter: cam_seg, label: One, preset: tiny}
  - {adapter: cam_seg, label: Same, preset: tiny, config: {inference: {mode: autoregressive}}}
train_on: [{dataset: scenes, options: {images: 2}}]
test_on: [{dataset: scenes, options: {images: 4}}]
conditions: [{corruption: hue, severities: [2]}]
protocol: {resize: [48, 96]}
"""


HERE = "cpu: another"


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "trial.yaml"
    path.write_text(TEXT)
    return make_plan(read_suite(path), Settings(tmp_path / "out"))


def summary(training, stage, seconds, device=PROVENANCE.device):
    """Say what a stage's summary says to those who ask for speeds."""
    return {
        "method": training.entry.adapter,
        "preset": training.entry.preset,
        "stage": stage.model_dump(mode="json"),
        "size": list(training.data.size),
        "seconds": seconds,
        "weights": "digest",
        "weights_bytes": 1000,
        "provenance": {"device": device},
    }


def measure(plan, output):
    """Leave speeds of an earlier run: 2 s per step, 0.5 s per image."""
    training = plan.trainings[0]
    store = Store(output, suite="earlier", images=3)
    cell = plan.cells[0].cell.model_copy(update={"seed": 99, "condition": CLEAN})
    store.add(cell, 0.5)  # 1.5 s for 3 images
    for index, (stage, _) in enumerate(training.stages):
        folder = store.folder.cells.stage(f"earlier-{index}")
        folder.path.mkdir(parents=True)
        folder.finish(summary(training, stage, 2.0 * max(1, stage.steps)))
    return store


def test_what_was_never_measured_is_not_known(plan, tmp_path):
    first, second = estimate(plan, tmp_path / "none", HERE).costs
    assert (first.train_seconds, first.evaluate_seconds, first.disk_bytes) == (None, None, None)
    assert (first.cells, first.cells_missing) == (2, 2)
    assert estimate(plan, tmp_path / "none", HERE).device == ""
    assert first.stages_missing == first.stages == len(plan.trainings[0].stages) > 0
    # Shared stages are counted at the first training, so nothing is left to train.
    assert (second.stages_missing, second.train_seconds) == (0, 0.0)


def test_speeds_of_the_store_make_the_estimate(plan, tmp_path):
    store = measure(plan, tmp_path / "out")
    first, second = estimate(plan, tmp_path / "none", HERE).costs
    steps = sum(max(1, stage.steps) for stage, _ in plan.trainings[0].stages)
    assert first.train_seconds == 2.0 * steps
    assert first.evaluate_seconds == second.evaluate_seconds == 0.5 * 4 * 2
    cell_bytes = store.folder.cells.size_of(store.keys[0])
    assert first.disk_bytes == 1000 * first.stages + 2 * cell_bytes
    assert second.disk_bytes == 2 * cell_bytes


def test_references_are_asked_where_the_store_knows_nothing(plan, tmp_path):
    store = measure(plan, tmp_path / "other")
    record = store.folder.cells.record(store.keys[0])
    keys = tuple(store.folder.cells.stage_keys())
    store.folder.cells.write(
        record.model_copy(update={"stages": keys, "weights": ("digest",) * len(keys)}), None, None
    )
    pack(store.folder, tmp_path / "reference" / "earlier")
    first, _ = estimate(plan, tmp_path / "reference", HERE).costs
    assert first.train_seconds == 2.0 * sum(max(1, s.steps) for s, _ in plan.trainings[0].stages)
    assert first.evaluate_seconds == 0.5 * 4 * 2
    assert first.disk_bytes is None  # a packed cell does not tell the size of its files


def test_speeds_of_one_device_alone_count(plan, tmp_path):
    store = measure(plan, tmp_path / "out")
    (stage, _), training = plan.trainings[0].stages[0], plan.trainings[0]
    folder = store.folder.cells.stage("on another device")
    folder.path.mkdir(parents=True)
    folder.finish(summary(training, stage, 600.0 * max(1, stage.steps), HERE))
    device, (first, _) = estimate(plan, tmp_path / "none", "cpu: neither")
    assert device == PROVENANCE.device  # on which most was measured
    assert first.train_seconds == 2.0 * sum(max(1, s.steps) for s, _ in training.stages)
    device, (first, _) = estimate(plan, tmp_path / "none", HERE)
    assert device == HERE
    assert (first.train_seconds, first.evaluate_seconds) == (None, None)


def test_the_longest_training_begins_and_what_is_unknown_before(plan):
    blank = Cost("", 0, 1, 1, 2, 2, 10.0, 5.0, 0.0)
    order = longest_first(plan, [blank, blank._replace(train_seconds=20.0)])
    assert order == [1, 0]
    assert longest_first(plan, [blank._replace(evaluate_seconds=None), blank]) == [0, 1]
    assert longest_first(plan, [blank, blank._replace(cells_missing=0)]) == [0]


def test_sums_with_an_unknown_part_are_unknown():
    assert _total([2.0, 0.5], [3, 4]) == 8.0
    assert _total([2.0, None], [3, 0]) is None
    assert _total([], []) == 0
