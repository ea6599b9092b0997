"""Several suites read as one: each cell once, and rows told apart."""

import numpy as np
import pytest

from bench.core.errors import StoreError
from bench.store.folders import SuiteFolder
from bench.store.merged import MergedFolder, merge, relabelled
from tests.helpers.stores import Store, make_cell


@pytest.fixture
def stores(tmp_path):
    """Two suites of one store; method A is in both, with other seeds."""
    first = Store(tmp_path / "out", suite="first", images=2, reference="A")
    first.add(make_cell("A"), 0.9)
    first.add(make_cell("B"), 0.5)
    second = Store(tmp_path / "out", suite="second", images=2)
    second.add(make_cell("A", seed=1), 0.4)
    second.add(make_cell("C"), 0.3)
    return first, second


def test_one_suite_is_itself(stores):
    merged = merge([stores[0].folder.path])
    assert type(merged) is SuiteFolder
    assert merged.path == stores[0].folder.path


def test_labels_of_several_suites_get_their_names(stores):
    merged = merge([store.folder.path for store in stores])
    labels = [record.cell.label for record in merged.records()]
    assert labels == ["A (first)", "B", "A (second)", "C"]
    assert [entry.label for entry in merged.manifest().cells] == labels
    assert merged.paths == tuple(store.folder.path for store in stores)


def test_the_manifest_joins_those_of_the_suites(stores):
    stores[1].stand_in = "generated data"
    stores[1].metrics = ("aAcc", "mIoU")
    stores[1].describe()
    manifest = merge([stores[0].folder.path.parent]).manifest()
    assert manifest.suite == "first + second"
    assert manifest.question == "Which method keeps its score?"
    assert manifest.metrics == ("mIoU", "mAcc", "aAcc")
    assert manifest.stand_in == "generated data"
    assert manifest.reference == ""  # its label stands for two methods now


def test_a_reference_that_is_the_only_one_of_its_label_stays(stores):
    stores[0].reference = "B"
    stores[0].describe()
    assert merge([stores[0].folder.path.parent]).manifest().reference == "B"


def test_a_cell_of_both_suites_comes_once(stores):
    first, second = stores
    cells = (*second.folder.manifest().cells, first.folder.manifest().cells[1])
    second.folder.write_manifest(second.folder.manifest().model_copy(update={"cells": cells}))
    keys = [record.key for record in merge([first.folder.path, second.folder.path]).records()]
    assert keys == first.keys + second.keys


def test_arrays_and_stages_come_from_the_store_that_has_them(stores, tmp_path):
    other = Store(tmp_path / "elsewhere", suite="first", images=3)
    record = other.add(make_cell("D"), 0.7)
    stage = other.folder.cells.stage("stage-D")
    stage.path.mkdir(parents=True)
    stage.finish({"weights": "d"})
    merged = merge([stores[0].folder.path, other.folder.path])
    assert isinstance(merged, MergedFolder)
    assert merged.counts(record.key).num_images == 3
    assert merged.counts(stores[0].keys[0]).num_images == 2
    assert np.array_equal(merged.preview(record.key).label, other.truth[:2])
    assert merged.stage("stage-D").summary() == {"weights": "d"}
    assert merged.stage("stage-A").summary() is None
    assert merged.record(record.key).cell.label == "D"
    assert merged.record("none") is None


def test_suites_of_one_name_are_told_apart_by_their_paths(stores, tmp_path):
    other = Store(tmp_path / "elsewhere", suite="first", images=2)
    other.add(make_cell("B", seed=4, config={"steps": 9}), 0.7)
    merged = merge([stores[0].folder.path, other.folder.path])
    labels = [record.cell.label for record in merged.records()]
    assert labels == ["A", f"B ({stores[0].folder.path})", f"B ({other.folder.path})"]


def test_a_folder_without_results_is_refused(stores, tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(StoreError, match="no results here"):
        merge([stores[0].folder.path, tmp_path / "none"])


def test_relabelling_changes_the_label_alone(stores):
    record = next(stores[0].folder.records())
    again = relabelled(record, "Z")
    assert again.cell.label == "Z"
    assert relabelled(again, "A") == record


def test_seeds_of_one_suite_in_several_folders_are_one_row(tmp_path):
    stores = [Store(tmp_path / name, images=2) for name in ("packed", "fresh")]
    for store, seeds in zip(stores, ((0, 1), (2,)), strict=True):
        for seed in seeds:
            store.add(make_cell("A", seed=seed), 0.9)
    merged = merge([store.folder.path for store in stores])
    cells = [record.cell for record in merged.records()]
    assert [(cell.label, cell.seed) for cell in cells] == [("A", 0), ("A", 1), ("A", 2)]
    assert merged.manifest().suite == "robustness"


@pytest.mark.parametrize("changes", [{"seed": 0}, {"seed": 1, "config": {"steps": 9}}])
def test_the_same_seed_or_other_settings_are_rows_of_their_own(tmp_path, changes):
    stores = [Store(tmp_path / name, images=2) for name in ("packed", "fresh")]
    stores[0].add(make_cell("A"), 0.9)
    stores[1].add(make_cell("A", **({"limit": 2} | changes)), 0.8)
    labels = [r.cell.label for r in merge([s.folder.path for s in stores]).records()]
    assert labels == [f"A ({store.folder.path})" for store in stores]
