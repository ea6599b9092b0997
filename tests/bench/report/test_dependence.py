"""Changing one stored count changes exactly what rests on it: cells, intervals, verdicts."""

import csv
from pathlib import Path

import numpy as np
import pytest

from bench.claims import Judgement, claims_report
from bench.core.record import Record
from bench.core.schema import CLEAN, Condition
from bench.report.statistics import make_blocks
from bench.report.tables.details import detail_tables
from bench.report.tables.robustness import robustness_tables
from bench.report.tables.scores import score_tables
from bench.report.tables.table import Entry
from bench.score.metrics import METRICS, decided_pixels, pixels
from tests.helpers.papers import HEADER, publish_sizes
from tests.helpers.stores import CLASSES, Store, make_cell

FOG = [Condition(corruption="fog", severity=severity) for severity in (1, 3)]
METHODS = {"Floor": "position_prior", "A": "a", "B": "b"}
ACCURACY = {"Floor": 0.4, "A": 0.7, "B": 0.68}
CLAIMS = """\
version: 2
trainings:
- &trained {preset: published, initialisation: random, dataset: scenes}
claims:
- {id: clean, paper: demo, statement: A beats B., quote: A 60.0, source: here, inequality: A > B,
   terms: {A: {cell: {method: a}, training: *trained}, B: {cell: {method: b}, training: *trained}}}
- {id: fog, paper: demo, statement: A beats B in fog., quote: A 60.0, source: here,
   inequality: A > B, terms: {
   A: {training: *trained,
       cell: {method: a, condition.corruption: fog, condition.severity: 1}},
   B: {training: *trained,
       cell: {method: b, condition.corruption: fog, condition.severity: 1}}}}
- {id: floor, paper: demo, statement: B beats the floor., quote: B, source: here,
   inequality: B > F,
   terms: {B: {cell: {method: b}, training: *trained},
           F: {cell: {method: position_prior}, training: *trained}}}
"""
Place = tuple[str, str, int]
"""Table, name of the row, number of the column."""


@pytest.fixture(autouse=True)
def published_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    publish_sizes(monkeypatch)


@pytest.fixture
def store(tmp_path: Path) -> tuple[Store, dict[tuple[str, Condition], Record]]:
    filled, records = Store(tmp_path / "output", reference="B", images=30), {}
    for label, method in METHODS.items():
        for condition in (CLEAN, *FOG):
            accuracy = ACCURACY[label] - 0.05 * condition.severity
            cell = make_cell(label, condition, method=method, preset="published")
            records[label, condition] = filled.add(cell, accuracy)
    filled.add(make_cell("A", method="a", task="reconstruct"), 0.9)
    return filled, records


def entries(store: Store) -> dict[Place, Entry]:
    (block,) = make_blocks(store.folder)
    return {
        (table.slug, " ".join(str(entry) for entry in row[: 1 + table.columns.index("Severity")])
         if "Severity" in table.columns else row[0].text, column): entry
        for table in (*score_tables(block), *detail_tables(block), *robustness_tables(block))
        for row in table.rows
        for column, entry in enumerate(row)
    }  # fmt: skip


def judged(store: Store, papers: Path) -> dict[str, Judgement]:
    papers.mkdir(exist_ok=True)
    (papers / "claims.yaml").write_text(CLAIMS)
    row = "1,A,,,,,mIoU,,=,60,0.05,percent,printed,here\n"
    (papers / "demo.csv").write_text(HEADER + row)
    assert len(list(csv.reader([row]))) == 1
    return {each.claim.id: each for each in claims_report(store.folder.path, papers)}


def rests_on(key: str, place: Place, entry: Entry) -> bool:
    """Whether a number must change with the true positives of class 0 of a cell.

    Times and ranks rest on a cell whose counts can change without them.
    """
    table, row, _ = place
    if key not in entry.keys or entry.unit not in ("percent", "points") or entry.value is None:
        return False
    if table in ("cost", "ranks"):
        return False
    if table == "classes":
        return row == CLASSES[0]
    return table != "definitions" or METRICS[row].counted in (pixels, decided_pixels)


@pytest.mark.parametrize("condition", [CLEAN, FOG[0]], ids=str)
def test_exactly_what_rests_on_a_count_changes(
    store: tuple[Store, dict[tuple[str, Condition], Record]], tmp_path: Path, condition: Condition
) -> None:
    filled, records = store
    record = records["A", condition]
    before, verdicts_before = entries(filled), judged(filled, tmp_path / "papers")
    counts = filled.folder.counts(record.key)
    more = counts.tp.copy()
    more[0, 0] += 9
    filled.folder.cells.write(record, counts._replace(tp=more), None)
    after, verdicts_after = entries(filled), judged(filled, tmp_path / "papers")

    assert before.keys() == after.keys()
    expected = {place for place, entry in after.items() if rests_on(record.key, place, entry)}
    numbers = {
        place
        for place, entry in after.items()
        if entry.unit in ("percent", "points") and place[0] != "ranks"
    }
    changed = {p for p in numbers if not _same(before[p].value, after[p].value)}
    assert changed == expected
    assert len(expected) > 5
    with_interval = {p for p in expected if after[p].low is not None}
    moved = {
        p
        for p in numbers
        if not (_same(before[p].low, after[p].low) and _same(before[p].high, after[p].high))
    }
    assert moved == with_interval
    different = {name for name in verdicts_before if verdicts_before[name] != verdicts_after[name]}
    assert different == {name for name, each in verdicts_after.items() if record.key in each.keys}
    assert different == {"clean" if condition == CLEAN else "fog"}


def _same(a: float | None, b: float | None) -> bool:
    return a == b or (a is not None and b is not None and np.isnan(a) and np.isnan(b))


def test_a_verdict_turns_with_its_counts(
    store: tuple[Store, dict[tuple[str, Condition], Record]], tmp_path: Path
) -> None:
    filled, records = store
    assert judged(filled, tmp_path / "papers")["clean"].verdict == "reproduced"
    a, b = (records[label, CLEAN] for label in ("A", "B"))
    counts = [filled.folder.counts(record.key) for record in (a, b)]
    filled.folder.cells.write(a, counts[1], None)
    filled.folder.cells.write(b, counts[0], None)
    assert judged(filled, tmp_path / "papers")["clean"].verdict == "refuted"
