"""Two folders of results: common cells paired, what differs named, the rest listed."""

import re
from pathlib import Path

import numpy as np
import pytest

from bench.cli.main import main
from bench.core.errors import StoreError
from bench.core.schema import Condition, Protocol
from bench.report.compare import as_text, compare, summary, table
from bench.report.statistics import make_blocks
from bench.score.metrics import METRICS
from bench.score.stats import Estimate, replicates
from bench.store.merged import MergedFolder, merge
from tests.helpers.stores import SIZE, Store, make_cell

FOG = Condition(corruption="fog", severity=1)


@pytest.fixture
def stores(tmp_path: Path) -> tuple[Store, Store]:
    first, second = Store(tmp_path / "a"), Store(tmp_path / "b")
    for store, accuracy, config in ((first, 0.7, {"width": 1}), (second, 0.8, {"width": 2})):
        store.add(make_cell("A", config=config), accuracy)
        store.add(make_cell("B"), 0.5)
    first.add(make_cell("A", FOG), 0.4)
    second.add(make_cell("A", seed=1), 0.4)
    return first, second


def test_common_cells_are_paired(stores: tuple[Store, Store]) -> None:
    first, second = (store.folder for store in stores)
    found = compare(first, second)
    before, after = first.counts(stores[0].keys[0]), second.counts(stores[1].keys[0])
    metric = METRICS["mIoU"]
    draws = replicates(metric, [before, after])
    change = metric(after) - metric(before)
    expected = Estimate(change, draws[1] - draws[0], units=before.num_images)
    changed, same = found.pairs
    assert changed.difference is not None
    assert changed.difference.value == pytest.approx(expected.value)
    assert changed.difference.interval() == expected.interval()
    assert same.difference is not None
    assert not same.difference.draws.any()
    (row,) = table(found).rows  # of the cell that differs alone
    assert row[0].text == changed.name
    assert summary(found).startswith("2 cells in both: 1 with the same number, 1 with another")
    assert not found.same
    assert compare(first, first).same


def test_differing_fields_are_named(stores: tuple[Store, Store]) -> None:
    changed, same = compare(stores[0].folder, stores[1].folder).pairs
    assert changed.fields == ("config.width: 1 -> 2", "counts: of the same images")
    assert same.fields == ()


def test_counts_that_differ_are_named_though_the_score_is_the_same(tmp_path: Path) -> None:
    first, second = Store(tmp_path / "a"), Store(tmp_path / "b")
    for store in (first, second):
        store.add(make_cell("A"), 0.5)
    assert compare(first.folder, second.folder).same
    record = second.folder.record(second.keys[0])
    assert record is not None
    counts = second.folder.counts(record.key)
    assert counts.bands is not None
    second.folder.cells.write(record, counts._replace(bands=counts.bands + 1), None)
    found = compare(first.folder, second.folder)
    assert found.pairs[0].fields == ("counts: of the same images",)
    assert not found.same


def test_cells_of_one_folder_only_are_listed(
    stores: tuple[Store, Store], capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [str(store.folder.path) for store in stores]
    assert main(["compare", *folders]) == 1
    text = capsys.readouterr().out
    assert main(["compare", folders[0], folders[0]]) == 0
    assert "3 cells in both: 3 with the same number" in capsys.readouterr().out
    assert re.search(r"Only in the first:\n\n- A \| .* fog 1 ", text)
    assert re.search(r"Only in the second:\n\n- A \| .* seed 1\n", text)
    assert "1. config.width: 1 -> 2 (1 cells)" in text
    assert "absent classes are left out of the mean" in text


def test_other_images_and_failures_have_no_difference(tmp_path: Path) -> None:
    first, second = Store(tmp_path / "a"), Store(tmp_path / "b", images=5)
    first.add(make_cell("A"), 0.7)
    second.add(make_cell("A", limit=5), 0.7)
    first.fail(make_cell("B"), "no memory")
    second.add(make_cell("B", limit=5), 0.7)
    found = compare(first.folder, second.folder)
    assert [pair.difference for pair in found.pairs] == [None, None]
    assert "limit: None -> 5" in found.pairs[0].fields
    assert "status: failed -> ok" in found.pairs[1].fields
    text = as_text(found)
    assert "other images" in text
    assert "| failed |" in text


def test_several_suites_are_one_folder_with_labels_told_apart(tmp_path: Path) -> None:
    first, second = Store(tmp_path, "one"), Store(tmp_path, "two")
    first.add(make_cell("A", suite="one"), 0.7)
    first.add(make_cell("C", suite="one"), 0.7)
    second.add(make_cell("A", suite="two"), 0.6)
    second.add(make_cell("B", suite="two"), 0.6)
    folder = merge([tmp_path])
    assert isinstance(folder, MergedFolder)
    labels = [record.cell.label for record in folder.records()]
    assert labels == ["A (one)", "C", "A (two)", "B"]
    for store in (first, second):
        for key in store.keys:
            np.testing.assert_array_equal(folder.counts(key).tp, store.folder.counts(key).tp)
            assert folder.preview(key) is not None


@pytest.fixture
def mixed(tmp_path: Path) -> list[str]:
    one, two = Store(tmp_path, "one"), Store(tmp_path, "two")
    one.add(make_cell("A"), 0.7)
    native = Protocol(resize=SIZE, eval_at="input", metrics=("mIoU",))
    two.add(make_cell("B", protocol=native), 0.6)
    return [str(one.folder.path), str(two.folder.path)]


def test_rows_that_differ_in_protocol_are_refused(
    mixed: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", *mixed, "--to", str(tmp_path / "report")]) == 2
    message = capsys.readouterr().err.strip()
    assert "\n" not in message
    assert "differ in protocol.eval_at (native and input)" in message
    assert "metrics" not in message
    assert "--allow-mixed" in message
    assert not (tmp_path / "report").exists()


def test_rows_that_differ_in_protocol_can_be_marked(mixed: list[str], tmp_path: Path) -> None:
    assert main(["report", *mixed, "--allow-mixed", "--to", str(tmp_path / "report")]) == 0
    text = (tmp_path / "report" / "tables" / "scores.md").read_text()
    assert "| A |" in text
    assert "| B [eval_at=input] |" in text


def test_no_mark_makes_other_images_comparable(tmp_path: Path) -> None:
    one, two = Store(tmp_path, "one"), Store(tmp_path, "two", images=5)
    one.add(make_cell("A"), 0.7)
    two.add(make_cell("B", limit=5), 0.6)
    folder = merge([one.folder.path, two.folder.path])
    with pytest.raises(StoreError, match="limit"):
        make_blocks(folder)
    with pytest.raises(StoreError, match="different images"):
        make_blocks(folder, allow_mixed=True)
