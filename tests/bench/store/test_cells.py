"""What the store knows of a cell and of a stage, and what it does with damaged files."""

import hashlib

import numpy as np
import pytest

from bench.core.errors import StoreError
from bench.store.cells import CellStore
from tests.helpers.stores import PROVENANCE, Store, make_cell

CELL = make_cell("A")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path, images=3)


@pytest.fixture
def cells(store):
    return store.folder.cells


def finish(cells: CellStore, key: str, weights: bytes) -> str:
    """Leave a finished stage with these weights; return their digest."""
    stage, digest = cells.stage(key), hashlib.sha256(weights).hexdigest()
    stage.path.mkdir(parents=True, exist_ok=True)
    stage.weights.write_bytes(weights)
    stage.finish({"weights": digest})
    return digest


def flip(path, index=-20):
    """Change a bit of a file."""
    content = bytearray(path.read_bytes())
    content[index] ^= 4
    path.write_bytes(content)


def test_a_cell_comes_back_as_it_was_written(store, cells):
    written = store.add(CELL, 0.7)
    record = cells.record(written.key)
    assert record == written.model_copy(update={"files": record.files})
    assert set(record.files) == {".npz", ".preview.npz"}
    counts = cells.counts(record)
    valid = (store.truth != 255).sum()
    assert counts.tp.sum() + counts.fn.sum() == valid
    assert 0.6 < counts.tp.sum() / valid < 0.8
    preview = cells.preview(record)
    assert list(preview.ids) == ["scene-000", "scene-001"]
    assert np.array_equal(preview.label, store.truth[:2])
    assert cells.cell_keys() == [written.key]
    assert cells.size_of(written.key) == sum(p.stat().st_size for p in cells.files(written.key))


def test_the_state_of_a_cell(store, cells):
    assert cells.state("none") == "missing"
    assert not cells.is_done("none")
    record = store.add(CELL, 0.7)
    assert cells.state(record.key) == "done"
    assert cells.is_done(record.key)


def test_what_failed_before_a_run_began_is_tried_again(store, cells):
    record = store.fail(make_cell("B"), "Diverged")
    assert cells.state(record.key) == "failed"
    cells.write(record.model_copy(update={"finished": "2026-01-02T00:00:00.000Z"}), None, None)
    assert cells.state(record.key, since="2026-01-01T00:00:00.000Z") == "failed"
    assert cells.state(record.key, since="2026-01-03T00:00:00.000Z") == "missing"


def test_a_number_of_other_weights_than_its_stage_has_now_is_missing(store, cells):
    record = store.add(CELL, 0.7)
    digest = finish(cells, record.stages[0], b"weights")
    assert cells.state(record.key) == "missing"
    cells.write(record.model_copy(update={"weights": (digest,)}), None, None)
    assert cells.state(record.key) == "done"


def test_a_damaged_record_is_set_aside_and_told(store, cells, caplog):
    record = store.add(CELL, 0.7)
    path = cells.files(record.key)[0]
    flip(path)
    assert cells.state(record.key) == "missing"
    assert "set aside and computed again" in caplog.text
    assert not path.exists()
    aside = list((cells.output / "damaged").iterdir())
    assert [entry.name.split("-", 1)[1] for entry in aside] == [path.name]
    assert cells.record(record.key) is None


@pytest.mark.parametrize("how", [flip, lambda path: path.unlink()], ids=["flipped", "missing"])
def test_damaged_counts_take_their_record_with_them(store, cells, how):
    record = cells.record(store.add(CELL, 0.7).key)
    how(cells.files(record.key)[1])
    with pytest.raises(StoreError, match=r"\.npz: missing or damaged .*; run again"):
        cells.counts(record)
    assert cells.state(record.key) == "missing"


def test_pictures_are_optional_but_not_wrong(store, cells):
    record = cells.record(store.add(CELL, 0.7).key)
    preview = cells.files(record.key)[2]
    flip(preview)
    with pytest.raises(StoreError, match=r"preview\.npz: missing or damaged"):
        cells.preview(record)
    assert cells.preview(record) is None  # the damaged file was set aside
    failed = store.fail(make_cell("B"), "Diverged")
    assert cells.preview(failed) is None


def test_a_stage_is_finished_once_its_summary_is_there(cells):
    stage = cells.stage("s")
    assert (stage.summary(), stage.digest(), stage.is_finished()) == (None, "", False)
    stage.path.mkdir(parents=True)
    stage.weights.write_bytes(b"weights")
    stage.checkpoint.write_bytes(b"checkpoint")
    assert not stage.is_finished()
    assert not stage.is_intact()
    digest = finish(cells, "s", b"weights")
    assert (stage.digest(), stage.is_finished(), stage.is_intact()) == (digest, True, True)
    assert not stage.checkpoint.exists()
    assert cells.stage_keys() == ["s"]


def test_a_stage_with_other_weights_is_not_intact_and_is_set_aside(cells, caplog):
    stage = cells.stage("s")
    finish(cells, "s", b"x" * 100)
    stage.set_aside_damaged()
    assert stage.is_intact()
    flip(stage.weights)
    assert stage.is_finished()
    assert not stage.is_intact()
    stage.set_aside_damaged()
    assert "damaged; it is set aside" in caplog.text
    assert not stage.weights.exists()
    assert stage.summary() is None
    assert len(list((cells.output / "damaged").iterdir())) == 2


def test_without_weights_a_stage_is_not_intact_but_its_digest_stands(cells):
    digest = finish(cells, "s", b"weights")
    cells.stage("s").weights.unlink()
    assert cells.stage("s").digest() == digest
    assert not cells.stage("s").is_intact()
    assert not cells.stage("s").is_finished()


def test_torn_lines_of_a_log_are_left_out(cells, caplog):
    stage = cells.stage("s")
    assert (stage.log_lines(), stage.log_digest()) == ([], "")
    stage.path.mkdir(parents=True)
    stage.log.write_text('{"step": 1}\n{"step": 2}\n{"st')
    assert stage.log_lines() == [{"step": 1}, {"step": 2}]
    assert "torn line" in caplog.text
    assert stage.log_digest() == hashlib.sha256(stage.log.read_bytes()).hexdigest()


def test_a_sample_of_records_is_spread_over_all(store, cells, monkeypatch):
    monkeypatch.setattr("bench.store.cells.SAMPLE", 2)
    for seed in range(6):
        store.fail(make_cell("A", seed=seed), "Diverged")
    keys = cells.cell_keys()
    assert [record.key for record in cells.sample_records()] == keys[::3]
    assert all(record.provenance == PROVENANCE for record in cells.sample_records())
