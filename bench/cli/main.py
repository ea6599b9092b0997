"""The command line: ``python -m bench <verb>``.

Exit status of ``run``: 0 if every cell has its number, 1 if some failed or need data or weights
that are not here; of ``verify``: 0 if all came out the same, 1 if not. Of all verbs: 2 if what
was asked for is wrong, or nothing of it can be done for want of data, 130 if interrupted.
``plan`` ends with 0 and says what is missing.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.core.errors import BenchError

OUTPUT = Path("results/runs")
REFERENCE = Path("results/reference")
REPORTS = Path("reports")
WEIGHTS = Path("results/weights")
EXAMPLES = """examples:
  python -m bench run suites/robustness.yaml
  python -m bench run suites/camvid.yaml --data-root ~/data --seed 1
  python -m bench plan suites/robustness.yaml --set protocol.batch_size=16
  python -m bench run suites/papers/gss_table1.yaml --stand-in
  python -m bench verify suites/robustness.yaml --cells 10
  python -m bench report results/runs/robustness
  python -m bench compare results/runs/camvid results/reference/camvid
  python -m bench claims
  python -m bench data check cityscapes --root ~/data
  python -m bench list corruptions
  python -m bench weights convert gss CHECKPOINT --preset paper_cityscapes
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
    except BenchError as error:
        print(error, file=sys.stderr)
        return 2


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
    _add_verify(verbs)
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
    _add_data(verbs)
    listing = verbs.add_parser("list", help="list what there is")
    listing.add_argument(
        "kind", choices=["methods", "datasets", "suites", "corruptions", "metrics"]
    )
    listing.set_defaults(verb=_list)
    _add_weights(verbs)
    return parser


def _add_verify(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "compute some finished cells again, and say whether they come out the same"
    verb = verbs.add_parser("verify", help=text, description=text)
    verb.set_defaults(verb=_verify)
    _add_suite_options(verb)
    verb.add_argument("--cells", type=_positive, default=5, help="how many, drawn (5)")
    verb.add_argument(
        "--images", type=_positive, default=16, help="of each, up to whole micro-batches (16)"
    )
    verb.add_argument("--draw", type=int, default=0, help="another number draws others (0)")
    verb.add_argument(
        "--tolerance",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="of the pixels that may differ, where another device rounds otherwise (0)",
    )


def _add_data(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    data = verbs.add_parser("data", help="check copies of datasets")
    deeds = data.add_subparsers(required=True, metavar="DEED")
    text = "say in seconds whether a copy of a dataset is complete and sane"
    check = deeds.add_parser("check", help=text, description=text)
    check.add_argument("name", help="a dataset, such as cityscapes (python -m bench list datasets)")
    check.add_argument(
        *("--root", "--data-root"),
        type=Path,
        default=os.environ.get("BENCH_DATA"),
        help="its folder, or one that holds it (the variable BENCH_DATA)",
    )
    check.add_argument("--subset", default="", help="a variant; the first one by default")
    check.add_argument("--split", default="", help="one split; all of them by default")
    check.add_argument("--full", action="store_true", help="decode and hash every file again")
    check.add_argument(
        "--options",
        default="",
        metavar="YAML",
        help="of the dataset, as a suite has them under options: YAML text, or a file of it",
    )
    check.set_defaults(verb=_data_check)


def _add_weights(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    weights = verbs.add_parser("weights", help="make released checkpoints usable")
    actions = weights.add_subparsers(title="actions", required=True, metavar="ACTION")
    text = "write released checkpoints as weights of a method's stages, and say what is left over"
    convert = actions.add_parser("convert", help=text, description=text)
    convert.add_argument("method", help="the adapter, such as gss")
    convert.add_argument("checkpoints", type=Path, nargs="+", metavar="CHECKPOINT")
    convert.add_argument(
        "--preset", "--config", required=True, metavar="NAME", help="whose sizes they have"
    )
    convert.add_argument("--to", type=Path, default=WEIGHTS, help=f"folder ({WEIGHTS})")
    convert.add_argument("--section", help="of the checkpoints, such as model_ema")
    convert.set_defaults(verb=_convert)


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
    verb.add_argument(
        "--stand-in",
        action="store_true",
        help="with generated data and tiny sizes in place of the suite's, named so throughout",
    )
    verb.add_argument("--seed", type=int, help="one seed in place of the suite's")


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def _make_plan(options: argparse.Namespace):  # type: ignore[no-untyped-def]
    from bench.engine.plan import Settings, make_plan
    from bench.suite.reading import read_suite

    overrides = list(options.set)
    if options.seed is not None:
        overrides.append(f"seeds=[{options.seed}]")
    loaded = read_suite(options.suite, overrides, options.stand_in)
    command = shlex.join(["python", "-m", "bench", *sys.argv[1:]])
    root = Path(options.data_root) if options.data_root else None
    return make_plan(loaded, Settings(options.output, root, options.limit, command))


def _run(options: argparse.Namespace) -> int:
    plan = _make_plan(options)
    from bench.cli.console import Console
    from bench.engine.run import run
    from bench.score.codec_diagnostics import examine

    with Console(plan.suite.protocol.metrics[0], _is_main_process()) as console:
        outcome = run(plan, console)
        if not _is_main_process():
            return 0
        page = _write_report([plan.folder.path], REPORTS / plan.suite.name)
        if outcome.failed:
            console.failures(outcome.failed)
        console.unavailable(plan.unavailable)
        done = [record for record in outcome.records if record.status == "ok"]
        if findings := examine(done, plan.folder.counts):
            console.findings(findings)
        total = len(plan.cells) + len(plan.unavailable)
        console.say(f"{outcome.computed} cells computed now; {len(done)} of {total} done")
        console.say(f"records: {plan.folder.path}\nreport:  {page}")
    missed = [cell for cell in plan.unavailable if not cell.optional]
    return 1 if outcome.failed or missed else 0


def _verify(options: argparse.Namespace) -> int:
    plan = _make_plan(options)
    from bench.cli.console import Console
    from bench.engine.verify import verify

    same = count = 0
    with Console(plan.suite.protocol.metrics[0], _is_main_process()) as console:
        for found in verify(plan, console, options.cells, options.images, options.draw):
            console.verified(found, options.tolerance)
            same, count = same + found.within(options.tolerance), count + 1
        close = f", within {options.tolerance:g} of the pixels" if options.tolerance else ""
        console.say(f"{same} of {count} cells computed again are the same{close}")
    return 0 if same == count else 1


def _is_main_process() -> bool:
    """Whether this process is the first of those a launcher started."""
    return int(os.environ.get("RANK", "0")) == 0


def _write_report(results: Sequence[Path], destination: Path, **settings: bool) -> Path:
    from bench import report
    from bench.store.merged import merge

    return report.write(merge(results), destination, **settings)


def _plan(options: argparse.Namespace) -> int:
    plan = _make_plan(options)
    from bench.cli.console import Console, duration
    from bench.data.preflight import count
    from bench.engine.cost import estimate

    console = Console(plan.suite.protocol.metrics[0])
    costs = estimate(plan, REFERENCE)
    console.unavailable(plan.unavailable)
    if costs:
        console.costs(costs)
    times = [t for cost in costs for t in (cost.train_seconds, cost.evaluate_seconds)]
    known = sum(t for t in times if t is not None)
    more = "" if None not in times else ", and what was not measured yet"
    missing = sum(cost.cells_missing for cost in costs)
    total = len(plan.cells) + len(plan.unavailable)
    console.say(f"{missing} of {total} cells to do: about {duration(known)}{more}")
    sizes = [cost.disk_bytes for cost in costs]
    known = sum(size for size in sizes if size is not None)
    more = "" if None not in sizes else ", and what was not measured yet"
    disk = f"about {known / 2**20:.0f} MiB more{more}"
    console.say(f"disk: {disk} under {plan.settings.output}")
    for dataset in plan.datasets.values():
        finding = count(dataset)
        if finding.level != "ok":
            console.say(f"{dataset.title}, {dataset.split}: {finding.check}: {finding.text}")
    return 0


def _report(options: argparse.Namespace) -> int:
    destination = options.to or REPORTS / "+".join(path.name for path in options.results)
    settings = {"example": options.example, "allow_mixed": options.allow_mixed}
    print(_write_report(options.results, destination, **settings))
    return 0


def _compare(options: argparse.Namespace) -> int:
    from bench.report.compare import as_text, compare
    from bench.store.merged import merge

    print(as_text(compare(merge([options.first]), merge([options.second]))))
    return 0


def _claims(options: argparse.Namespace) -> int:
    from bench.claims import as_text, claims_report

    width = min(shutil.get_terminal_size((100, 0)).columns, 100)
    print(as_text(claims_report(options.results), width))
    return 0


def _data_check(options: argparse.Namespace) -> int:
    from rich.console import Console

    from bench.data.preflight.table import Request, check

    root = Path(options.root) if options.root else None
    request = Request(
        *(options.name, root, options.subset, options.split, options.full, options.options)
    )
    return 0 if check(request, Console()) else 2


def _list(options: argparse.Namespace) -> int:
    from bench.cli.catalogue import rows

    for name, text in rows(options.kind):
        print(f"{name:<24} {text}")
    return 0


def _convert(options: argparse.Namespace) -> int:
    from bench.engine.weights import as_text, convert

    done = convert(options.method, options.checkpoints, options.preset, options.to, options.section)
    print(as_text(done, options.method, options.preset))
    return 0
