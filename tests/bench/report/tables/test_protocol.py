"""Tables about the protocol say what the counts say."""

from pathlib import Path

import numpy as np
import pytest

from bench.core.schema import Protocol
from bench.report.answer import Evidence, answer
from bench.report.assemble import assemble
from bench.report.statistics import make_blocks
from bench.report.tables.protocol import change_shares, protocol_sentences, protocol_tables
from bench.report.tables.table import Entry
from bench.report.zero_shot import ZeroShot
from bench.score.metrics import METRICS
from tests.helpers.stores import SIZE, Store, make_cell

PROTOCOL = Protocol(resize=SIZE, metrics=("precision_camseg", "mIoU"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    for label, accuracy in (("Good", 0.9), ("Weak", 0.6)):
        store.add(make_cell(label, protocol=PROTOCOL), accuracy)
    return store


def tables(store: Store) -> dict[str, list[tuple]]:
    return {
        table.slug: list(table.rows)
        for block in make_blocks(store.folder)
        for table in protocol_tables(block)
    }


def test_gap_is_precision_less_miou_of_the_same_counts(store: Store) -> None:
    rows = {row[0].text: row for row in tables(store)["precision_gap"]}
    for record in store.folder.records():
        counts = store.folder.counts(record.key)
        precision, iou = METRICS["precision_camseg"](counts), METRICS["mIoU"](counts)
        _, *entries = rows[record.cell.label]
        assert [entry.value for entry in entries] == pytest.approx(
            [precision, iou, precision - iou]
        )
        assert entries[2].low <= entries[2].value <= entries[2].high


def test_no_table_where_nothing_was_asked_for(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(make_cell("Good"), 0.9)
    assert tables(store) == {}


def test_changes_of_the_truth_are_shares_of_all_its_pixels(store: Store) -> None:
    record = store.add(make_cell("Good", protocol=PROTOCOL, task="label"), 0.7)
    counts = store.folder.counts(record.key)
    ((name, changed, between, to_void, from_void, limit),) = tables(store)["label_changes"]
    dense = np.zeros((5, 5))
    np.add.at(dense, (counts.truth, counts.predicted), counts.pixels)
    dense /= dense.sum()
    assert name.text == "native score"
    assert changed.value == pytest.approx(1 - np.trace(dense))
    assert to_void.value == pytest.approx(dense[4, :4].sum())
    assert from_void.value == pytest.approx(dense[:4, 4].sum())
    total = between.value + to_void.value + from_void.value
    assert total == pytest.approx(changed.value)
    assert limit.value == METRICS["mIoU"](counts)


def test_the_answer_begins_with_what_the_protocol_does(store: Store) -> None:
    record = store.add(make_cell("Good", protocol=PROTOCOL, task="label"), 0.7)
    (block,) = make_blocks(store.folder)
    gaps, labels = protocol_sentences(block)
    assert [entry.value for entry in gaps if isinstance(entry, Entry)] == sorted(
        METRICS["precision_camseg"](counts) - METRICS["mIoU"](counts)
        for counts in (store.folder.counts(r.key) for r in block.of("Good") + block.of("Weak"))
    )
    (share,) = (entry for entry in labels if isinstance(entry, Entry))
    assert share.value == change_shares(store.folder.counts(record.key))[0]
    question = "What does the protocol change?"
    said = answer(Evidence(question, (block,), ZeroShot(()), None))
    starts = [gaps[0], labels[0]]
    assert [sentence[0] for sentence in said if sentence[0] in starts] == starts


def test_two_scores_of_a_suite_have_sections_of_their_own(store: Store, tmp_path: Path) -> None:
    other = PROTOCOL.model_copy(update={"eval_at": "input"})
    for label in ("Good", "Weak"):
        store.add(make_cell(label, protocol=other), 0.8)
    titles = [block.title for block in make_blocks(store.folder)]
    assert titles == ["scenes/city, native score", "scenes/city, input score"]
    assemble(store.folder, tmp_path / "report", digest="", example=False, allow_mixed=False)
    written = {path.name for path in (tmp_path / "report" / "tables").iterdir()}
    assert {f"scenes-city-{s}-score-precision_gap.csv" for s in ("native", "input")} <= written
