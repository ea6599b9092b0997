"""The main command, end to end, on a small world of real files; faults injected for real."""

import json
import shutil
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from bench import load_results
from bench.cli import console
from bench.cli.main import main
from bench.core.files import read_sealed
from bench.engine.plan import Settings, make_plan
from bench.engine.training import train
from bench.engine.training.making import make_method
from bench.store.cells import CellStore
from bench.store.folders import SuiteFolder
from bench.suite.reading import read_suite
from tests.helpers.command import run
from tests.helpers.plug_ins import forget_methods


def forget():
    """Have the next run import the method's file anew."""
    sys.modules.pop("methods.my_method", None)
    forget_methods()


def values(world, output=None):
    table = load_results(output or world.output)
    order = ["label", "corruption", "severity", "metric"]
    return table.sort_values(order)[[*order, "value"]].reset_index(drop=True)


def counts(world):
    folder = SuiteFolder(world.output / "small")
    return {
        str(record.cell): {n: a.tolist() for n, a in arrays._asdict().items() if a is not None}
        for record in folder.records()
        for arrays in [folder.counts(record.key)]
    }


class Interrupt:
    """Ctrl-C at the n-th sign of progress."""

    def __init__(self, monkeypatch, after: int) -> None:
        self.left = after
        advance = console.Console.advance

        def counted(console, done, note=""):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            advance(console, done, note)

        monkeypatch.setattr(console.Console, "advance", counted)


def test_a_run_fills_the_store_and_a_second_computes_nothing(world, capsys):
    assert run(world) == 0
    first = capsys.readouterr().out
    assert "6 cells computed now; 6 of 6 done" in first
    table = load_results(world.output)
    assert set(table["status"]) == {"ok"}
    assert len(table) == 6 * 3
    references = SuiteFolder(world.output / "small").manifest().references
    assert references.count("@article{brostow2009camvid,") == 1
    assert references.count("@article{michaelis2019imagecorruptions,") == 1
    records = list(SuiteFolder(world.output / "small").records())
    assert {record.cell.label for record in records if record.floor} == {"Floor"}
    noisy = [r.condition for r in records if r.cell.condition.severity == 5]
    assert {condition.family for condition in noisy} == {"noise"}
    assert not any(record.test_set.generated for record in records)
    assert table["value"].between(0, 1).all()
    assert set(zip(table["corruption"], table["severity"], strict=True)) == {
        ("none", 0),
        ("gaussian_noise", 1),
        ("gaussian_noise", 5),
    }
    stamps = {path: path.stat().st_mtime_ns for path in world.output.rglob("*") if path.is_file()}
    assert run(world) == 0
    assert "0 cells computed now; 6 of 6 done" in capsys.readouterr().out
    assert stamps == {
        path: path.stat().st_mtime_ns for path in world.output.rglob("*") if path.is_file()
    }


@pytest.mark.usefixtures("without_report")
def test_two_runs_from_empty_stores_agree_in_every_row(world):
    assert run(world) == 0
    first = values(world)
    shutil.rmtree(world.output)
    assert run(world) == 0
    assert first.equals(values(world))
    assert run(world, "--seeds", "1") == 0
    assert not first.equals(values(world))


@pytest.mark.usefixtures("without_report")
def test_the_number_of_workers_changes_nothing(world, monkeypatch):
    """Neither weights nor counts, whoever loads, and from an empty cache."""
    found = {}
    for workers in (0, 1, 3):
        monkeypatch.setenv("BENCH_CACHE", str(world.root / f"cache {workers}"))
        assert run(world, "--jobs", "1", "--workers", str(workers)) == 0
        store = CellStore(world.output)
        weights = {key: store.stage(key).digest() for key in store.stage_keys()}
        found[workers] = (weights, counts(world))
        shutil.rmtree(world.output)
    assert found[1] == found[0]
    assert found[3] == found[0]


@pytest.mark.usefixtures("without_report")
def test_a_method_is_compiled_and_keeps_channels_last_where_the_protocol_says_so(
    world, monkeypatch
):
    """Without a compiler: that modules run as traced is what counts here."""
    compiled = []

    def trace(module):
        compiled.append(type(module).__name__)
        module._compiled_call_impl = torch.compile(module._call_impl, backend="eager")

    monkeypatch.setattr(torch.nn.Module, "compile", trace)
    assert run(world, "--jobs", "1") == 0
    assert compiled == []
    before = counts(world)
    settings = ("--set", "protocol.compile=true", "--set", "protocol.channels_last=true")
    assert run(world, "--jobs", "1", *settings) == 0
    assert "Sequential" in compiled
    after = counts(world)
    assert after.keys() == before.keys()
    loaded = read_suite(world.suite, ["protocol.compile=true", "protocol.channels_last=true"])
    plan = make_plan(loaded, Settings(world.output, world.root))
    assert all(plan.store.is_done(planned.key) for planned in plan.cells)
    method = make_method(plan.trainings[1], plan.suite.protocol)
    assert method.network[0].weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.usefixtures("without_report")
@pytest.mark.parametrize("after", [1, 4, 9, 11, 12])
def test_interrupting_loses_no_finished_cell_and_repeats_none(world, monkeypatch, capsys, after):
    with monkeypatch.context() as patch:
        Interrupt(patch, after)
        assert run(world) == 130
    assert "goes on from here" in capsys.readouterr().err
    cells = world.output / "cells"
    finished = {path: path.stat().st_mtime_ns for path in cells.rglob("*.json")}
    assert run(world) == 0
    assert f"{6 - len(finished)} cells computed now" in capsys.readouterr().out
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in finished.items())
    resumed = values(world)
    shutil.rmtree(world.output)
    assert run(world) == 0
    assert resumed.equals(values(world))


@pytest.mark.usefixtures("without_report")
def test_a_stage_resumes_from_its_checkpoint_to_the_same_weights(world, monkeypatch):
    def weights():
        return {
            json.loads(read_sealed(path))["weights"] for path in world.output.rglob("stage.json")
        }

    assert run(world) == 0
    expected = weights()
    shutil.rmtree(world.output)
    monkeypatch.setattr(train, "CHECKPOINT_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        Interrupt(patch, 2 + 3 + 3)  # within the fourth step of my_method's six
        assert run(world) == 130
    assert list(world.output.rglob("checkpoint.pt"))
    trained = []
    optimise = train._Run._optimise

    def noted(self, *arguments):
        trained.append(self.step)
        return optimise(self, *arguments)

    monkeypatch.setattr(train._Run, "_optimise", noted)
    assert run(world) == 0
    assert weights() == expected
    assert 0 < len(trained) < 6
    assert not list(world.output.rglob("checkpoint.pt"))
    steps = [
        json.loads(line)["step"]
        for path in world.output.rglob("log.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert steps == [1, 2, 3, 4, 5, 6]


@pytest.mark.usefixtures("without_report")
def test_a_failing_method_stops_no_other(world, my_method, capsys):
    text = my_method.read_text()
    my_method.write_text(text.replace("return self.network(image).argmax(dim=1)", "return 1 / 0"))
    forget()
    assert run(world) == 1
    out = capsys.readouterr().out
    assert "Failed cells" in out
    assert "ZeroDivisionError" in out
    table = load_results(world.output)
    assert set(table[table["label"] == "Floor"]["status"]) == {"ok"}
    failed = table[table["label"] == "Mine"]
    assert set(failed["status"]) == {"failed"}
    assert failed["value"].isna().all()
    my_method.write_text(text)
    forget()
    assert run(world) == 0
    assert "3 cells computed now; 6 of 6 done" in capsys.readouterr().out


MEASURING = """
    def reconstruct(self, label, seeds):
        return label.clamp(max=self.data.num_classes - 1)

    def measure(self, batches):
        return {"images": float(sum(len(batch.label) for batch in batches))}
"""


@pytest.mark.usefixtures("without_report")
def test_what_a_codec_measures_is_kept_with_its_clean_reconstruction(world, my_method, capsys):
    text = my_method.read_text()
    text = text.replace(
        "class Config(MethodConfig):",
        "class Config(MethodConfig):\n    tasks = ('predict', 'reconstruct')",
    )
    my_method.write_text(text + MEASURING)
    forget()
    assert run(world, "--set", "tasks=[predict,reconstruct]") == 0
    measured = {
        str(record.cell): dict(record.measured)
        for record in SuiteFolder(world.output / "small").records()
        if record.measured
    }
    assert len(measured) == 1
    ((cell, numbers),) = measured.items()
    assert cell.endswith("clean | reconstruct | seed 0")
    assert numbers["images"] >= 1
    tried = "Mine: truth, codec, truth on 2 images: 100.0% of the pixels kept"
    assert tried in capsys.readouterr().out


@pytest.mark.usefixtures("without_report")
def test_a_loss_that_is_not_finite_stops_with_step_and_term(world, my_method):
    text = my_method.read_text()
    my_method.write_text(text.replace("return {", 'return {"broken": batch.image.sum() / 0, '))
    forget()
    assert run(world) == 1
    errors = {r.error for r in SuiteFolder(world.output / "small").records() if r.error}
    assert len(errors) == 1
    assert "stage 'network', step 0: loss 'broken' is inf" in errors.pop()


def _truncate(path):
    path.write_bytes(path.read_bytes()[:60])


def _label_of_99(path):
    Image.fromarray(np.full((24, 32), 99, np.uint8)).save(path)


def _smaller(path):
    Image.fromarray(np.zeros((10, 10), np.uint8)).save(path)


@pytest.mark.usefixtures("without_report")
@pytest.mark.parametrize(
    ("folder", "break_file", "says"),
    [
        ("train", _truncate, "damaged"),
        ("valannot", _truncate, "damaged"),
        ("trainannot", _label_of_99, "99"),
        ("valannot", _smaller, "10x10"),
        ("trainannot", lambda path: path.unlink(), "missing"),
    ],
)
def test_damaged_data_are_one_line_and_leave_nothing_behind(
    world, capsys, folder, break_file, says
):
    path = sorted((world.root / "camvid" / folder).iterdir())[1]
    break_file(path)
    assert run(world) == 2
    error = capsys.readouterr().err.strip()
    assert "\n" not in error
    assert path.name in error
    assert says in error
    assert not [p for p in world.output.rglob("*") if p.is_file()]


def test_a_missing_data_root_is_one_line(world, capsys):
    arguments = ["run", str(world.suite), "--output", str(world.output)]
    for options, says in ([], "--data-root"), (["--data-root", "nowhere"], "nowhere"):
        assert main([*arguments, *options]) == 2
        error = capsys.readouterr().err.strip()
        assert says in error
        assert "\n" not in error
    assert not world.output.exists()


@pytest.mark.usefixtures("without_report")
def test_a_wrong_suite_is_refused_before_anything(world, capsys):
    assert run(world, "--set", "seeds=zero") == 2
    assert "small.yaml:1:1: seeds" in capsys.readouterr().err
    assert not world.output.exists()


@pytest.mark.usefixtures("without_report")
def test_a_limit_is_stamped_on_every_result(world):
    assert run(world, "--limit", "1") == 0
    table = load_results(world.output)
    assert set(table["num_images"]) == {1}
    assert set(table["limit"]) == {1}


@pytest.mark.usefixtures("without_report")
def test_a_changed_label_invalidates_exactly_the_cells_that_used_it(world, capsys):
    both = "test_on=[camvid, {dataset: camvid, split: test}]"
    assert run(world, "--set", both, "--set", "conditions=[]") == 0
    capsys.readouterr()
    path = sorted((world.root / "camvid" / "valannot").iterdir())[0]
    label = np.array(Image.open(path))
    label[0, 0] = (label[0, 0] + 1) % 11
    Image.fromarray(label).save(path)
    assert run(world, "--set", both, "--set", "conditions=[]") == 0
    out = capsys.readouterr().out
    assert "2 cells computed now; 4 of 4 done" in out
    assert "training" not in out


@pytest.mark.usefixtures("without_report")
def test_weights_that_are_not_the_recorded_ones_are_set_aside_and_trained_again(
    world, capsys, caplog
):
    assert run(world) == 0
    expected = counts(world)
    for weights in world.output.rglob("stages/*/weights.safetensors"):
        weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")
    shutil.rmtree(world.output / "cells")
    assert run(world) == 0
    assert counts(world) == expected
    assert caplog.text.count("weights.safetensors: damaged") == 2
    assert len(list(world.output.glob("damaged/*-weights.safetensors"))) == 2


@pytest.mark.usefixtures("without_report")
def test_more_seeds_extend_a_run_and_keep_what_is_done(world, capsys):
    assert run(world) == 0
    before = {key: record.finished for key, record in finished(world).items()}
    capsys.readouterr()
    assert run(world, "--seeds", "0,1,2") == 0
    assert "12 cells computed now; 18 of 18 done" in capsys.readouterr().out
    after = finished(world)
    assert {record.cell.seed for record in after.values()} == {0, 1, 2}
    assert before.items() <= {key: record.finished for key, record in after.items()}.items()


def finished(world):
    folder = SuiteFolder(world.output / "small")
    return {record.key: record for record in folder.records()}


@pytest.mark.usefixtures("without_report")
def test_plan_says_what_is_left(world, capsys):
    arguments = [str(world.suite), "--data-root", str(world.root), "--output", str(world.output)]
    assert main(["plan", *arguments]) == 0
    assert "6 of 6 cells to do" in capsys.readouterr().out
    assert run(world) == 0
    capsys.readouterr()
    assert main(["plan", *arguments, "--seeds", "1"]) == 0
    out = capsys.readouterr().out
    assert "6 of 6 cells to do: about" in out
    assert "not measured" not in out
    assert main(["plan", *arguments]) == 0
    assert "0 of 6 cells to do" in capsys.readouterr().out
