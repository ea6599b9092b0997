"""The answer to ``data check``: what a copy of a dataset holds, beside what was published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.core.errors import DatasetError
from bench.core.registry import suggest
from bench.data import datasets
from bench.data.dataset import Dataset
from bench.data.preflight import inspect
from bench.data.preflight.copies import check_apart
from bench.data.preflight.finding import Finding
from bench.data.preflight.labels import class_shares, encodings
from bench.data.preflight.reading import Reading
from bench.data.preflight.spaces import check_space

_MARKS = {
    "ok": ("ok", "green"),
    "note": ("note", "yellow"),
    "differs": ("differs", "yellow"),
    "missing": ("missing", "yellow"),
    "wrong": ("WRONG", "bold red"),
}
_MOST_CLASSES = 12
_BAR = 24
"""Characters of the bar of the largest share."""


class Request(NamedTuple):
    """What the command line asks for."""

    name: str
    root: Path | None
    subset: str = ""
    """The dataset's first one, if empty."""
    split: str = ""
    """All of them, if empty."""
    full: bool = False
    options: str = ""
    """The dataset's own settings as a suite has them: YAML, or the name of a file with it, which
    may be the suite."""


def check(request: Request, terminal: Console) -> bool:
    """Check a copy of a dataset and print what was found.

    Returns:
        Whether it is complete and sane.

    Raises:
        DatasetError: if there is no such dataset, subset or split.
    """
    splits = _open(request)
    terminal.print(_header(splits[0]))
    findings = [("", finding) for finding in check_space(splits[0].label_space)]
    shares: list[Table] = []
    read: set[str] = set()
    for dataset in splits:
        inspection = inspect(dataset, request.full)
        findings += [(dataset.split, finding) for finding in inspection.findings]
        if inspection.reading is None:
            continue
        read.add(dataset.split)
        if not shares:
            shares.append(_shares(dataset, inspection.reading))
    listed = [dataset for dataset in splits if dataset.split in read]
    findings += [(dataset.split, finding) for dataset, finding in check_apart(listed)]
    terminal.print(_findings(findings), *shares)
    mend = [finding for _, finding in findings if finding.level not in ("ok", "note")]
    how = "every file was read" if request.full else "a sample was decoded; --full reads every file"
    verdict = "complete and sane" if not mend else f"{len(mend)} of {len(findings)} checks failed"
    terminal.print(Text.assemble((verdict, "bold"), f" ({how})"))
    return not mend


def _open(request: Request) -> list[Dataset]:
    """Return the splits that are asked for, not yet listed."""
    dataset = datasets.load_dataset_class(request.name)
    try:
        options = dataset.Options.model_validate(_options(request.options, request.name))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "options"
        raise DatasetError(
            f"{request.name}: {where}: {first['msg']}; give its options as in a suite with "
            "--options"
        ) from error
    known_splits = dataset.splits_of(options)
    for kind, value, known in (
        ("subset", request.subset, dataset.subsets),
        ("split", request.split, known_splits),
    ):
        if value and value not in known:
            raise DatasetError(f"{request.name} has no {kind} {value!r}; {suggest(value, known)}")
    splits = (request.split,) if request.split else known_splits
    return [dataset(split, request.subset, request.root, options) for split in splits]


def _options(text: str, name: str) -> object:
    """Read a dataset's options: YAML text, a file that holds it, or a suite that names it."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    source = "that text"
    try:
        if text and Path(text).is_file():
            source, text = text, Path(text).read_text()
        content = YAML(typ="safe", pure=True).load(text) or {}
    except (YAMLError, UnicodeDecodeError, OSError) as error:
        raise DatasetError(f"--options: no YAML ({' '.join(str(error).split())})") from error
    if isinstance(content, dict) and "train_on" in content:
        return _of_suite(content, name, source)
    if isinstance(content, dict) and set(content) <= {"dataset", "options"}:
        return content.get("options", content)
    return content


def _of_suite(suite: Mapping[str, Any], name: str, source: str) -> object:
    """Return the options with which a suite first names a dataset."""
    for entry in [*(suite.get("train_on") or ()), *(suite.get("test_on") or ())]:
        if isinstance(entry, dict) and entry.get("dataset") == name:
            return entry.get("options", {})
    raise DatasetError(f"--options: {source} is a suite without a dataset {name} with options")


def _header(dataset: Dataset) -> RenderableType:
    subset = f", subset {dataset.subset}" if dataset.subset else ""
    table = Table.grid(padding=(0, 2))
    for label, value in (
        ("licence", dataset.licence),
        ("homepage", dataset.homepage),
        ("to get it", dataset.access),
    ):
        if value:
            table.add_row(Text(label, style="dim"), Text(value))
    return Group(Text(f"{dataset.title}{subset}", style="bold"), table)


def _findings(findings: Iterable[tuple[str, Finding]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("split")
    table.add_column("check", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("found", overflow="fold")
    previous = None
    for split, finding in findings:
        if split != previous and previous is not None:
            table.add_section()
        mark, style = _MARKS[finding.level]
        shown = split if split != previous else ""
        table.add_row(shown, finding.check, Text(mark, style=style), Text(finding.text))
        previous = split
    return table


def _shares(dataset: Dataset, reading: Reading) -> Table:
    """Show the classes that fill most of a split, and their published shares."""
    own, known = encodings(dataset)
    classes = dataset.label_space.classes
    shares = class_shares(reading.stored, known[own], len(classes))
    largest = sorted(range(len(classes)), key=lambda c: -shares[c])[:_MOST_CLASSES]
    title = f"Per cent of the labelled pixels, {reading.images} images of {dataset.split}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("class")
    table.add_column("here", justify="right")
    if dataset.shares:
        table.add_column("published", justify="right")
    table.add_column("")
    total = sum(dataset.shares.values())
    for index in largest:
        published = (
            [f"{100 * dataset.shares[classes[index]] / total:.1f}"] if dataset.shares else []
        )
        bar = "#" * round(_BAR * shares[index] / max(shares[largest[0]], 1e-9))
        table.add_row(classes[index], f"{100 * shares[index]:.1f}", *published, Text(bar))
    if len(classes) > len(largest):
        table.caption = f"and {len(classes) - len(largest)} smaller ones"
    return table
