"""The arguments of every verb; imports nothing slow."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from bench.core.exports import __version__

OUTPUT = Path("results/runs")
WEIGHTS = Path("results/weights")
IMAGES = Path("results/images")
EXAMPLES = """examples:
  python -m bench run robustness
  python -m bench run suites/robustness.yaml
  python -m bench run suites/camvid.yaml --data-root ~/data --seeds 0,1,2
  python -m bench plan suites/robustness.yaml --set protocol.micro_batch=16
  python -m bench run suites/papers/gss_table1.yaml --stand-in
  python -m bench verify suites/robustness.yaml --cells 10
  python -m bench report results/runs/robustness
  python -m bench table results/runs/camvid --metrics mIoU mPC --no-intervals --format tex
  python -m bench compare results/runs/camvid results/reference/camvid
  python -m bench claims
  python -m bench data check cityscapes --root ~/data
  python -m bench list corruptions
  python -m bench export images suites/robustness.yaml
  python -m bench weights convert gss CHECKPOINT --preset paper_cityscapes
"""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs; each sets ``verb`` to the name of its function."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Train and evaluate methods of semantic segmentation; report with intervals.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"bench {__version__}")
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    for name, function, text in (
        ("run", "run", "train and evaluate what is missing, then report"),
        ("plan", "plan", "show what a run would compute, and what it would cost"),
    ):
        verb = verbs.add_parser(name, help=text, description=text)
        verb.set_defaults(verb=function)
        _add_suite_options(verb)
        if name == "run":
            text = "processes on this machine (default: what it gains most from)"
            verb.add_argument("--jobs", type=_positive, help=text)
            _add_workers(verb)
            _add_tracker(verb)
    _add_verify(verbs)
    report = verbs.add_parser("report", help="write tables, plots and page of finished cells")
    text = "a suite's results, such as results/runs/NAME; several make one report"
    report.add_argument("results", type=Path, nargs="+", help=text)
    report.add_argument("--to", type=Path, help="folder of the report (default: reports/NAME)")
    text = "mark rows whose protocol differs instead of refusing them"
    report.add_argument("--allow-mixed", action="store_true", help=text)
    report.add_argument("--example", action="store_true", help="mark the page as an example")
    report.set_defaults(verb="report")
    _add_table(verbs)
    text = "compare two folders of results cell by cell: numbers, protocol and provenance"
    compare = verbs.add_parser("compare", help=text, description=text)
    compare.add_argument("first", type=Path)
    compare.add_argument("second", type=Path)
    compare.set_defaults(verb="compare")
    text = "print for every published claim whether it holds, with the evidence"
    claims = verbs.add_parser("claims", help=text, description=text)
    claims.add_argument("results", type=Path, nargs="?", help="results to judge by")
    claims.set_defaults(verb="claims")
    _add_data(verbs)
    text = "list methods, datasets, suites, corruptions or metrics"
    catalogue = verbs.add_parser("list", help=text, description=text)
    catalogue.add_argument(
        "kind", choices=["methods", "datasets", "suites", "corruptions", "metrics"]
    )
    text = "of methods: the number of parameters of every preset, for so many classes"
    catalogue.add_argument("--params", action="store_true", help=text)
    catalogue.add_argument("--classes", type=_positive, default=19, help="with --params (19)")
    catalogue.set_defaults(verb="list_names")
    _add_export(verbs)
    _add_weights(verbs)
    _add_jobs(verbs)
    _add_store(verbs)
    _add_debug(parser, default=False)
    return parser


def _add_debug(parser: argparse.ArgumentParser, default: bool | str) -> None:
    """Let ``--debug`` stand before a verb or after it."""
    text = "print tracebacks of failures"
    parser.add_argument("--debug", action="store_true", default=default, help=text)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in dict.fromkeys(action.choices.values()):
                _add_debug(verb, default=argparse.SUPPRESS)


def _add_jobs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "do a suite's cells, or a unit of them, as one of several jobs; what schedulers start"
    work = verbs.add_parser("work", help=text, description=text)
    _add_suite_options(work)
    text = "index of a training; it and its cells alone are done"
    work.add_argument("--unit", type=int, action="append", metavar="I", help=text)
    work.add_argument("--journal", type=Path, help="file to write progress to")
    _add_workers(work)
    _add_tracker(work)
    work.set_defaults(verb="work")
    text = "submit a suite to a Slurm cluster: an array of units, then the report"
    submit = verbs.add_parser("submit", help=text, description=text)
    _add_suite_options(submit)
    submit.add_argument("--minutes", type=_positive, default=720, help="per unit (default: 720)")
    text = "times that a unit may be put back into the queue (default: 10)"
    submit.add_argument("--requeues", type=int, default=10, help=text)
    submit.add_argument(
        "--slurm",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an option of sbatch, such as partition=gpu or gres=gpu:1; may be repeated",
    )
    _add_workers(submit)
    _add_tracker(submit)
    submit.add_argument("--dry-run", action="store_true", help="print what would be submitted")
    submit.set_defaults(verb="submit")


def _add_table(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "print a table for a paper: Markdown, CSV, or LaTeX that fits a column or the text"
    table = verbs.add_parser("table", help=text, description=text)
    text = "a suite's results, such as results/runs/NAME; several make one table"
    table.add_argument("results", type=Path, nargs="+", help=text)
    text = "scores, such as mIoU aAcc mPC above_floor ceiling (default: the primary one and means)"
    table.add_argument("--metrics", nargs="+", default=[], metavar="NAME", help=text)
    text = "labels of methods, in the order of the rows (default: all)"
    table.add_argument("--methods", nargs="+", default=[], metavar="LABEL", help=text)
    text = "as the report names it (default: the first)"
    table.add_argument("--test-set", default="", metavar="NAME", help=text)
    table.add_argument("--no-intervals", dest="intervals", action="store_false")
    table.add_argument("--format", choices=["md", "csv", "tex"], default="md")
    text = "of a LaTeX table: one column, or the text of a two-column article (default: column)"
    table.add_argument("--width", choices=["column", "text"], default="column", help=text)
    table.set_defaults(verb="table")


def _add_export(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    export = verbs.add_parser("export", help="write what other programs read")
    kinds = export.add_subparsers(title="kinds", required=True, metavar="KIND")
    text = "write the exact images that a suite's methods predict, corrupted ones included"
    images = kinds.add_parser("images", help=text, description=text)
    _add_suite_options(images)
    images.add_argument("--to", type=Path, help=f"folder ({IMAGES}/NAME)")
    images.set_defaults(verb="export_inputs")


def _add_store(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    store = verbs.add_parser("store", help="check, clean or pack a store of results")
    actions = store.add_subparsers(title="actions", required=True, metavar="ACTION")
    text = "read every file; damaged ones are set aside, and the next run makes them again"
    check = actions.add_parser("check", help=text, description=text)
    text = "list what no suite of the store uses; delete it with --delete"
    gc = actions.add_parser("gc", help=text, description=text)
    gc.add_argument("--delete", action="store_true", help="delete what is listed")
    for action in (check, gc):
        action.add_argument("--output", type=Path, default=OUTPUT, help=f"the store ({OUTPUT})")
    text = "write a suite's results into few files, without weights and pictures"
    pack = actions.add_parser("pack", help=text, description=text)
    pack.add_argument("results", type=Path, help="a suite's results, such as results/runs/NAME")
    pack.add_argument("--to", type=Path, required=True, help="folder to write")
    text = "keep what is packed there, as other seeds of the suite, and add to it"
    pack.add_argument("--add", action="store_true", help=text)
    check.set_defaults(verb="store_check")
    gc.set_defaults(verb="store_gc")
    pack.set_defaults(verb="store_pack")


def _add_verify(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "recompute some finished cells and check that they come out the same"
    verb = verbs.add_parser("verify", help=text, description=text)
    verb.set_defaults(verb="verify")
    _add_suite_options(verb)
    verb.add_argument(
        "--cells", type=_positive, default=5, help="how many, drawn at random (default: 5)"
    )
    verb.add_argument(
        "--images",
        type=_positive,
        default=16,
        help="images per cell, rounded up to whole micro-batches (default: 16)",
    )
    text = "this cell instead of drawn ones; may be repeated"
    verb.add_argument("--cell", action="append", default=[], metavar="KEY", help=text)
    text = "train the cells' stages again too, beside the store"
    verb.add_argument("--retrain", action="store_true", help=text)
    verb.add_argument("--draw", type=int, default=0, help="seed of the draw of cells (default: 0)")
    verb.add_argument(
        "--tolerance",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of the pixels that may differ, as on another device (default: 0)",
    )


def _add_data(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    data = verbs.add_parser("data", help="check copies of datasets")
    actions = data.add_subparsers(title="actions", required=True, metavar="ACTION")
    text = "check within seconds that a copy of a dataset is complete and sound"
    check = actions.add_parser("check", help=text, description=text)
    check.add_argument("name", help="a dataset, such as cityscapes (python -m bench list datasets)")
    check.add_argument(
        *("--root", "--data-root"),
        type=Path,
        default=os.environ.get("BENCH_DATA"),
        help="its folder, or the folder above it (default: $BENCH_DATA)",
    )
    check.add_argument("--subset", default="", help="a variant (default: the first)")
    check.add_argument("--split", default="", help="one split (default: all)")
    check.add_argument("--full", action="store_true", help="decode and hash every file again")
    text = "of the dataset, as a suite has them under options: YAML text, a file of it, or a suite"
    check.add_argument("--options", default="", metavar="YAML", help=text)
    check.set_defaults(verb="data_check")


def _add_weights(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    weights = verbs.add_parser("weights", help="convert released checkpoints")
    actions = weights.add_subparsers(title="actions", required=True, metavar="ACTION")
    text = "convert released checkpoints to weights of a method's stages"
    convert = actions.add_parser("convert", help=text, description=text)
    convert.add_argument("method", help="the adapter, such as gss")
    convert.add_argument("checkpoints", type=Path, nargs="+", metavar="CHECKPOINT")
    convert.add_argument(
        "--preset", "--config", required=True, metavar="NAME", help="the preset with their sizes"
    )
    convert.add_argument("--to", type=Path, default=WEIGHTS, help=f"folder (default: {WEIGHTS})")
    convert.add_argument("--section", help="part of the checkpoint to read, such as model_ema")
    convert.set_defaults(verb="convert")


def _add_tracker(verb: argparse.ArgumentParser) -> None:
    text = "send training losses to it, too, under --output/trackers where it writes files"
    kinds = ["tensorboard", "trackio", "wandb", "mlflow"]
    verb.add_argument("--tracker", choices=kinds, default="", help=text)


def _add_workers(verb: argparse.ArgumentParser) -> None:
    text = (
        "processes that load images beside each job; they change no result (default: none on a "
        "CPU, which the method keeps busy; beside an accelerator what the cores allow, up to 8)"
    )
    verb.add_argument("--workers", type=_count, metavar="N", help=text)


def _add_suite_options(verb: argparse.ArgumentParser) -> None:
    text = "a suite by name or by file, such as robustness or my/suite.yaml"
    verb.add_argument("suite", help=text)
    verb.add_argument(
        "--data-root",
        type=Path,
        default=os.environ.get("BENCH_DATA"),
        help="folder of real datasets (default: $BENCH_DATA)",
    )
    text = f"folder of results (default: {OUTPUT})"
    verb.add_argument("--output", type=Path, default=OUTPUT, help=text)
    verb.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="replace a value of the suite, such as methods.0.preset=tiny; may be repeated",
    )
    verb.add_argument("--limit", type=_positive, metavar="N", help="only the first N test images")
    verb.add_argument(
        "--stand-in",
        action="store_true",
        help="use generated data and small models instead; results are labelled as a stand-in",
    )
    verb.add_argument(
        "--seeds",
        type=_seeds,
        default=(),
        metavar="N,N",
        help="training seeds instead of the suite's; what is done of them is kept",
    )
    verb.add_argument("--started", default="", help=argparse.SUPPRESS)


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(map(int, text.split(",")))
    except ValueError:
        message = f"{text!r} is no list of whole numbers, such as 0,1,2"
        raise argparse.ArgumentTypeError(message) from None


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)
