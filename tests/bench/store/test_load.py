from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.core.errors import StoreError
from bench.core.schema import Condition, Protocol
from bench.score.metrics import METRICS
from bench.store.load import COLUMNS, load_results
from tests.helpers.stores import SIZE, Store, make_cell


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.add(make_cell("A"), 0.8)
    store.add(make_cell("A", Condition(corruption="fog", severity=3), limit=12), 0.5)
    store.fail(make_cell("B"), "Diverged: step 3")
    return store


def test_one_row_per_cell_and_metric(store: Store) -> None:
    table = load_results(store.folder.path)
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 3 * 3
    assert not table.duplicated(["key", "metric"]).any()
    clean, corrupted = table.iloc[0], table.iloc[3]
    assert (clean.corruption, clean.severity, clean.num_images) == ("none", 0, 12)
    assert (corrupted.corruption, corrupted.severity, corrupted.limit) == ("fog", 3, 12)
    assert clean.limit is pd.NA
    assert (clean.train_on, clean.test_on) == ("scenes/city", "scenes/city")


def test_values_are_the_metrics_of_the_stored_counts(store: Store) -> None:
    for row in load_results(store.folder.path).query("status == 'ok'").itertuples():
        assert row.value == METRICS[row.metric](store.folder.counts(row.key))


def test_failed_cells_have_rows_without_values(store: Store) -> None:
    failed = load_results(store.folder.path).query("status == 'failed'")
    assert list(failed.metric) == ["mIoU", "mAcc", "aAcc"]
    assert np.isnan(failed.value).all()
    assert list(failed.num_images) == [0, 0, 0]


def test_metrics_are_those_of_the_protocol(tmp_path: Path) -> None:
    store = Store(tmp_path)
    protocol = Protocol(resize=SIZE, metrics=("precision_camseg",))
    store.add(make_cell("A", protocol=protocol), 0.8)
    assert list(load_results(tmp_path).metric) == ["precision_camseg"]


def test_output_folder_joins_its_suites(tmp_path: Path, store: Store) -> None:
    other = Store(tmp_path, suite="zero_shot")
    other.add(make_cell("A", suite="zero_shot"), 0.7)
    assert set(load_results(tmp_path).suite) == {"robustness", "zero_shot"}
    assert set(load_results(str(other.folder.path)).suite) == {"zero_shot"}


def test_no_cell_yet_is_an_empty_table(tmp_path: Path) -> None:
    Store(tmp_path)
    table = load_results(tmp_path)
    assert tuple(table.columns) == COLUMNS
    assert table.empty


def test_no_results_is_an_error_that_says_where(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no results here"):
        load_results(tmp_path)
