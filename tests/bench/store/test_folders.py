"""A suite's folder shows its cells as the suite calls them, and packs without a loss."""

import numpy as np
import pytest

from bench.core.errors import StoreError
from bench.core.schema import Condition, Protocol
from bench.store.folders import MANIFEST, SuiteFolder, pack, suite_folders
from tests.helpers.stores import SIZE, Store, make_cell


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "runs", images=3)
    store.add(make_cell("A"), 0.8)
    store.add(make_cell("A", Condition(corruption="fog", severity=3)), 0.5)
    store.fail(make_cell("B"), "Diverged: step 3")
    stage = store.folder.cells.stage("stage-A")
    stage.path.mkdir(parents=True)
    stage.log.write_text('{"step": 1, "loss": 0.5}\n')
    stage.finish({"weights": "weightsdigest"})
    return store


def test_packed_results_are_those_that_were_packed(store, tmp_path):
    pack(store.folder, tmp_path / "packed")
    packed = SuiteFolder(tmp_path / "packed")
    assert packed.manifest() == store.folder.manifest()
    assert list(packed.records()) == list(store.folder.records())
    for key in store.keys[:2]:
        pairs = zip(packed.counts(key), store.folder.counts(key), strict=True)
        for name, (a, b) in zip(packed.counts(key)._fields, pairs, strict=True):
            assert (a is None) == (b is None), name
            assert a is None or (a.dtype == b.dtype and np.array_equal(a, b)), name
    assert packed.preview(store.keys[0]) is None
    assert packed.stage("stage-A").summary() == {"weights": "weightsdigest"}
    assert packed.stage("stage-A").log_lines() == [{"step": 1, "loss": 0.5}]


def test_the_same_results_pack_into_the_same_bytes(store, tmp_path):
    for name in ("one", "two"):
        pack(store.folder, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["counts.npz", "records.jsonl.gz", "stages.jsonl.gz", MANIFEST]
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_suite_shows_cells_under_its_own_names(store):
    other = Store(store.folder.path.parent, suite="other")
    manifest = store.folder.manifest()
    entry = manifest.cells[0].model_copy(update={"label": "Ours", "preset": "wide"})
    cells = {"suite": "other", "cells": (entry,), "metrics": ("mAcc",)}
    other.folder.write_manifest(manifest.model_copy(update=cells))
    (record,) = other.folder.records()
    cell = record.cell
    assert (cell.suite, cell.label, cell.preset) == ("other", "Ours", "wide")
    assert cell.protocol.metrics == ("mAcc",)
    assert other.folder.record(entry.key) == record
    assert store.folder.record(entry.key).cell.label == "A"
    assert record.cell.protocol.resize == Protocol(resize=SIZE).resize


def test_records_come_in_the_order_of_the_manifest_without_those_that_are_missing(store):
    manifest = store.folder.manifest()
    store.folder.write_manifest(manifest.model_copy(update={"cells": manifest.cells[::-1]}))
    assert [record.key for record in store.folder.records()] == store.keys[::-1]
    store.folder.cells.files(store.keys[1])[0].unlink()
    assert [record.key for record in store.folder.records()] == [store.keys[2], store.keys[0]]
    with pytest.raises(StoreError, match=f"no record of the cell {store.keys[1]}"):
        store.folder.counts(store.keys[1])


def test_a_folder_without_results_is_refused(tmp_path, store):
    with pytest.raises(StoreError, match=r"nothing: no results here"):
        suite_folders(tmp_path / "nothing")
    with pytest.raises(StoreError, match=r"`python -m bench run` writes it"):
        SuiteFolder(tmp_path).manifest()
    path = store.folder.path / MANIFEST
    path.write_text(path.read_text().replace("Which", "What"))
    with pytest.raises(StoreError, match=r"`python -m bench plan` writes it again"):
        store.folder.manifest()


def test_suites_are_found_below_a_folder_in_order_of_their_names(store, tmp_path):
    Store(tmp_path / "runs", suite="camvid")
    assert [folder.path.name for folder in suite_folders(tmp_path)] == ["camvid", "robustness"]
    assert suite_folders(store.folder.path)[0].path == store.folder.path


def further(tmp_path, seed=1, **changes):
    """A store of another machine, with one more seed of both methods."""
    store = Store(tmp_path / f"further-{seed}", images=3)
    for label in ("A", "B"):
        store.add(make_cell(label, seed=seed, **changes), 0.7)
    return store


def test_further_seeds_are_added_to_what_is_packed(store, tmp_path):
    packed = tmp_path / "packed"
    pack(store.folder, packed)
    more = further(tmp_path)
    stage = more.folder.cells.stage("stage-B")
    stage.path.mkdir(parents=True)
    stage.finish({"weights": "other"})
    pack(more.folder, packed, add=True)
    folder = SuiteFolder(packed)
    assert [record.key for record in folder.records()] == [*store.keys, *more.keys]
    assert [entry.key for entry in folder.manifest().cells] == [*store.keys, *more.keys]
    for source, key in ((store, store.keys[0]), (more, more.keys[0])):
        assert np.array_equal(folder.counts(key).tp, source.folder.counts(key).tp)
    assert folder.stage("stage-A").summary() == {"weights": "weightsdigest"}
    assert folder.stage("stage-B").summary() == {"weights": "other"}
    names = sorted(path.name for path in packed.iterdir())
    before = [(packed / name).read_bytes() for name in names]
    pack(more.folder, packed, add=True)
    assert [(packed / name).read_bytes() for name in names] == before
    pack(more.folder, packed)
    assert [record.key for record in SuiteFolder(packed).records()] == more.keys


def test_a_cell_that_failed_before_is_replaced_by_its_number(store, tmp_path):
    pack(store.folder, tmp_path / "packed")
    again = Store(tmp_path / "again", images=3)
    again.add(make_cell("B"), 0.6)
    assert again.keys == [store.keys[2]]
    pack(again.folder, tmp_path / "packed", add=True)
    states = {entry.key: entry.state for entry in SuiteFolder(tmp_path / "packed").manifest().cells}
    assert list(states) == store.keys
    assert states[store.keys[2]] == "done"
    assert SuiteFolder(tmp_path / "packed").record(store.keys[2]).status == "ok"


def test_another_number_of_the_same_cell_is_refused(store, tmp_path):
    pack(store.folder, tmp_path / "packed")
    changed = further(tmp_path, seed=0, config={"steps": 9})
    with pytest.raises(StoreError, match="another number of the same cell is there already"):
        pack(changed.folder, tmp_path / "packed", add=True)
    assert [r.key for r in SuiteFolder(tmp_path / "packed").records()] == store.keys
