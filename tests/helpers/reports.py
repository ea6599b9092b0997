"""A report on constructed cells: three methods, one of which failed under one condition."""

import csv
import json
from pathlib import Path
from typing import Any

from bench.core.record import ModelCost, Record
from bench.core.schema import CLEAN, Condition
from bench.store.folders import StageFolder, SuiteFolder
from tests.helpers.stores import FLOOR, SIZE, Store, make_cell

GOOD, WEAK = "GSS-FF", "A_1 & B%"
CONDITIONS = [Condition(corruption=c, severity=s) for c in ("fog", "motion_blur") for s in (1, 3)]
BROKEN = CONDITIONS[-1]
ACCURACY = {FLOOR: (0.3, 0.0), GOOD: (0.9, 0.1), WEAK: (0.6, 0.05)}
"""On clean images, and how much less with each severity."""

CONFIDENCE = {GOOD: 0.95}
"""Of every pixel; the others have no probabilities."""


def make_cost(**changes: Any) -> ModelCost:
    """Make the cost of a small model, some of its fields replaced."""
    cost = {
        "parameters": 1234,
        "size": SIZE,
        "flops": 2_500_000_000,
        "latency": 0.02,
        "latency_spread": (0.018, 0.031),
        "repeats": 10,
        "batch_size": 8,
        "throughput": 80.0,
        "peak_memory": None,
    }
    return ModelCost.model_validate({**cost, **changes})


COSTS = {GOOD: make_cost(), WEAK: make_cost(flops=10**9, latency=0.005)}

Key = tuple[str, str, str]
"""File, row and column of one place in the CSV tables."""


def fill(output: Path) -> tuple[SuiteFolder, dict[tuple[str, Condition], Record]]:
    """Write the cells of :data:`ACCURACY`; return their folder and the finished records."""
    store, records = Store(output, reference=FLOOR), {}
    for label, (clean, loss) in ACCURACY.items():
        for condition in (CLEAN, *CONDITIONS):
            cell = make_cell(label, condition)
            if (label, condition) == (WEAK, BROKEN):
                store.fail(cell, "Diverged: loss 'ce' is nan <at> step 7")
            else:
                accuracy = clean - loss * condition.severity
                cost = COSTS.get(label) if condition == CLEAN else None
                sure = CONFIDENCE.get(label)
                added = store.add(cell, accuracy, cost=cost, confidence=sure)
                records[label, condition] = added
    store.add(make_cell(GOOD, task="reconstruct"), 0.95)
    stage = StageFolder(output, f"stage-{GOOD}")
    stage.path.mkdir(parents=True)
    lines = [
        {"step": step, "loss": {"ce": 3 / step}, "lr": 1e-3, "seconds": 1.0} for step in (1, 9)
    ]
    stage.log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    stage.finish({"stage": {"name": "prior"}})
    return store.folder, records


def read_tables(destination: Path) -> dict[Key, str]:
    """Read every CSV table of a report."""
    places = {}
    for path in sorted((destination / "tables").glob("*.csv")):
        with path.open() as file:
            for row in csv.DictReader(file):
                keys = [
                    name
                    for name in ("Method", "Class", "Pair", "Score", "Corruption", "Severity")
                    if name in row
                ]
                name = " ".join(row[key] for key in keys)
                for column, value in row.items():
                    places[path.stem, name, column] = value
    return places
