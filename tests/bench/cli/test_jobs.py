"""Which units wait for which, how many jobs a machine gains from, and what Slurm is asked."""

import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from bench.cli import jobs as module
from bench.cli.jobs import Slurm, Unit, _ended_badly, default_jobs, default_workers, submit, waves
from bench.engine.plan import Settings, make_plan
from bench.suite.reading import read_suite

TEXT = """\
name: trial
question: What waits for what?
methods:
  - {adapter: cam_seg, label: One, preset: tiny}
  - {adapter: cam_seg, label: Same, preset: tiny, config: {inference: {mode: autoregressive}}}
  - {adapter: position_prior, label: Floor}
train_on: [{dataset: scenes, options: {images: 2}}]
test_on: [{dataset: scenes, options: {images: 2}}]
protocol: {resize: [48, 96]}
"""
SLURM = Slurm(["partition=gpu", "comment=a=b"], minutes=30, requeues=2)


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "trial.yaml"
    path.write_text(TEXT)
    return make_plan(read_suite(path), Settings(tmp_path / "out"))


def finish(plan, unit):
    for _, folder in plan.trainings[unit].stages:
        folder.path.mkdir(parents=True)
        folder.weights.write_bytes(b"weights")
        folder.finish({"weights": "digest"})


def test_units_that_share_an_untrained_stage_come_after_each_other(plan):
    assert waves(plan) == [[0, 2], [1]]
    finish(plan, 0)
    assert waves(plan) == [[0, 1, 2]]


def test_units_without_anything_to_do_are_left_out(plan, monkeypatch):
    done = {planned.key for planned in plan.cells_of(plan.trainings[0])}
    monkeypatch.setattr("bench.store.cells.CellStore.is_done", lambda store, key: key in done)
    assert waves(plan) == [[1, 2]]
    done |= {planned.key for planned in plan.cells}
    assert waves(plan) == []


def test_a_dry_run_says_a_line_per_array_and_submits_nothing(plan):
    lines = submit(
        plan, ["my suite.yaml", "--limit", "2"], Path("reports/trial"), SLURM, dry_run=True
    )
    work = "python -m bench work 'my suite.yaml' --limit 2 --unit"
    assert lines == [
        f"array of 2: {work} 0,2",
        f"array of 1: {work} 1 after the array before",
        f"report: python -m bench report {plan.folder.path} --to reports/trial"
        " after the array before",
    ]
    assert not (plan.settings.output / "jobs").exists()


def test_slurm_is_asked_for_what_the_command_line_says():
    alone, after = SLURM.parameters(""), SLURM.parameters("12:13")
    options = {"partition": "gpu", "comment": "a=b", "requeue": True}
    assert alone == {"time": 30, "additional_parameters": options}
    assert after["additional_parameters"] == {**options, "dependency": "afterany:12:13"}


def test_a_unit_that_is_pre_empted_is_put_back_as_it_is(monkeypatch):
    told = []
    monkeypatch.setattr("bench.cli.main.main", lambda arguments: told.append(arguments) or 0)
    unit = Unit(["s.yaml"], 3)
    again = unit.checkpoint()
    assert again.function is unit
    assert unit() == 0
    assert told == [["work", "s.yaml", "--unit", "3"]]


@pytest.mark.parametrize(
    ("cores", "gib", "trainings", "jobs"),
    [(8, 64, 20, 8), (8, 64, 3, 3), (8, 5, 20, 2), (8, 1, 20, 1), (8, 64, 0, 1)],
)
def test_jobs_are_as_many_as_cores_memory_and_trainings_allow(
    monkeypatch, cores, gib, trainings, jobs
):
    memory = SimpleNamespace(available=gib * 2**30)
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    monkeypatch.setattr(module.psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(module, "_cores", lambda: cores)
    assert default_jobs(trainings) == jobs


@pytest.mark.parametrize(
    ("cores", "accelerators", "jobs", "workers"),
    [(2, 0, 1, 0), (16, 0, 1, 0), (2, 1, 1, 1), (16, 1, 1, 8), (16, 4, 4, 3), (1, 1, 1, 0)],
)
def test_workers_take_the_cores_that_jobs_leave(monkeypatch, cores, accelerators, jobs, workers):
    monkeypatch.setattr("bench.cli.jobs._cores", lambda: cores)
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: accelerators > 0)
    assert default_workers(jobs) == workers


def test_workers_that_are_asked_for_leave_fewer_cores_for_jobs(monkeypatch):
    monkeypatch.setattr("bench.cli.jobs._cores", lambda: 8)
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    monkeypatch.setattr("bench.cli.jobs.JOB_BYTES", 1)
    assert [default_jobs(20, workers) for workers in (None, 0, 1, 3, 20)] == [8, 8, 4, 2, 1]


@pytest.mark.parametrize(("trainings", "jobs"), [(20, 4), (2, 2), (0, 1)])
def test_with_accelerators_there_is_a_job_for_each(monkeypatch, trainings, jobs):
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 4)
    assert default_jobs(trainings) == jobs


def test_a_job_that_was_killed_is_told_with_its_last_lines():
    said = []
    progress = SimpleNamespace(say=said.append)

    def killed():
        raise RuntimeError("no result")

    job = SimpleNamespace(job_id="7", result=killed, stdout=lambda: "1\n2\n3\n4\n")
    assert _ended_badly(job, progress)
    job.stdout = lambda: None
    assert _ended_badly(job, progress)
    assert said == ["job 7 ended: 2 | 3 | 4", "job 7 ended: no result"]
    for status, bad in ((0, False), (1, False), (2, True), (143, True)):
        job.result = lambda status=status: status
        assert _ended_badly(job, progress) == bad


def test_ctrl_c_is_left_to_the_process_that_starts_jobs():
    before = signal.getsignal(signal.SIGINT)
    with module._ignoring_interrupts():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGINT) is before
