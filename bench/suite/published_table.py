"""Checking that a suite's published table is one: its numbers, and what would measure them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.claims.reported import PAPERS, Reported, load_reported
from bench.core.errors import ClaimsError
from bench.core.manifest import PaperColumn, PaperRow, PaperTable, Published
from bench.core.registry import suggest
from bench.score.lookup import PRECISIONS
from bench.score.metrics import METRICS
from bench.suite.yaml_errors import Fault


def find_cell(
    numbers: Sequence[Reported], paper: PaperTable, row: PaperRow, column: PaperColumn
) -> list[Reported]:
    """Return the reported numbers of a place of a table: one, or none where it is empty."""
    if not row.reported or not column.reported:
        return []
    # What tells most numbers apart comes first.
    wanted = {**row.reported, **column.reported, "table": paper.table}
    return [n for n in numbers if n.paper == paper.name and _has(n, wanted)]


def _has(number: Reported, wanted: Mapping[str, str]) -> bool:
    return all(number.row.get(key) == text for key, text in wanted.items())


def paper_faults(
    paper: PaperTable, labels: Sequence[str], tests: Sequence[str], folder: Path = PAPERS
) -> Iterator[Fault]:
    """Find what a published table names that is not there.

    Args:
        paper: the table.
        labels: of the suite's methods.
        tests: names of the suite's test sets.
        folder: of the reported numbers and claims.
    """
    try:
        numbers = load_reported(folder)
    except ClaimsError as error:
        yield Fault(("paper",), str(error))
        return
    for key, column in (("name", "paper"), ("table", "table")):
        value = getattr(paper, key)
        known = sorted({{"paper": n.paper, **n.row}[column] for n in numbers})
        if value not in known:
            message = f"no reported number has {key} {value!r}; {suggest(value, known)}"
            yield Fault(("paper", key), message)
            return
        numbers = [n for n in numbers if n.paper == paper.name]
    cells = []
    for row in paper.rows:
        of_row = [number for number in numbers if _has(number, row.reported)]
        cells.append([find_cell(of_row, paper, row, column) for column in paper.columns])
    yield from _row_faults(paper, cells, labels)
    yield from _column_faults(paper, cells, tests)


Cells = Sequence[Sequence[Sequence[Reported]]]
"""The reported numbers of each row, by column: one at each place, if the table is right."""


def _row_faults(paper: PaperTable, cells: Cells, labels: Sequence[str]) -> Iterator[Fault]:
    for at, (row, found) in enumerate(zip(paper.rows, cells, strict=True)):
        where = ("paper", "rows", at)
        if row.method and row.method not in labels:
            message = f"no method is labelled {row.method!r}; {suggest(row.method, labels)}"
            yield Fault((*where, "method"), message)
        if row.reported and not any(found):
            message = f"table {paper.table} has no number of {dict(row.reported)} in these columns"
            yield Fault((*where, "reported"), message)
        for column, numbers in zip(paper.columns, found, strict=True):
            if len(numbers) > 1:
                message = f"{len(numbers)} numbers in column {column.name!r}"
                yield Fault((*where, "reported"), f"{message}; say more of the row or column")


def _column_faults(paper: PaperTable, cells: Cells, tests: Sequence[str]) -> Iterator[Fault]:
    for at, column in enumerate(paper.columns):
        where = ("paper", "columns", at)
        if column.reported and not any(row[at] for row in cells):
            message = f"table {paper.table} has no number of {dict(column.reported)} in these rows"
            yield Fault((*where, "reported"), message)
        known = (*METRICS, *PRECISIONS)
        if column.metric not in known:
            message = f"no metric {column.metric!r}; {suggest(column.metric, known)}"
            yield Fault((*where, "metric"), message)
        for name in column.test_on:
            if name not in tests:
                message = f"the suite has no test set {name!r}; {suggest(name, tests)}"
                yield Fault((*where, "test_on"), message)
        if not column.test_on and len(tests) > 1 and not column.missing:
            yield Fault(where, f"which test set: one of {', '.join(tests)}?")


def curve_faults(entry: Mapping[str, object]) -> Iterator[Fault]:
    """Look up what ``published`` names, key by key: paper, its method, that method's metric."""
    try:
        rows = [{"paper": number.paper, **number.row} for number in load_reported(PAPERS)]
    except ClaimsError as error:
        yield Fault(("published",), str(error))
        return
    place = ""
    for key in Published.model_fields:
        known = sorted({row[key] for row in rows})
        if entry.get(key) not in known:
            if key in entry:
                message = f"no reported number{place} has {key} {entry[key]!r}"
                message += f"; {suggest(str(entry[key]), known)}"
                yield Fault(("published", key), message)
            return
        place += f" of {entry[key]}"
        rows = [row for row in rows if row[key] == entry[key]]
