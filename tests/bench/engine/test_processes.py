"""Several processes on one store, killed, interrupted and starved: the results stay the same."""

import os
import random
import shutil
import signal
import subprocess
import time
from typing import NamedTuple

import pytest

from bench.store.cells import CellStore
from bench.store.folders import SuiteFolder
from bench.store.maintenance import check
from tests.helpers.processes import ProcessWorld, make_world

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("BENCH_KILLS", "10"))


class Whole(NamedTuple):
    """A world with an uninterrupted run, and how long that took."""

    world: ProcessWorld
    seconds: float


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    world = make_world(tmp_path_factory.mktemp("processes"))
    started = time.monotonic()
    status, printed = world.run("run", "whole", "--jobs", "2")
    assert status == 0, printed
    assert "16 cells computed now; 16 of 16 done" in printed
    return Whole(world, time.monotonic() - started)


@pytest.fixture
def world(whole):
    return whole.world


def kill(process, number=signal.SIGKILL):
    os.killpg(process.pid, number)
    process.communicate()


def test_killing_everything_at_random_moments_changes_no_result(whole):
    """Killed runs go on where they were; where one ends by itself, the next begins anew."""
    world, moments = whole.world, random.Random(0)
    kills = 0
    while kills < KILLS:
        process = world.start("run", "killed", "--jobs", "2")
        try:
            process.wait(timeout=moments.uniform(0.1, whole.seconds))
        except subprocess.TimeoutExpired:
            kill(process)
            kills += 1
        else:
            printed, _ = process.communicate()
            assert process.returncode == 0, printed
            assert world.results("killed") == world.results("whole")
            shutil.rmtree(world.folder / "killed")
    status, printed = world.run("run", "killed", "--jobs", "2")
    assert status == 0, printed
    assert world.results("killed") == world.results("whole")
    texts = {fault.text for fault in check(world.folder / "killed")}
    assert texts <= {"left by a write that did not end"}


@pytest.mark.parametrize("runs", [2, 4])
def test_simultaneous_runs_train_and_compute_nothing_twice(world, runs):
    output = f"together {runs}"
    processes = [world.start("run", output, "--jobs", "1") for _ in range(runs)]
    printed = [process.communicate(timeout=600)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * runs, printed
    assert world.results(output) == world.results("whole")
    lines = "\n".join(printed).splitlines()
    trainings = [line.partition("  ")[2].strip() for line in lines if ": training " in line]
    assert len(trainings) == len(set(trainings)) == 6  # two stems, three heads, one floor
    assert sum(" mIoU " in line for line in lines) == 16


@pytest.mark.parametrize(
    ("number", "workers"), [(signal.SIGTERM, 0), (signal.SIGTERM, 2), (signal.SIGINT, 2)]
)
def test_a_signal_leaves_a_checkpoint_and_no_lock(world, number, workers):
    """Sent to the run alone, or to its workers too, as Ctrl-C and Slurm do."""
    output = f"signal {number} {workers}"
    options = ("--jobs", "1", "--workers", str(workers)) if workers else ("--jobs", "2")
    process = world.start("run", output, *options)
    checkpoints = world.folder / output / "stages"
    deadline = time.monotonic() + 120
    while not list(checkpoints.glob("*/checkpoint.pt")) and time.monotonic() < deadline:
        time.sleep(0.05)
    (os.killpg if workers else os.kill)(process.pid, number)
    printed, _ = process.communicate(timeout=120)
    assert "Traceback" not in printed
    assert process.returncode == (143 if number == signal.SIGTERM else 130), printed
    assert "the same command goes on from here" in printed
    store = CellStore(world.folder / output)
    for path in (world.folder / output / "locks").glob("*.lock"):
        with store.lock(path.stem).acquire(timeout=1):
            pass
    assert world.run("run", output, *options)[0] == 0
    assert world.results(output) == world.results("whole")


def test_a_killed_worker_is_one_line_and_the_run_goes_on(world):
    process = world.start("run", "worker killed", "--jobs", "1", "--workers", "1")
    worker = None
    deadline = time.monotonic() + 120
    while worker is None and time.monotonic() < deadline:
        listed = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True)
        worker = next(iter(map(int, listed.stdout.split())), None)
        time.sleep(0.05)
    os.kill(worker, signal.SIGKILL)
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 1, printed
    assert "process that loads images was killed" in printed
    assert "Traceback" not in printed
    assert world.run("run", "worker killed", "--jobs", "1", "--workers", "1")[0] == 0
    assert world.results("worker killed") == world.results("whole")


def test_a_read_only_store_is_one_line(world):
    if os.getuid() == 0:
        mounted = world.folder / "read only"
        mounted.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "ro", "none", str(mounted)], capture_output=True
        )
        if done.returncode:
            pytest.skip("no right to mount here")
    else:
        mounted = world.folder / "read only"
        mounted.mkdir(mode=0o500)
    try:
        status, printed = world.run("run", "read only")
        assert status == 2
        assert printed.strip().count("\n") <= 2
        assert "cannot be written to" in printed
    finally:
        subprocess.run(["umount", str(mounted)], capture_output=True)


@pytest.mark.parametrize("kib", [64, 160, 400])
def test_a_full_disk_leaves_a_valid_store(world, kib):
    folder = world.folder / f"full {kib}"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "none", str(folder)], capture_output=True
    )
    if done.returncode:
        pytest.skip("no right to mount here")
    try:
        status, printed = world.run("run", folder.name, "--jobs", "1")
        assert status in (1, 2), printed
        assert "No space left" in printed or "no space left" in printed
        assert "Traceback" not in printed
        subprocess.run(["mount", "-o", "remount,size=100m", str(folder)], check=True)
        status, printed = world.run("run", folder.name, "--jobs", "1")
        assert status == 0, printed
        assert world.results(folder.name) == world.results("whole")
    finally:
        subprocess.run(["umount", str(folder)], capture_output=True)


def test_one_job_that_is_killed_leaves_its_part_to_the_others(world):
    process = world.start("run", "one killed", "--jobs", "2")
    victims = []
    deadline = time.monotonic() + 120
    while not victims and time.monotonic() < deadline:
        listed = subprocess.run(["pgrep", "-f", "submitit.core._submit"], capture_output=True)
        mine = [int(pid) for pid in listed.stdout.split() if _group(int(pid)) == process.pid]
        victims = mine[:1] if list((world.folder / "one killed").glob("stages/*")) else []
        time.sleep(0.05)
    os.kill(victims[0], signal.SIGKILL)
    printed, _ = process.communicate(timeout=600)
    assert process.returncode == 0, printed
    assert world.results("one killed") == world.results("whole")


def test_a_rank_that_fails_ends_its_method_alone_and_no_rank_hangs(world):
    failing = ("--set", "methods.1.config={failing_rank: 1}")
    status, printed = world.run("run", "ranks", *failing, ranks=2)
    assert status == 1, printed
    assert "this rank fails" in printed
    folder = SuiteFolder(world.folder / "ranks" / "small")
    states = {(r.cell.label, r.status) for r in folder.records()}
    assert states == {("One", "ok"), ("Two", "failed"), ("Three", "ok"), ("Floor", "ok")}
    # Weights know how many processes trained them; the floor's, in closed form, do not.
    labels = {r.key: r.cell.label for r in SuiteFolder(world.folder / "whole" / "small").records()}
    assert {labels[r.key] for r in folder.records() if r.key in labels} == {"Floor"}


def _group(pid):
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0
