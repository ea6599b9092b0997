"""Files of weights: read without running them, checked, loaded in the place of training."""

import pickle
import re
import zipfile

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from bench.cli.main import main
from bench.core.errors import UnreadableWeights, WeightsError
from bench.engine.training import train
from bench.engine.training.safe_unpickling import read_tensors
from bench.engine.training.weights import load_weights
from bench.store.folders import SuiteFolder
from tests.helpers.command import run


class Trap:
    """An object whose pickle, loaded the usual way, runs code."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_reading_runs_nothing_of_a_file(tmp_path):
    sprung = tmp_path / "sprung"
    torch.save({"state_dict": {"a.b": torch.ones(2)}, "trap": Trap(sprung)}, tmp_path / "x.pth")
    tensors = read_tensors(tmp_path / "x.pth")
    assert list(tensors) == ["a.b"]
    assert not sprung.exists()


def test_a_section_is_what_was_asked_for(tmp_path):
    path = tmp_path / "x.pth"
    torch.save({"model": {"a": torch.ones(2)}, "ema": {"a": torch.zeros(2)}}, path)
    assert read_tensors(path)["a"].tolist() == [1, 1]
    assert read_tensors(path, "ema")["a"].tolist() == [0, 0]
    with pytest.raises(UnreadableWeights, match="no section 'mean'; its sections: ema, model"):
        read_tensors(path, "mean")


def test_files_that_hold_no_tensors_are_refused_by_name(tmp_path):
    path = tmp_path / "x.pth"
    with pytest.raises(UnreadableWeights, match="no such file"):
        read_tensors(path)
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(UnreadableWeights, match="not a torch file"):
        read_tensors(path)
    torch.save({"a": 1}, path)
    with pytest.raises(UnreadableWeights, match="neither a state dict nor a module"):
        read_tensors(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", b"\x80\x02")
    with pytest.raises(UnreadableWeights, match="damaged"):
        read_tensors(path)


def test_weights_that_do_not_fit_are_refused_by_name(tmp_path):
    path, module = tmp_path / "x.safetensors", nn.Linear(2, 3)
    save_file({"head.weight": torch.ones(3, 2), "head.extra": torch.ones(1)}, path)
    with pytest.raises(WeightsError, match=r"lacks head\.bias; has head\.extra beside"):
        load_weights(path, {"head": module})
    save_file({"head.weight": torch.ones(3, 2), "head.bias": torch.ones(2)}, path)
    with pytest.raises(WeightsError, match=r"head\.bias is \[2\], not \[3\]"):
        load_weights(path, {"head": module})
    path.write_bytes(b"no header")
    with pytest.raises(WeightsError, match="not a readable safetensors file"):
        load_weights(path, {"head": module})
    path.unlink()
    with pytest.raises(WeightsError, match="not a readable safetensors file"):
        load_weights(path, {"head": module})


def give(world, path):
    """Have the suite's learned method take its weights from a file."""
    given = f"config: {{steps: 6, weights: {{network: {path}}}}}"
    world.suite.write_text(world.suite.read_text().replace("config: {steps: 6}", given))


def stage_folders(world):
    """Return the folders of the learned method's stages."""
    folders = {
        world.output / "stages" / key
        for record in SuiteFolder(world.output / "small").records()
        if record.cell.method == "my_method"
        for key in record.stages
    }
    assert len(folders) == 1
    return folders


@pytest.mark.usefixtures("without_report")
def test_a_stage_s_file_takes_the_place_of_training_in_any_method(world, monkeypatch):
    assert run(world) == 0
    (trained,) = stage_folders(world)
    path = world.root / "given.safetensors"
    path.write_bytes((trained / "weights.safetensors").read_bytes())
    give(world, path)
    monkeypatch.setattr(train._Run, "train", lambda *_: pytest.fail("trained all the same"))
    assert run(world) == 0
    (loaded,) = stage_folders(world)
    assert loaded != trained
    want, got = (load_file(f / "weights.safetensors") for f in (trained, loaded))
    assert all(torch.equal(got[key], value) for key, value in want.items())


@pytest.mark.usefixtures("without_report")
def test_cells_depend_on_what_is_in_the_file_and_not_on_where_it_lies(world, capsys):
    assert run(world) == 0
    (trained,) = stage_folders(world)
    weights = load_file(trained / "weights.safetensors")
    path, moved = world.root / "given.safetensors", world.root / "moved.safetensors"
    save_file(weights, path)
    give(world, path)
    assert run(world) == 0
    path.rename(moved)
    give_again = world.suite.read_text().replace(str(path), str(moved))
    world.suite.write_text(give_again)
    capsys.readouterr()
    assert run(world) == 0
    assert "0 cells computed now" in capsys.readouterr().out
    save_file({key: value + 1 for key, value in weights.items()}, moved)
    assert run(world) == 0
    assert "3 cells computed now" in capsys.readouterr().out


@pytest.mark.usefixtures("without_report")
def test_weights_that_are_missing_are_named_and_the_rest_is_run(world, capsys):
    give(world, world.root / "none.safetensors")
    assert run(world) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "weights of stage 'network'" in shown
    assert "none.safetensors: no such file; `python -m bench weights convert` makes one" in shown
    assert "3 cells computed now; 3 of 6 done" in shown


@pytest.mark.usefixtures("without_report")
def test_weights_for_no_stage_stop_the_run_before_it_begins(world, capsys):
    give(world, world.root / "none.safetensors")
    text = world.suite.read_text().replace("weights: {network", "weights: {nework")
    world.suite.write_text(text)
    assert run(world) == 2
    assert "given for 'nework'; its stages are network" in capsys.readouterr().err


@pytest.mark.usefixtures("without_report")
def test_a_file_of_other_weights_fails_its_cells_alone(world):
    path = world.root / "given.safetensors"
    save_file({"network.0.weight": torch.ones(1)}, path)
    give(world, path)
    assert run(world) == 1
    records = list(SuiteFolder(world.output / "small").records())
    failed = [record for record in records if record.status == "failed"]
    assert {record.cell.label for record in failed} == {"Mine"}
    assert "lacks network.0.bias" in failed[0].error


@pytest.mark.parametrize("option", ["--config", "--preset"])
def test_the_verb_says_what_it_wrote_and_what_it_could_not_map(option, tmp_path, capsys):
    path = tmp_path / "vae.pth"
    torch.save({"a": torch.ones(1)}, path)
    to = str(tmp_path / "out")
    assert main(["weights", "convert", "gss", str(path), option, "tiny", "--to", to]) == 2
    error = capsys.readouterr().err
    assert error == f"{path}: gss has a place for none of its tensors (a)\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["gs", "FILE", "--preset", "tiny"], "no method 'gs'; .*did you mean 'gss'"),
        (["gss", "FILE", "--preset", "tinny"], "gss has no preset 'tinny'; .*did you mean"),
        (["baselines", "FILE", "--preset", "segformer_tiny"], "no convert.py: .* gss"),
        (["gss", "FILE", "--preset", "tiny"], "FILE: no such file"),
    ],
)
def test_the_verb_refuses_in_one_line(arguments, fault, capsys):
    assert main(["weights", "convert", *arguments]) == 2
    assert re.fullmatch(f".*{fault}.*\n", capsys.readouterr().err)
