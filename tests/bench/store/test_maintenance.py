"""Every planted fault is found and named, and what no suite uses is listed."""

import hashlib
import os

import pytest

from bench.core.errors import StoreError
from bench.core.files import write_sealed
from bench.store.folders import MANIFEST
from bench.store.maintenance import check, unused
from tests.helpers.stores import Store, make_cell

WEIGHTS, LOG = b"weights of a stage", b'{"step": 1}\n'


@pytest.fixture
def store(tmp_path):
    """A store without a fault: two cells, and the stage behind the first one."""
    store = Store(tmp_path / "runs", images=2)
    first = store.add(make_cell("A"), 0.8)
    store.add(make_cell("B"), 0.6)
    stage = store.folder.cells.stage("stage-A")
    stage.path.mkdir(parents=True)
    stage.weights.write_bytes(WEIGHTS)
    stage.log.write_bytes(LOG)
    digests = (hashlib.sha256(content).hexdigest() for content in (WEIGHTS, LOG))
    weights, log = digests
    stage.finish({"weights": weights, "log": log})
    cells = store.folder.cells
    record = cells.record(first.key).model_copy(update={"weights": (weights,)})
    write_sealed(cells.files(first.key)[0], record.model_dump_json())
    return store


def faults(store):
    return list(check(store.folder.cells.output))


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def paths(store):
    cells, stage = store.folder.cells, store.folder.cells.stage("stage-A")
    record, counts, preview = cells.files(store.keys[0])
    return {
        "record": record,
        "counts": counts,
        "preview": preview,
        "summary": stage.path / "stage.json",
        "weights": stage.weights,
        "log": stage.log,
        "manifest": store.folder.path / MANIFEST,
    }


def test_a_sound_store_has_no_fault(store):
    assert faults(store) == []
    assert all(path.exists() for path in paths(store).values())


@pytest.mark.parametrize(
    "kind", ["record", "counts", "preview", "summary", "weights", "log", "manifest"]
)
def test_a_flipped_bit_is_found_and_set_aside(store, kind):
    path = paths(store)[kind]
    flip(path)
    (fault,) = faults(store)
    assert fault.path == path
    assert "checksum differs" in fault.text
    assert not path.exists()
    aside = (store.folder.cells.output / "damaged").iterdir()
    assert path.name in [entry.name.split("-", 1)[1] for entry in aside]
    assert store.folder.cells.is_done(store.keys[0]) == (
        kind not in ("record", "counts", "preview")
    )
    # What was set aside is gone: the next check finds at most what it left behind.
    assert [each for each in faults(store) if each.path == path] == []


def test_a_flipped_bit_of_a_checkpoint_is_found(store):
    stage = store.folder.cells.stage("another")
    stage.path.mkdir()
    stage.write_checkpoint(b"what training goes on from")
    assert faults(store) == []
    flip(stage.checkpoint)
    (fault,) = faults(store)
    assert fault.path == stage.checkpoint
    assert "checksum differs" in fault.text
    assert not stage.checkpoint.exists()


def test_weights_whose_summary_is_gone_are_no_weights(store):
    found = paths(store)
    found["summary"].unlink()
    (fault,) = faults(store)
    assert fault.path == found["weights"]
    assert "no stage.json" in fault.text
    assert not found["weights"].exists()


@pytest.mark.parametrize("kind", ["counts", "preview"])
def test_missing_arrays_are_found(store, kind):
    path = paths(store)[kind]
    path.unlink()
    (fault,) = faults(store)
    assert (fault.path, fault.text) == (path, "missing")
    assert not store.folder.cells.is_done(store.keys[0])


def test_the_record_of_another_cell_is_found(store):
    first, second = (store.folder.cells.files(key)[0] for key in store.keys)
    first.write_bytes(second.read_bytes())
    (fault,) = faults(store)
    assert fault.path == first
    assert fault.text == f"the record of another cell, {store.keys[1]}"
    assert not first.exists()


def test_a_record_of_other_weights_is_named_and_left(store):
    cells = store.folder.cells
    path = cells.files(store.keys[0])[0]
    record = cells.record(store.keys[0]).model_copy(update={"weights": ("0" * 64,)})
    write_sealed(path, record.model_dump_json())
    (fault,) = faults(store)
    assert fault.path == path
    assert "made with other weights than stage stage-A has now" in fault.text
    assert path.exists()


def test_what_a_torn_write_left_is_named(store):
    path = store.folder.cells.files(store.keys[0])[0]
    left = path.with_name(f".{path.name}.abc123")
    left.write_text("{")
    (fault,) = faults(store)
    assert fault.path == left
    assert "did not end" in fault.text
    assert unused(store.folder.cells.output) == ((), 0)  # it may yet be written
    os.utime(left, (0, 0))
    assert unused(store.folder.cells.output) == ((left,), 1)


def test_the_lock_of_a_report_was_not_torn(store):
    lock = store.folder.cells.output / "reports" / ".robustness.lock"
    lock.parent.mkdir()
    lock.touch()
    assert faults(store) == []


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(StoreError, match="no such folder; --output"):
        list(check(tmp_path / "none"))


def test_nothing_of_a_suite_is_unused(store):
    assert unused(store.folder.cells.output) == ((), 0)


def test_what_no_manifest_names_is_unused(store):
    cells = store.folder.cells
    manifest = store.folder.manifest()
    store.folder.write_manifest(manifest.model_copy(update={"cells": manifest.cells[1:]}))
    damaged = cells.output / "damaged" / "1-x.npz"
    damaged.parent.mkdir()
    damaged.write_bytes(b"12345")
    stage = cells.stage("stage-A")
    gone = [*cells.files(store.keys[0]), damaged, *stage.path.iterdir()]
    found = unused(cells.output)
    assert found.paths == tuple(sorted(gone))
    assert found.bytes == sum(path.stat().st_size for path in gone)


def test_what_a_run_holds_is_not_unused(store):
    cells = store.folder.cells
    store.folder.write_manifest(store.folder.manifest().model_copy(update={"cells": ()}))
    with cells.lock(f"cells-{store.keys[0]}"), cells.lock("stage-stage-A"):
        assert unused(cells.output).paths == tuple(sorted(cells.files(store.keys[1])))
    assert len(unused(cells.output).paths) == 3 + 3 + 3
