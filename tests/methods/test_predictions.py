"""Predictions from a folder: scored as the run they are of, and refused file by file."""

import hashlib
import json

import numpy as np
import pytest
import torch
from PIL import Image
from ruamel.yaml import YAML

from bench.cli.main import main
from bench.core.registry import load_config, load_method
from bench.core.schema import DataSpec
from bench.data.datasets._cityscapes import CITYSCAPES_IDS
from bench.engine.plan import Settings, make_plan
from bench.engine.training.making import make_method
from bench.engine.training.stages import load_stage
from bench.store.folders import SuiteFolder
from bench.suite.reading import read_suite

SUITE = """\
name: outside
question: Do predictions made elsewhere score as they do here?
methods:
  - {adapter: my_method, label: Inside, config: {steps: 6}}
  - {adapter: predictions, label: Outside, config: {folder: outside}}
train_on: [camvid]
test_on: [camvid]
conditions:
  - {corruption: gaussian_noise, severities: [3]}
protocol:
  resize: [24, 32]
  slide: {window: [16, 16], stride: [8, 8]}
"""
CLEAN = "camvid-val/clean"
NOISE = "camvid-val/gaussian_noise-3-seed-0"
FRAMES = ("0016E5_07959", "0016E5_07961")


@pytest.fixture
def suite(world):
    path = world.root / "outside.yaml"
    path.write_text(SUITE)
    return path


def command(verb, suite, world, *more):
    options = ["--data-root", str(world.root), "--output", str(world.output)]
    return main([*verb, str(suite), *options, *more])


def manifest(root, **changes):
    """Write a manifest that fits the exported images."""
    exported = json.loads((root.parent / "images" / "images.json").read_text())
    content = {
        "method": "Mine, outside",
        "checkpoint": hashlib.sha256(b"weights").hexdigest(),
        "code": "this test",
        "protocol": "windows of 16 x 16",
        "inputs": {name: folder["digest"] for name, folder in exported["folders"].items()},
    }
    YAML().dump({**content, **changes}, root / "manifest.yaml")


@pytest.fixture
def exported(suite, world, capsys):
    assert command(["export", "images"], suite, world, "--to", str(world.root / "images")) == 0
    assert "4 images and their manifest" in capsys.readouterr().out
    return world.root / "images"


@pytest.fixture
def predicted(exported, world):
    """A folder in which every image is predicted to be of class 1."""
    root = world.root / "outside"
    for folder in (CLEAN, NOISE):
        (root / folder).mkdir(parents=True)
        for frame in FRAMES:
            label = Image.fromarray(np.ones((24, 32), np.uint8))
            label.save(root / folder / f"{frame}.png")
    manifest(root)
    return root


def records(world):
    folder = SuiteFolder(world.output / "outside")
    found = {(r.cell.label, str(r.cell.condition)): r for r in folder.records()}
    return folder, found


def test_predictions_of_a_run_score_exactly_as_that_run(suite, world, exported, my_method):
    """The exported images, predicted by the trained method outside of the harness's scoring."""
    assert command(["run"], suite, world) == 1  # nothing is predicted yet, the others go on
    folder, found = records(world)
    assert set(found) == {("Inside", "clean"), ("Inside", "gaussian_noise 3")}
    plan = make_plan(read_suite(suite), Settings(world.output, world.root))
    training = plan.trainings[0]
    method = make_method(training, plan.suite.protocol)
    for stage, place in training.stages:
        load_stage(method, stage, place)
    from bench.core.schema import Batch
    from bench.engine.evaluation.inference import slide_labels

    for name in (CLEAN, NOISE):
        (world.root / "outside" / name).mkdir(parents=True)
        images = [np.asarray(Image.open(exported / name / f"{frame}.png")) for frame in FRAMES]
        rows = images + images[-1:] * 6  # as the harness pads
        image = torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2).float().div(255)
        seeds = torch.zeros(8, dtype=torch.int64)  # the method draws nothing
        batch = Batch(image, torch.zeros(8, 24, 32, dtype=torch.int64), seeds)
        with torch.inference_mode():
            labels = slide_labels(method, batch, plan.suite.protocol.slide).label
        for frame, label in zip(FRAMES, labels, strict=False):
            file = world.root / "outside" / name / f"{frame}.png"
            Image.fromarray(label.numpy().astype(np.uint8)).save(file)
    manifest(world.root / "outside")
    assert command(["run"], suite, world) == 0
    folder, found = records(world)
    for condition in ("clean", "gaussian_noise 3"):
        inside, outside = (found[label, condition] for label in ("Inside", "Outside"))
        pairs = zip(folder.counts(inside.key), folder.counts(outside.key), strict=True)
        for first, second in pairs:
            np.testing.assert_array_equal(first, second)
        assert len(outside.cell.config["folder"]) == 24  # a digest, and no path


def test_exported_images_are_those_that_a_method_sees(suite, world, exported):
    plan = make_plan(read_suite(suite), Settings(world.output, world.root))
    from bench.data.split import Split

    for planned in plan.cells:
        cell = planned.cell
        split = Split(plan.datasets[cell.test_on.key], cell.test_on, cell.protocol)
        name = CLEAN if cell.condition.corruption == "none" else NOISE
        for index, frame in enumerate(FRAMES):
            seen = split.load(index, cell.condition, cell.seed).image
            np.testing.assert_array_equal(
                np.asarray(Image.open(exported / name / f"{frame}.png")), seen
            )


def test_a_second_run_computes_nothing_and_a_changed_file_its_cells(
    suite, world, predicted, capsys
):
    assert command(["run"], suite, world) == 0
    assert "4 cells computed now" in capsys.readouterr().out
    assert command(["run"], suite, world) == 0
    assert "0 cells computed now" in capsys.readouterr().out
    Image.fromarray(np.zeros((24, 32), np.uint8)).save(predicted / CLEAN / f"{FRAMES[0]}.png")
    assert command(["run"], suite, world) == 0
    assert "2 cells computed now" in capsys.readouterr().out


def refusal(suite, world, capsys):
    capsys.readouterr()
    assert command(["run"], suite, world) == 2
    return capsys.readouterr().err.strip()


def spoil_missing(folder):
    (folder / f"{FRAMES[1]}.png").unlink()
    return f"{folder / FRAMES[1]}.png: no such file; every image needs one prediction"


def spoil_extra(folder):
    Image.new("L", (32, 24)).save(folder / "another.png")
    return f"{folder / 'another.png'}: no image of {CLEAN} has this name"


def spoil_name(folder):
    (folder / f"{FRAMES[1]}.png").rename(folder / "0016E5_7961.png")
    return f"0016E5_7961.png: no image of {CLEAN} has this name; is it {FRAMES[1]}.png?"


def spoil_size(folder):
    Image.new("L", (32, 25)).save(folder / f"{FRAMES[0]}.png")
    return f"{folder / FRAMES[0]}.png: is 25x32; its image is 24x32"


def spoil_value(folder):
    Image.new("L", (32, 24), 40).save(folder / f"{FRAMES[0]}.png")
    return f"{folder / FRAMES[0]}.png: holds [40]; classes are 0..10"


def spoil_channels(folder):
    Image.new("RGB", (32, 24)).save(folder / f"{FRAMES[0]}.png")
    return f"{folder / FRAMES[0]}.png: a colour image; labels have one channel"


def spoil_bytes(folder):
    (folder / f"{FRAMES[0]}.png").write_bytes(b"no image")
    return f"{folder / FRAMES[0]}.png: not a readable image"


SPOILT = (
    spoil_missing,
    spoil_extra,
    spoil_name,
    spoil_size,
    spoil_value,
    spoil_channels,
    spoil_bytes,
)


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_a_wrong_file_is_refused_by_name_before_anything_runs(
    suite, world, predicted, capsys, spoil
):
    expected = spoil(predicted / CLEAN)
    relative = expected.replace(f"{world.root}/", "")
    said = refusal(suite, world, capsys)
    assert relative in said
    assert len(said.splitlines()) == (2 if spoil is spoil_name else 1)
    assert not (world.output / "outside").exists()


def test_predictions_of_other_images_are_refused_by_the_manifest_s_digest(
    suite, world, predicted, capsys
):
    manifest(predicted, inputs={CLEAN: "0" * 24})
    assert f"manifest.yaml: {CLEAN} is of other images" in refusal(suite, world, capsys)
    manifest(predicted, inputs={})
    said = refusal(suite, world, capsys)
    assert f"does not say of which corrupted images {NOISE} is" in said


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"checkpoint": "abc"}, "manifest.yaml: checkpoint: String should match"),
        ({"protocol": ""}, "manifest.yaml: protocol: String should have at least 1"),
        ({"mode": 1}, "manifest.yaml: mode: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_manifest_is_refused_by_field(suite, world, predicted, capsys, changes, expected):
    manifest(predicted, **changes)
    said = refusal(suite, world, capsys)
    assert expected in said
    assert "\n" not in said


def test_a_missing_manifest_is_refused_by_name(suite, world, predicted, capsys):
    (predicted / "manifest.yaml").unlink()
    assert "outside/manifest.yaml: no such file" in refusal(suite, world, capsys)


def test_a_condition_without_predictions_is_left_out_and_the_others_go_on(
    suite, world, predicted, capsys
):
    for file in (predicted / NOISE).iterdir():
        file.unlink()
    (predicted / NOISE).rmdir()
    assert command(["run"], suite, world) == 1
    said = capsys.readouterr().out
    assert f"outside/{NOISE}: no such folder" in said
    assert set(records(world)[1]) == {
        ("Inside", "clean"),
        ("Inside", "gaussian_noise 3"),
        ("Outside", "clean"),
    }


STREETS = DataSpec(
    classes=tuple(CITYSCAPES_IDS), palette=tuple((k, k, k) for k in range(19)), size=(2, 3)
)


def stored(root, content, **changes):
    """The method over a folder with one file, ``a``, under ``streets/clean``."""
    (root / "streets/clean").mkdir(parents=True)
    (root.parent / "images").mkdir()
    (root.parent / "images" / "images.json").write_text('{"folders": {}}')
    manifest(root, **changes)
    if changes.get("values") == "scores":
        np.save(root / "streets/clean/a.npy", content)
    else:
        Image.fromarray(content).save(root / "streets/clean/a_pred.png")
    config = load_config("predictions")[1]["folder"].model_copy(update={"folder": str(root)})
    return load_method("predictions")(config, STREETS).for_images("streets/clean", ["a"])


def test_cityscapes_submission_ids_are_accepted_by_declaration(tmp_path):
    values = np.array([[7, 8, 33], [0, 255, 26]], np.uint8)
    method = stored(tmp_path / "p", values, labels="cityscapes_ids", suffix="_pred")
    label = method.predict(torch.zeros(1, 3, 2, 3), torch.zeros(1))
    assert label.tolist() == [[[0, 1, 18], [255, 255, 13]]]
    assert not method.config.gives_probabilities


def test_scores_are_labels_and_probabilities(tmp_path):
    scores = np.random.default_rng(0).normal(size=(19, 2, 3)).astype(np.float32)
    method = stored(tmp_path / "p", scores, values="scores")
    image = torch.zeros(1, 3, 2, 3)
    assert method.config.gives_probabilities
    assert method.predict(image, torch.zeros(1))[0].tolist() == scores.argmax(0).tolist()
    probabilities = method.probabilities(image, torch.zeros(1))
    torch.testing.assert_close(probabilities[0], torch.from_numpy(scores).softmax(0))
