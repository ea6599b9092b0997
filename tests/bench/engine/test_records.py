"""What a record takes over from its plan, whether the cell was finished or failed."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bench.core.registry import load_method, resolve_config
from bench.core.source import harness_digest, method_digest
from bench.data.split import Split
from bench.engine.failure import Failure
from bench.engine.plan import Settings, make_plan
from bench.engine.records import (
    failed_record,
    finished_record,
    initialisation,
    now,
    source_of,
)
from bench.engine.trainings import Training
from bench.suite.reading import read_suite
from tests.helpers.checkpoints import write_checkpoint
from tests.helpers.small_methods import DATA
from tests.helpers.stores import PROVENANCE

TEXT = """\
name: trial
question: What is recorded?
methods: [{adapter: position_prior, label: Floor}]
train_on: [{dataset: scenes, options: {images: 2}}]
test_on: [{dataset: scenes, options: {images: 2}}]
conditions: [{corruption: hue, severities: [2]}]
protocol: {resize: [24, 48]}
"""


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "trial.yaml"
    path.write_text(TEXT)
    return make_plan(read_suite(path), Settings(tmp_path / "out"))


def test_a_finished_record_names_what_it_was_computed_from(plan):
    clean, corrupted = plan.cells
    training = plan.trainings[0]
    method = load_method("position_prior")(training.config, training.data)
    dataset = plan.datasets[clean.cell.test_on.key]
    split = Split(dataset, clean.cell.test_on, clean.cell.protocol)
    for planned in (clean, corrupted):
        record = finished_record(planned, method, ("digest",), split, PROVENANCE)
        assert (record.key, record.status, record.cell) == (planned.key, "ok", planned.cell)
        assert record.image_ids == split.ids
        assert len(record.clusters) == len(record.image_ids) == 2
        assert record.classes == planned.space.classes
        assert record.stages == tuple(folder.key for _, folder in training.stages)
        assert (record.train_data, record.test_data) == (training.train_data, planned.test_data)
        assert record.weights == ("digest",)
        assert record.parameters == sum(p.numel() for p in method.parameters())
        assert record.floor
        assert record.test_set.generated
        assert record.source == source_of("position_prior")
    assert record.condition.parameters
    assert record.corruption_version > 0
    assert record.corruption_probe
    clean_record = finished_record(clean, method, (), split, PROVENANCE)
    assert (clean_record.condition, clean_record.corruption_version) == (None, 0)
    assert clean_record.corruption_probe == ""


def test_a_failed_record_says_why_and_what_was_tried(plan):
    planned = plan.cells[1]
    record = failed_record(planned, Failure("out of memory", "Traceback ..."), PROVENANCE)
    assert (record.key, record.status, record.cell) == (planned.key, "failed", planned.cell)
    assert (record.error, record.traceback) == ("out of memory", "Traceback ...")
    assert record.floor
    assert record.condition is not None
    plan.store.write(record, None, None)
    assert plan.store.state(planned.key, since=record.finished) == "failed"


def test_sources_are_digests_of_method_and_harness():
    assert source_of("codec") == {"method": method_digest("codec"), "harness": harness_digest()}
    assert source_of("codec")["method"] != source_of("position_prior")["method"]


def test_times_are_in_utc_and_sort_as_text():
    first = now()
    assert abs(datetime.fromisoformat(first) - datetime.now(UTC)) < timedelta(minutes=5)
    assert first.endswith("+00:00")
    assert first <= now()


def training(adapter, preset, given=(), started=(), tasks=("predict",), **config):
    """A training as far as its initialisation needs it."""
    resolved = resolve_config(adapter, preset, config)
    stages = tuple((s, None) for s in resolved.stages(DATA) if set(s.tasks) & set(tasks))
    digests = ({name: "0" * 64 for name in names} for names in (given, started))
    return Training(None, resolved, DATA, None, "", 0, stages, *digests)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (("baselines", "segformer_tiny"), "random"),
        (("gss", "tiny"), "random"),
        (("gss", "paper_ade20k", ("tokenizer",)), "imagenet-22k"),
        (("gss", "paper_mseg_hrnet", ("tokenizer",)), "imagenet-1k"),
        (("seg_var", "paper", ("tokenizer",)), "imagenet-22k"),
        (("baselines", "segformer_tiny", ("network",)), "released"),
        (("baselines", "segformer_tiny", (), ("network",)), "a file"),
        (("predictions", "folder"), "unknown"),
    ],
)
def test_initialisation_is_that_of_the_stages_trained_here(settings, expected):
    assert initialisation(training(*settings)) == expected


@pytest.mark.parametrize(("variant", "expected"), [("FF", "released"), ("TF", "random")])
def test_a_codec_alone_is_no_pretrained_network(variant, expected):
    """GSS's backbone is ImageNet's; colours that are learned around released weights are not."""
    codec = training("gss", "paper_ade20k", ("tokenizer",), tasks=("reconstruct",), variant=variant)
    assert "prior" not in [stage.name for stage, _ in codec.stages]
    assert initialisation(codec) == expected


def test_what_is_measured_of_released_weights_is_not_trained():
    codec = training("codec", "kl_f16", ("codec",), tasks=("reconstruct",))
    assert [stage.steps for stage, _ in codec.stages][1:] == [0]
    assert initialisation(codec) == "released"
    assert initialisation(training("position_prior", "tiny")) == "random"


def test_a_checkpoint_is_released_and_an_encoder_known_by_its_classes(tmp_path):
    whole = write_checkpoint(tmp_path / "whole", "segformer", DATA.classes)
    stage = {"name": "network", "modules": ("network",), "steps": 1}
    assert initialisation(training("hf", "checkpoint", model=str(whole))) == "released"
    further = {"model": str(whole), "train": stage}
    assert initialisation(training("hf", "checkpoint", **further)) == "released"
    config = json.loads((whole / "config.json").read_text())
    config["architectures"] = ["SegformerForImageClassification"]
    config["id2label"] = {str(k): f"class {k}" for k in range(1000)}
    (whole / "config.json").write_text(json.dumps(config))
    encoder = {**further, "new_head": True}
    assert initialisation(training("hf", "checkpoint", **encoder)) == "imagenet-1k"
