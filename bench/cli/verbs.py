"""The verbs that work on results, data and weights; each returns an exit status."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

REPORTS = Path("reports")


def report(options: argparse.Namespace) -> int:
    """Write the report of finished cells."""
    destination = options.to or REPORTS / "+".join(path.name for path in options.results)
    settings = {"example": options.example, "allow_mixed": options.allow_mixed}
    print(write_report(options.results, destination, **settings))
    return 0


def compare(options: argparse.Namespace) -> int:
    """Compare two stores cell by cell; 1 if a number differs or a cell is in one only."""
    from bench.report.compare import as_text, compare
    from bench.store.merged import merge

    comparison = compare(merge([options.first]), merge([options.second]))
    print(as_text(comparison))
    return 0 if comparison.same else 1


def claims(options: argparse.Namespace) -> int:
    """Print the verdict on every published claim."""
    from bench.claims import as_text, claims_report

    width = min(shutil.get_terminal_size((100, 0)).columns, 100)
    print(as_text(claims_report(options.results), width))
    return 0


def data_check(options: argparse.Namespace) -> int:
    """Check a copy of a dataset."""
    from rich.console import Console

    from bench.data.preflight.table import Request, check

    root = Path(options.root) if options.root else None
    request = Request(
        *(options.name, root, options.subset, options.split, options.full, options.options)
    )
    return 0 if check(request, Console()) else 2


def list_names(options: argparse.Namespace) -> int:
    """List what a suite can name."""
    from bench.cli.catalogue import parameters, rows

    if options.params:
        if options.kind != "methods":
            print("--params is of methods: python -m bench list methods --params", file=sys.stderr)
            return 2
        for name, text in parameters(options.classes):
            print(f"{name:<40} {text}")
        return 0
    for name, text in rows(options.kind):
        print(f"{name:<24} {text}")
    return 0


def convert(options: argparse.Namespace) -> int:
    """Convert released checkpoints."""
    from bench.engine.training.weights import as_text, convert

    done = convert(options.method, options.checkpoints, options.preset, options.to, options.section)
    print(as_text(done, options.method, options.preset))
    return 0


def table(options: argparse.Namespace) -> int:
    """Print a table for a paper."""
    from bench.report.kit.choice import Choice, paper_table
    from bench.store.merged import merge

    choice = Choice(
        metrics=options.metrics,
        methods=options.methods,
        test_set=options.test_set,
        intervals=options.intervals,
    )
    print(paper_table(merge(options.results), choice, options.format, options.width), end="")
    return 0


def write_report(results: Sequence[Path], destination: Path, **settings: bool) -> Path:
    """Write the report of several folders and return its page."""
    from bench import report
    from bench.store.locks import make_lock
    from bench.store.merged import merge

    with make_lock(destination.parent / f".{destination.name}.lock"):
        return report.write(merge(results), destination, **settings)


def store_check(options: argparse.Namespace) -> int:
    """Check every file of a store."""
    from bench.store.maintenance import check

    faults = 0
    for fault in check(options.output):
        print(f"{fault.path}: {fault.text}")
        faults += 1
    print(f"{options.output}: {faults} faults" if faults else f"{options.output}: no fault")
    return 1 if faults else 0


def store_gc(options: argparse.Namespace) -> int:
    """List, or delete, what no suite of a store uses."""
    from bench.store.maintenance import unused

    found = unused(options.output)
    for path in found.paths:
        if options.delete:
            path.unlink(missing_ok=True)
        else:
            print(path)
    done = "deleted" if options.delete else "could be deleted with --delete"
    print(f"{len(found.paths)} files, {found.bytes / 2**20:.1f} MiB: {done}")
    return 0


def store_pack(options: argparse.Namespace) -> int:
    """Write a suite's results into few files."""
    from bench.store.folders import SuiteFolder, pack

    pack(SuiteFolder(options.results), options.to, add=options.add)
    print(options.to)
    return 0
