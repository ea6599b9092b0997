"""Which cells stand side by side, and what their records say of them."""

from pathlib import Path

import pytest

from bench.core.record import DataFacts
from bench.core.schema import CLEAN, Condition
from bench.report.captions import data_note
from bench.report.compare import compare
from bench.report.statistics import make_blocks
from bench.score.metrics import METRICS
from tests.helpers.stores import Store, make_cell

FOG = Condition(corruption="fog", severity=3)


def test_the_floor_is_what_its_records_say(tmp_path: Path) -> None:
    store = Store(tmp_path)
    plain = store.add(make_cell("Mean", method="mean_label"), 0.3)
    store.add(make_cell("A"), 0.8)
    assert make_blocks(store.folder)[0].floor is None
    store.folder.cells.write(plain.model_copy(update={"floor": True}), None, None)
    (block,) = make_blocks(store.folder)
    assert (block.floor, block.learned) == ("Mean", ("A",))
    contest = block.beating_floor()
    assert contest is not None
    assert contest.higher == contest.others == ("A",)
    assert contest.one_training  # which decides nothing


@pytest.mark.parametrize("primary", ["mIoU", "aAcc"])
def test_the_primary_metric_is_the_suites(tmp_path: Path, primary: str) -> None:
    store = Store(tmp_path)
    store.primary = primary
    record = store.add(make_cell("A"), 0.8)
    (block,) = make_blocks(store.folder)
    score = block.score("A")
    assert score is not None
    assert score.value == METRICS[primary](store.folder.counts(record.key))
    assert block.metrics[0] == primary
    assert set(block.metrics) == {"mIoU", "mAcc", "aAcc"}
    assert compare(store.folder, store.folder).metric == primary


def test_data_and_conditions_are_as_recorded(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for condition in (CLEAN, FOG):
        record = store.add(make_cell("A", condition), 0.8)
        facts = DataFacts(title="Elsewhere", contents="three towns")
        changed = {"train_set": facts, "test_set": facts}
        if condition == FOG:
            assert record.condition is not None
            ours = record.condition.model_copy(update={"parameters": (("thickness", 7.0),)})
            changed["condition"] = ours
        store.folder.cells.write(record.model_copy(update=changed), None, None)
    (block,) = make_blocks(store.folder)
    assert block.facts(CLEAN) is None
    recorded = block.facts(FOG)
    assert recorded is not None
    assert recorded.parameters == (("thickness", 7.0),)
    assert "on scenes/city of three towns" in data_note(block)
    assert "generated" not in data_note(block)
