"""The command line: ``python -m bench <verb>``.

Exit status: 0 if every cell has its number, 1 if some failed, 2 if what was asked for is
wrong or missing, 130 if interrupted.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

OUTPUT = Path("results/runs")
REFERENCE = Path("results/reference")
REPORTS = Path("reports")
EXAMPLES = """examples:
  python -m bench run suites/robustness.yaml
  python -m bench run suites/camvid.yaml --data-root ~/data --seed 1
  python -m bench plan suites/robustness.yaml --set protocol.batch_size=16
  python -m bench report results/runs/robustness
  python -m bench compare results/runs/camvid results/reference/camvid
  python -m bench claims
  python -m bench list corruptions
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status."""
    options = _parser().parse_args(arguments)
    verb: Callable[[argparse.Namespace], int] = options.verb
    try:
        return verb(options)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if not _is_users(error):
            raise
        print(error, file=sys.stderr)
        return 2


def _is_users(error: Exception) -> bool:
    """Whether an error tells the user what to mend, rather than us."""
    from bench.claims import ClaimsError
    from bench.dataset import DatasetError
    from bench.discover import UnknownMethod
    from bench.plan import PlanError
    from bench.store import StoreError
    from bench.suite import SuiteError

    ours = ClaimsError | DatasetError | PlanError | StoreError | SuiteError | UnknownMethod
    return isinstance(error, ours)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Train and evaluate methods of semantic segmentation; report with intervals.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    for name, function, text in (
        ("run", _run, "train and evaluate what is missing, then report"),
        ("plan", _plan, "say what a run would do and cost"),
    ):
        verb = verbs.add_parser(name, help=text, description=text)
        verb.set_defaults(verb=function)
        _add_suite_options(verb)
    report = verbs.add_parser("report", help="write tables, plots and the page of finished cells")
    text = "a suite's folder, such as results/runs/NAME; several are reported as one"
    report.add_argument("results", type=Path, nargs="+", help=text)
    report.add_argument("--to", type=Path, help="folder of the report (reports/NAME)")
    text = "mark rows whose protocol differs, in place of refusing them"
    report.add_argument("--allow-mixed", action="store_true", help=text)
    report.add_argument("--example", action="store_true", help="say on the page that it is one")
    report.set_defaults(verb=_report)
    text = "compare two folders of results cell by cell: numbers, protocol and provenance"
    compare = verbs.add_parser("compare", help=text, description=text)
    compare.add_argument("first", type=Path)
    compare.add_argument("second", type=Path)
    compare.set_defaults(verb=_compare)
    text = "print, for every published statement, whether it holds, with the evidence"
    claims = verbs.add_parser("claims", help=text, description=text)
    claims.add_argument("results", type=Path, nargs="?", help="results to judge by; optional")
    claims.set_defaults(verb=_claims)
    listing = verbs.add_parser("list", help="list what there is")
    listing.add_argument(
        "kind", choices=["methods", "datasets", "suites", "corruptions", "metrics"]
    )
    listing.set_defaults(verb=_list)
    return parser


def _add_suite_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("suite", type=Path, help="a suite file, such as suites/robustness.yaml")
    verb.add_argument(
        "--data-root",
        type=Path,
        default=os.environ.get("BENCH_DATA"),
        help="folder of real datasets (the variable BENCH_DATA)",
    )
    verb.add_argument("--output", type=Path, default=OUTPUT, help=f"store of results ({OUTPUT})")
    verb.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="replace a value of the suite, such as methods.0.preset=tiny; may be repeated",
    )
    verb.add_argument("--limit", type=_positive, help="only the first N test images; stamped")
    verb.add_argument("--seed", type=int, help="one seed in place of the suite's")


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of images; give 1 or more")
    return int(text)


def _make_plan(options: argparse.Namespace):  # type: ignore[no-untyped-def]
    from bench.plan import Settings, make_plan
    from bench.suite import read_suite

    overrides = list(options.set)
    if options.seed is not None:
        overrides.append(f"seeds=[{options.seed}]")
    loaded = read_suite(options.suite, overrides)
    command = shlex.join(["python", "-m", "bench", *sys.argv[1:]])
    root = Path(options.data_root) if options.data_root else None
    return make_plan(loaded, Settings(options.output, root, options.limit, command))


def _run(options: argparse.Namespace) -> int:
    plan = _make_plan(options)
    from bench.console import Console
    from bench.run import run

    with Console(plan.suite.protocol.metrics[0], _is_main_process()) as console:
        outcome = run(plan, console)
        if not _is_main_process():
            return 0
        page = _write_report([plan.folder.path], REPORTS / plan.suite.name)
        if outcome.failed:
            console.failures(outcome.failed)
        done = len(outcome.records) - len(outcome.failed)
        console.say(f"{outcome.computed} cells computed now; {done} of {len(plan.cells)} done")
        console.say(f"records: {plan.folder.path}\nreport:  {page}")
    return 1 if outcome.failed else 0


def _is_main_process() -> bool:
    """Whether this process is the first of those a launcher started."""
    return int(os.environ.get("RANK", "0")) == 0


def _write_report(results: Sequence[Path], destination: Path, **settings: bool) -> Path:
    from bench import report
    from bench.joined import join

    return report.write(join(results), destination, **settings)


def _plan(options: argparse.Namespace) -> int:
    plan = _make_plan(options)
    from bench.console import Console, duration
    from bench.plan import disk_bytes, estimate

    console = Console(plan.suite.protocol.metrics[0])
    costs = estimate(plan, REFERENCE)
    console.costs(costs)
    times = [t for cost in costs for t in (cost.train_seconds, cost.evaluate_seconds)]
    known = sum(t for t in times if t is not None)
    more = "" if None not in times else ", and what was not measured yet"
    missing = sum(cost.cells_missing for cost in costs)
    console.say(f"{missing} of {len(plan.cells)} cells to do: about {duration(known)}{more}")
    size = disk_bytes(plan, REFERENCE)
    disk = "not measured yet" if size is None else f"about {size / 2**20:.0f} MiB more"
    console.say(f"disk: {disk} under {plan.settings.output}")
    return 0


def _report(options: argparse.Namespace) -> int:
    destination = options.to or REPORTS / "+".join(path.name for path in options.results)
    settings = {"example": options.example, "allow_mixed": options.allow_mixed}
    print(_write_report(options.results, destination, **settings))
    return 0


def _compare(options: argparse.Namespace) -> int:
    from bench.joined import join
    from bench.report.compare import as_text, compare

    print(as_text(compare(join([options.first]), join([options.second]))))
    return 0


def _claims(options: argparse.Namespace) -> int:
    from bench.claims import as_text, claims_report

    print(as_text(claims_report(options.results)))
    return 0


def _list(options: argparse.Namespace) -> int:
    from bench.listing import rows

    for name, text in rows(options.kind):
        print(f"{name:<24} {text}")
    return 0
