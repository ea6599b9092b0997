"""The verbs that compute a suite: run, work, submit, plan, verify; each returns an exit status."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.parser import IMAGES, OUTPUT
from bench.cli.verbs import REPORTS, write_report
from bench.core.errors import PlanError
from bench.core.resources import REFERENCE

if TYPE_CHECKING:
    from bench.cli.console import Console
    from bench.engine.plan import Plan
    from bench.engine.run import Outcome


def run(options: argparse.Namespace) -> int:
    """Compute what is missing of a suite, in one process or several, and write its report."""
    plan = _make_plan(options)
    from bench.cli.console import Console
    from bench.cli.jobs import default_jobs
    from bench.engine.interrupt import interruptible

    unfinished = [
        training
        for training in plan.trainings
        if any(not plan.store.is_done(planned.key) for planned in plan.cells_of(training))
    ]
    jobs = options.jobs or default_jobs(len(unfinished), options.workers)
    jobs = 1 if _launched() else min(jobs, max(1, len(unfinished)))
    plan = _with_workers(plan, options, jobs)
    with interruptible(), Console(plan.suite.primary_metric, _is_main_process()) as console:
        outcome = _compute(plan, options, jobs, console)
        if not _is_main_process():
            return 0
        return _finish(plan, outcome, console, _report(options, plan), debug=options.debug)


def _compute(plan: Plan, options: argparse.Namespace, jobs: int, console: Console) -> Outcome:
    """Compute what is missing, by several jobs first if there are to be any."""
    from bench.engine.run import run as run_plan

    if jobs == 1 or not plan.cells:
        return run_plan(plan, console)
    from bench.cli.jobs import run_here
    from bench.core.provenance import device_here
    from bench.engine.cost import estimate, longest_first
    from bench.engine.run import prepare

    before = sum(plan.store.is_done(planned.key) for planned in plan.cells)
    prepare(plan, console)
    arguments = [*_arguments(options, plan), "--workers", str(plan.settings.workers)]
    for unit in longest_first(plan, estimate(plan, REFERENCE, device_here()).costs):
        arguments += ["--unit", str(unit)]
    run_here(plan, arguments, jobs, [console.job(i) for i in range(jobs)])
    # What a job left undone, because it was killed, is done here.
    outcome = run_plan(plan, console)
    after = sum(record.status == "ok" for record in outcome.records)
    return outcome._replace(computed=after - before + len(outcome.failed))


def _finish(plan: Plan, outcome: Outcome, console: Console, report: Path, *, debug: bool) -> int:
    """Write the report and print how a run ended; return its exit status."""
    from bench.report.page import SUMMARY
    from bench.score.codec_diagnostics import examine

    page = write_report([plan.folder.path], report)
    if outcome.failed:
        console.failures(outcome.failed)
    for traceback in dict.fromkeys(record.traceback for record in outcome.failed if debug):
        console.say(traceback)
    console.unavailable(plan.unavailable)
    done = [record for record in outcome.records if record.status == "ok"]
    whole = [record for record in done if record.cell.curve is None]
    if problems := examine(whole, plan.folder.counts):
        console.findings(problems)
    if done:
        console.result(json.loads((page.parent / SUMMARY).read_text()))
    total = len(plan.cells) + len(plan.unavailable)
    console.say(f"{outcome.computed} cells computed now; {len(done)} of {total} done")
    console.say(f"records: {plan.folder.path}\nreport:  {page}")
    missed = [cell for cell in plan.unavailable if not cell.optional]
    return 1 if outcome.failed or missed else 0


def _report(options: argparse.Namespace, plan: Plan) -> Path:
    """Return the folder of a suite's report: beside its results, if these have a place."""
    reports = REPORTS if options.output == OUTPUT else options.output / "reports"
    return reports / plan.suite.name


def work(options: argparse.Namespace) -> int:
    """Do a suite's cells, or some units of them, as one of several jobs."""
    plan = _with_workers(_make_plan(options), options, 1)
    from bench.cli.console import Console
    from bench.cli.journal import Journal
    from bench.engine.interrupt import interruptible
    from bench.engine.run import run as run_plan

    count = len(plan.trainings)
    if wrong := [unit for unit in options.unit or () if not 0 <= unit < count]:
        raise PlanError(f"there is no unit {wrong[0]}: the suite has {count}, the first is 0")
    with interruptible(), Console(plan.suite.primary_metric, _is_main_process()) as console:
        progress = Journal(options.journal) if options.journal else console
        outcome = run_plan(plan, progress, options.unit, checked=bool(options.journal))
        if outcome.failed and not options.journal:
            console.failures(outcome.failed)
    return 1 if outcome.failed else 0


def submit(options: argparse.Namespace) -> int:
    """Submit a suite to a Slurm cluster."""
    plan = _make_plan(options)
    from bench.cli.console import Console
    from bench.cli.jobs import Slurm, submit
    from bench.engine.run import prepare

    console = Console(plan.suite.primary_metric)
    if not options.dry_run:
        prepare(plan, console)
    settings = Slurm(options.slurm, options.minutes, options.requeues)
    arguments = _arguments(options, plan)
    if options.workers is not None:
        arguments += ["--workers", str(options.workers)]
    report = _report(options, plan)
    for line in submit(plan, arguments, report, settings, dry_run=options.dry_run):
        console.say(line)
    return 0


def plan(options: argparse.Namespace) -> int:
    """Print what a run would compute and what it would cost; write the suite's manifest."""
    plan = _make_plan(options)
    from bench.cli.console import Console, duration
    from bench.core.provenance import device_here
    from bench.data.preflight import count
    from bench.engine.cost import estimate
    from bench.engine.manifests import write_manifest
    from bench.engine.records import by_other_code

    console = Console(plan.suite.primary_metric)
    here = device_here()
    glances = plan.store.glances(planned.key for planned in plan.cells)
    device, costs = estimate(plan, REFERENCE, here, glances)
    console.unavailable(plan.unavailable)
    console.budget(plan.trainings)
    if costs:
        console.costs(costs)
    times = [time for cost in costs for time in (cost.train_seconds, cost.evaluate_seconds)]
    measured = sum(seconds for seconds in times if seconds is not None)
    missing = sum(cost.cells_missing for cost in costs)
    total = len(plan.cells) + len(plan.unavailable)
    took = f"about {duration(measured)}" if measured else "nothing like it was measured yet"
    more = ", plus what was not measured yet" if measured and None in times else ""
    left = f": {took}{more}" if missing else ""
    console.say(f"{missing} of {total} cells to do{left}")
    if plan.unavailable:
        console.say(f"{len(plan.unavailable)} of {total} cells lack what is listed above")
    if device and missing:
        console.say(f"speeds: of {device}" + (f"; this is {here}" if device != here else ""))
    sizes = [cost.disk_bytes for cost in costs]
    known_bytes = sum(size for size in sizes if size is not None)
    more = "" if None not in sizes else ", plus what was not measured yet"
    disk = f"about {known_bytes / 2**20:.0f} MiB more{more}"
    console.say(f"disk: {disk} under {plan.settings.output}")
    elsewhere = Counter(planned.cell.label for planned in by_other_code(plan, glances))
    for label, cells in elsewhere.items():
        console.say(f"{label}: {cells} cells were computed by other code of the same version")
    for dataset in plan.datasets.values():
        finding = count(dataset)
        if finding.level != "ok":
            console.say(f"{dataset.title}, {dataset.split}: {finding.check}: {finding.text}")
    try:
        write_manifest(plan, glances)
    except OSError as error:
        console.say(f"{plan.folder.path}: no manifest written ({error.strerror or error})")
    return 0


def verify(options: argparse.Namespace) -> int:
    """Compute some finished cells again."""
    plan = _make_plan(options)
    from bench.cli.console import Console
    from bench.engine.verify import VerifySelection, verify

    same = count = 0
    with Console(plan.suite.primary_metric, _is_main_process()) as console:
        keys = tuple(options.cell)
        chosen = VerifySelection(
            options.cells, options.images, options.draw, keys, retrain=options.retrain
        )
        for verified in verify(plan, console, chosen):
            console.verified(verified, options.tolerance)
            same, count = same + verified.within(options.tolerance), count + 1
        close = f", within {options.tolerance:g} of the pixels" if options.tolerance else ""
        console.say(f"{same} of {count} cells computed again are the same{close}")
    return 0 if same == count else 1


def export_inputs(options: argparse.Namespace) -> int:
    """Write the images that a suite's methods predict."""
    plan = _make_plan(options)
    from bench.cli.console import Console
    from bench.engine.evaluation.export_images import MANIFEST, export_images

    destination = options.to or IMAGES / plan.suite.name
    with Console(plan.suite.primary_metric) as console:
        count = export_images(plan, destination, console)
        console.say(f"{count} images and their manifest: {destination / MANIFEST}")
    return 0


def _launched() -> bool:
    """Whether a launcher such as torchrun started this process beside others."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def _is_main_process() -> bool:
    """Whether this process is the first of those a launcher started."""
    return int(os.environ.get("RANK", "0")) == 0


def _make_plan(options: argparse.Namespace) -> Plan:
    from bench.engine.plan import Settings, make_plan
    from bench.suite.locate import find_suite
    from bench.suite.reading import read_suite

    path = find_suite(options.suite)
    loaded = read_suite(path, options.set, options.stand_in, options.seeds)
    settings = Settings(
        output=options.output,
        data_root=Path(options.data_root) if options.data_root else None,
        limit=options.limit,
        command=shlex.join(["python", "-m", "bench", *sys.argv[1:]]),
        processes=int(os.environ.get("WORLD_SIZE", "1")),
        tracker=getattr(options, "tracker", ""),  # plan and verify train nothing
        started=options.started or datetime.now(UTC).isoformat(timespec="milliseconds"),
    )
    return make_plan(loaded, settings)


def _with_workers(plan: Plan, options: argparse.Namespace, jobs: int) -> Plan:
    """Return a plan that says how many processes load images beside each of so many jobs."""
    from bench.cli.jobs import default_workers

    workers = options.workers
    if workers is None:
        workers = default_workers(jobs * int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
    return plan._replace(settings=plan.settings._replace(workers=workers))


def _arguments(options: argparse.Namespace, plan: Plan) -> list[str]:
    """Return the arguments of ``work`` that make the same plan in another process."""
    arguments = [str(options.suite), "--output", str(plan.settings.output)]
    arguments += [part for override in options.set for part in ("--set", override)]
    arguments += ["--data-root", str(options.data_root)] if options.data_root else []
    arguments += ["--limit", str(options.limit)] if options.limit else []
    arguments += ["--seeds", ",".join(map(str, options.seeds))] if options.seeds else []
    arguments += ["--stand-in"] if options.stand_in else []
    arguments += ["--tracker", options.tracker] if options.tracker else []
    return [*arguments, "--started", plan.settings.started]
