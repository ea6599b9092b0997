"""Finished cells are computed again; what was changed behind their back is found and named."""

import hashlib

import numpy as np
import pytest
from safetensors.torch import load, save

from bench import corruptions
from bench.cli.main import main
from bench.store.folders import SuiteFolder


def call(world, verb, *options):
    where = ["--data-root", str(world.root), "--output", str(world.output)]
    return main([verb, str(world.suite), *where, *options])


@pytest.fixture
def finished(world, without_report, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "400")
    assert call(world, "run") == 0
    capsys.readouterr()
    return world


def cell_of(world, label="Mine", corruption="none"):
    folder = SuiteFolder(world.output / "small")
    (found,) = (
        record
        for record in folder.records()
        if (record.cell.label, record.cell.condition.corruption) == (label, corruption)
    )
    return folder, found


def move_pixel(world):
    """Have the first pixel of the second image's first kind be another's, in the store."""
    folder, record = cell_of(world)
    counts = folder.counts(record.key)
    row = int(np.flatnonzero(counts.image == 1)[0])
    pixels, image, truth, predicted = (
        np.append(each, last)
        for each, last in (
            (counts.pixels, 1),
            (counts.image, 1),
            (counts.truth, counts.truth[row]),
            (counts.predicted, free_class(counts, row)),
        )
    )
    pixels[row] -= 1
    changed = counts._replace(pixels=pixels, image=image, truth=truth, predicted=predicted)
    folder.cells.write(record, changed, None)


def free_class(counts, row):
    rows = (counts.image == counts.image[row]) & (counts.truth == counts.truth[row])
    return min(set(range(counts.num_classes)) - set(counts.predicted[rows].tolist()))


def test_what_was_computed_comes_out_the_same(finished, capsys):
    assert call(finished, "verify", "--cells", "99") == 0
    shown = capsys.readouterr().out
    assert shown.count(" same on ") == 6
    assert "6 of 6 cells computed again are the same" in shown


def test_cells_and_images_are_drawn_by_their_number(finished, capsys):
    shown = []
    for draw in ("0", "0", "1", "2"):
        assert call(finished, "verify", "--cells", "2", "--images", "1", "--draw", draw) == 0
        lines = capsys.readouterr().out.splitlines()
        shown.append([line[8:] for line in lines if " same on " in line])
    assert all(len(lines) == 2 for lines in shown)
    assert shown[0] == shown[1]
    assert len({tuple(lines) for lines in shown}) > 1


def test_one_pixel_is_found_and_the_image_named(finished, capsys):
    move_pixel(finished)
    assert call(finished, "verify", "--cells", "99", "--images", "99") == 1
    shown = capsys.readouterr().out
    _, record = cell_of(finished)
    (line,) = (line for line in shown.splitlines() if "differs" in line)
    assert f"predictions, first on {record.image_ids[1]}" in line
    assert "1 of " in line
    assert "5 of 6 cells computed again are the same" in shown


def test_a_tolerance_is_a_share_of_the_pixels(finished, capsys):
    move_pixel(finished)
    everything = ("--cells", "99", "--images", "99")
    assert call(finished, "verify", *everything, "--tolerance", "1e-6") == 1
    assert call(finished, "verify", *everything, "--tolerance", "0.01") == 0
    assert "close" in capsys.readouterr().out


def test_other_weights_are_told_from_other_predictions(finished, capsys):
    _, record = cell_of(finished)
    trained = finished.output / "stages" / record.stages[0] / "weights.safetensors"
    trained.write_bytes(trained.read_bytes()[:-1] + b"\x07")
    assert call(finished, "verify", "--cells", "99") == 1
    shown = capsys.readouterr().out
    assert shown.count("weights: ") == 3
    assert "not the weights that stage.json beside it records" in shown


def test_weights_that_are_gone_are_named(finished, capsys):
    _, record = cell_of(finished)
    (finished.output / "stages" / record.stages[0] / "weights.safetensors").unlink()
    assert call(finished, "verify", "--cells", "99") == 1
    shown = capsys.readouterr().out
    assert shown.count("weights.safetensors: no such file; `run` trains them again") == 3


def test_drifted_corruptions_are_told_from_drifted_methods(finished, capsys, monkeypatch):
    probe = corruptions.probe_hash
    monkeypatch.setattr(corruptions, "probe_hash", lambda *where: probe(*where)[::-1])
    assert call(finished, "verify", "--cells", "99") == 1
    shown = capsys.readouterr().out
    assert shown.count("corrupted images: probe ") == 4
    assert shown.count(" same on ") == 2


def test_other_packages_are_named_beside_a_difference(finished, capsys):
    move_pixel(finished)
    folder, record = cell_of(finished)
    before = record.provenance.model_copy(
        update={"packages": {**record.provenance.packages, "torch": "2.0.0"}}
    )
    folder.cells.write(record.model_copy(update={"provenance": before}), None, None)
    assert call(finished, "verify", "--cells", "99", "--images", "99") == 1
    assert "changed since: torch 2.0.0 -> " in capsys.readouterr().out


def test_one_cell_is_computed_again_by_its_key(finished, capsys):
    _, record = cell_of(finished)
    assert call(finished, "verify", "--cell", record.key) == 0
    shown = capsys.readouterr().out
    assert "1 of 1 cells computed again are the same" in shown
    assert call(finished, "verify", "--cell", "0" * 24) == 2
    assert f"no finished cell of the suite has the key {'0' * 24}" in capsys.readouterr().err


def test_what_is_counted_beside_the_confusions_is_held_against_too(finished, capsys):
    folder, record = cell_of(finished)
    counts = folder.counts(record.key)
    folder.cells.write(record, counts._replace(bands=counts.bands + 1), None)
    assert call(finished, "verify", "--cell", record.key, "--images", "99") == 1
    assert "bands, counted of the same predictions" in capsys.readouterr().out


def test_stages_trained_again_have_the_same_weights(finished, capsys):
    _, record = cell_of(finished)
    assert call(finished, "verify", "--cell", record.key, "--retrain") == 0
    assert "1 of 1 cells computed again are the same" in capsys.readouterr().out


def test_weights_that_no_training_gives_are_found_by_training_again(finished, capsys):
    """Weights, their summary and the cells made of them agree; only training tells."""
    folder, record = cell_of(finished)
    stage = folder.cells.stage(record.stages[0])
    tensors = load(stage.weights.read_bytes())
    stage.weights.write_bytes(save({name: 1.01 * value for name, value in tensors.items()}))
    digest = hashlib.sha256(stage.weights.read_bytes()).hexdigest()
    stage.finish({**stage.summary(), "weights": digest})
    assert call(finished, "run") == 0
    capsys.readouterr()
    assert call(finished, "verify", "--cell", record.key) == 0
    assert call(finished, "verify", "--cell", record.key, "--retrain") == 1
    assert "weights of stage network trained again" in capsys.readouterr().out


def test_nothing_finished_is_nothing_to_verify(world, capsys):
    assert call(world, "verify") == 2
    assert "no finished cell of small; run it first" in capsys.readouterr().err
