"""What trainings took, and which are not finished."""

import pytest

from bench.core.schema import Portion
from bench.report.statistics import make_blocks
from bench.report.tables.training import not_trained_out, training_costs, training_tables
from bench.store.folders import StageFolder
from tests.helpers.stores import FLOOR, Store, make_cell

TRAIN = make_cell("A").train_on


def finish(store: Store, label: str, **content) -> None:
    """Write what the stage behind a method's cells recorded of itself."""
    folder = StageFolder(store.folder.path.parent, f"stage-{label}")
    folder.path.mkdir(parents=True, exist_ok=True)
    summary = {"seconds": 60.0, "samples": 800, "flops": 4e12, **content}
    folder.finish({"stage": {"name": "network", "steps": 100}, "weights": "w", **summary})


def add_curve(store: Store, label: str, **accuracies: float) -> None:
    held_out = Portion(held_out=0.2, side="held_out")
    for share, accuracy in zip((0.25, 0.5, 1.0), accuracies.values(), strict=True):
        test_on = TRAIN.model_copy(update={"portion": held_out})
        store.add(make_cell(label, test_on=test_on, curve=share), accuracy)


@pytest.fixture
def store(tmp_path) -> Store:
    store = Store(tmp_path)
    store.add(make_cell(FLOOR), 0.3)
    for label in ("Rising", "Flat", "Free"):
        for seed in (0, 1):
            store.add(make_cell(label, seed=seed), 0.8)
        finish(store, label)
    add_curve(store, "Rising", quarter=0.4, half=0.5, all=0.8)
    add_curve(store, "Flat", quarter=0.7, half=0.8, all=0.8)
    finish(store, "Free", flops=None)
    return store


def test_curves_have_a_table_of_their_own_and_are_in_no_block(store):
    (block,) = make_blocks(store.folder)
    assert block.labels == (FLOOR, "Rising", "Flat", "Free")
    assert all(record.cell.curve is None for record in block.records)
    assert len(block.of("Rising")) == 2


def test_costs_are_those_of_the_stages_and_the_floor_has_none(store):
    (block,) = make_blocks(store.folder)
    costs = {cost.label: cost for cost in training_costs(block)}
    assert list(costs) == ["Rising", "Flat", "Free"]
    assert costs["Rising"][1:6] == (2, 60.0, 800, 4e12, 1234)
    assert costs["Free"].flops is None
    assert costs["Free"].still_rises is None


def test_a_method_whose_curve_rises_is_named_and_marked(store):
    (block,) = make_blocks(store.folder)
    assert not_trained_out(block) == ("Rising",)
    (table,) = training_tables(block)
    verdicts = {row[0].text: row[-1].text for row in table.rows}
    assert verdicts == {"Rising": "not trained out", "Flat": "yes", "Free": "–"}
    free = next(row for row in table.rows if row[0].text == "Free")
    assert [entry.number for entry in free[6:10]] == ["not run", "not run", "not run", "–"]
    assert "no rank is given" in table.caption


def test_without_curves_only_costs_are_shown(tmp_path):
    store = Store(tmp_path)
    store.add(make_cell("A"), 0.8)
    finish(store, "A")
    (table,) = training_tables(make_blocks(store.folder)[0])
    assert table.columns[-1] == "Parameters"
