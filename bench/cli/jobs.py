"""Several jobs on one suite, started by submitit: here as processes, or on a Slurm cluster.

Each job runs ``python -m bench work SUITE``. Jobs share the store: whoever holds the lock of a
stage or of a group of cells computes it, so nothing is computed twice, whatever is killed.
"""

from __future__ import annotations

import os
import shlex
import signal
import time
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from bench.cli.journal import JournalReader
from bench.engine.plan import Plan
from bench.engine.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    import submitit

POLL_SECONDS = 0.2
JOB_BYTES = 2 * 2**30
"""Memory that a job of small methods takes at most."""
FOREVER_MINUTES = 60 * 24 * 365


MOST_WORKERS = 8
"""Beside one job; on a machine of many cores the method is the slower by then."""


def default_jobs(trainings: int, workers: int | None = None) -> int:
    """Return how many jobs a machine gains most from.

    Without an accelerator, single-threaded processes beat threads: as many as there are
    cores, if memory allows (the kernel's caches of files count as free). With one or more, one
    process per accelerator.

    Args:
        trainings: of the plan; more jobs than trainings are not started.
        workers: beside each job, where their number is given.
    """
    import torch

    if torch.accelerator.is_available():
        return max(1, min(torch.accelerator.device_count(), trainings))
    memory = psutil.virtual_memory().available
    cores = _cores() // (1 + (workers or 0))
    return max(1, min(cores, int(memory // JOB_BYTES), trainings))


def default_workers(jobs: int) -> int:
    """Return how many processes load images beside each of so many jobs on this machine."""
    import torch

    if not torch.accelerator.is_available():
        return 0
    return max(0, min(MOST_WORKERS, _cores() // jobs - 1))


def run_here(plan: Plan, arguments: Sequence[str], jobs: int, progress: Sequence[Progress]) -> int:
    """Run jobs on this machine until all have ended; return how many ended badly.

    Ctrl-C and SIGTERM are passed on to the jobs, which write checkpoints and release locks.

    Args:
        plan: what is to be done.
        arguments: of the verb ``work``: the suite and its options.
        jobs: how many processes.
        progress: one per job.
    """
    import submitit

    folder = plan.settings.output / "jobs" / f"{time.time_ns()}"
    executor = submitit.LocalExecutor(folder)
    executor.update_parameters(
        timeout_min=FOREVER_MINUTES, stderr_to_stdout=True, gpus_per_node=_accelerators()
    )
    threads = max(1, _cores() // jobs - plan.settings.workers)
    journals = [folder / f"journal-{index}.jsonl" for index in range(jobs)]
    with _ignoring_interrupts():
        running = [
            executor.submit(work, [*arguments, "--journal", str(journal)], threads)
            for journal in journals
        ]
    readers = [JournalReader(journal, plan.store) for journal in journals]
    try:
        while not all(job.done() for job in running):
            _replay(readers, progress)
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        for job in running:
            os.kill(int(job.job_id), signal.SIGTERM)
        while not all(job.done() for job in running):
            time.sleep(POLL_SECONDS)
        raise
    finally:
        _replay(readers, progress)
    return sum(_ended_badly(job, told) for job, told in zip(running, progress, strict=True))


def work(arguments: Sequence[str], threads: int) -> int:
    """Be a job: run the verb ``work`` with so many threads; return its exit status."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    import torch

    from bench.cli.main import main

    torch.set_num_threads(threads)
    return main(["work", *arguments])


def submit(
    plan: Plan, arguments: Sequence[str], report: Path, settings: Slurm, *, dry_run: bool
) -> list[str]:
    """Submit a suite to Slurm: an array of units, then a job that writes the report.

    A unit is a training with its cells. Units whose stages another unit trains first go into
    a later array, which begins when the earlier one has ended.

    Args:
        plan: what is to be done.
        arguments: of the verb ``work``.
        report: folder of the report.
        settings: what a job asks for.
        dry_run: only say what would be submitted.

    Returns:
        A line per array.
    """
    import submitit

    folder = plan.settings.output / "jobs" / f"{time.time_ns()}"
    executor = submitit.SlurmExecutor(folder) if not dry_run else None
    lines, after = [], ""
    for wave in waves(plan):
        listed = ",".join(map(str, wave))
        command = shlex.join(["python", "-m", "bench", "work", *arguments, "--unit"])
        lines.append(
            f"array of {len(wave)}: {command} {listed}" + (f" after {after}" * bool(after))
        )
        if executor is not None:
            after = _submit_array(executor, arguments, wave, settings, after)
            lines[-1] = f"job {after}, {lines[-1]}"
        else:
            after = "the array before"
    last = ["report", str(plan.folder.path), "--to", str(report)]
    lines.append(f"report: {shlex.join(['python', '-m', 'bench', *last])} after {after}")
    if executor is not None:
        executor.update_parameters(**settings.parameters(after))
        job = executor.submit(report_job, last)
        lines[-1] = f"job {job.job_id}, {lines[-1]}"
    return lines


class Slurm:
    """What a job asks of Slurm, from the command line; nothing of it is in the code."""

    def __init__(self, options: Sequence[str], minutes: int, requeues: int) -> None:
        """Take ``key=value`` options as sbatch names them, such as ``partition=gpu``."""
        self.options = dict(option.split("=", 1) for option in options)
        self.minutes, self.requeues = minutes, requeues

    def parameters(self, after: str) -> dict[str, Any]:
        """Return submitit's parameters; ``after``: job ids that must have ended."""
        additional: dict[str, Any] = {**self.options, "requeue": True}
        if after:
            additional["dependency"] = f"afterany:{after}"
        return {"time": self.minutes, "additional_parameters": additional}


def report_job(arguments: Sequence[str]) -> int:
    """Be the job that writes the report."""
    from bench.cli.main import main

    return main(list(arguments))


def waves(plan: Plan) -> list[list[int]]:
    """Return units in waves: those that share an untrained stage with an earlier one later."""
    trained_in: dict[str, int] = {}
    placed: dict[int, int] = {}
    for unit, training in enumerate(plan.trainings):
        if all(plan.store.is_done(planned.key) for planned in plan.cells_of(training)):
            continue
        untrained = [folder.key for _, folder in training.stages if not folder.is_finished()]
        wave = max((trained_in[key] + 1 for key in untrained if key in trained_in), default=0)
        placed[unit] = wave
        for key in untrained:
            trained_in.setdefault(key, wave)
    return [
        [unit for unit, its in placed.items() if its == wave]
        for wave in range(max(placed.values(), default=-1) + 1)
    ]


def _submit_array(
    executor: Any, arguments: Sequence[str], wave: Sequence[int], settings: Slurm, after: str
) -> str:
    """Submit the units of a wave as one array; return its job id."""
    executor.update_parameters(**settings.parameters(after))
    executor.max_num_timeout = settings.requeues
    with executor.batch():
        jobs = [executor.submit(Unit(arguments, unit)) for unit in wave]
    return str(jobs[0].job_id).partition("_")[0]


class Unit:
    """A unit of work on a cluster; submitit asks it what to do when it is pre-empted."""

    def __init__(self, arguments: Sequence[str], unit: int) -> None:
        self.arguments, self.unit = list(arguments), unit

    def __call__(self) -> int:
        """Do the unit; what was done before is not done again."""
        from bench.cli.main import main

        return main(["work", *self.arguments, "--unit", str(self.unit)])

    def checkpoint(self) -> submitit.helpers.DelayedSubmission:
        """Return what is put back into the queue: the same again."""
        import submitit

        return submitit.helpers.DelayedSubmission(self)


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _replay(readers: Sequence[JournalReader], progress: Sequence[Progress]) -> None:
    for reader, told in zip(readers, progress, strict=True):
        reader.replay(told)


def _ended_badly(job: Any, progress: Progress) -> bool:
    """Whether a job ended without having done its part; what it printed last is told."""
    try:
        status = job.result()
    except Exception as error:  # submitit raises what the job raised, in its own words
        tail = (job.stdout() or "").strip().splitlines()[-3:]
        progress.say(f"job {job.job_id} ended: {' | '.join(tail) or error}")
        return True
    return status not in (0, 1)


@contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    """Have processes that start within the block leave Ctrl-C to this one, which tells them."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _accelerators() -> int:
    """Return how many accelerators jobs are to see; submitit hides them unless told."""
    import torch

    return torch.accelerator.device_count() if torch.accelerator.is_available() else 0
