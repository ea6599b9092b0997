"""What is read from a suite's three files, and what is refused."""

import random

import pytest

from bench.core.errors import StoreError
from bench.store.packed import COUNTS, RECORDS, STAGES, PackedCells, write_packed
from tests.helpers.stores import Store, make_cell


@pytest.fixture
def packed(tmp_path):
    store = Store(tmp_path / "runs", images=2)
    done, failed = store.add(make_cell("A"), 0.8), store.fail(make_cell("B"), "Diverged")
    stages = [{"key": "s", "summary": {"weights": "x"}, "log": [{"step": 1}]}]
    path = tmp_path / "packed"
    write_packed(path, [(done, store.folder.counts(done.key)), (failed, None)], stages)
    return PackedCells(path), done, failed


def test_cells_and_stages_are_found_by_their_keys(packed):
    cells, done, failed = packed
    assert cells.cell_keys() == (done.key, failed.key)
    assert cells.stage_keys() == ("s",)
    assert (cells.record(done.key), cells.record(failed.key)) == (done, failed)
    assert cells.record("none") is None
    assert cells.counts(done).num_images == 2
    assert cells.preview(done) is None
    assert cells.stage("s").log_lines() == [{"step": 1}]
    assert (cells.stage("none").summary(), cells.stage("none").log_lines()) == (None, [])


def test_a_cell_without_counts_is_refused_by_its_key(packed):
    cells, _, failed = packed
    with pytest.raises(StoreError, match=rf"counts\.npz: has no counts of {failed.key}"):
        cells.counts(failed)


def test_a_folder_without_files_has_no_cells(tmp_path, packed):
    cells = PackedCells(tmp_path / "none")
    assert (cells.cell_keys(), cells.stage_keys()) == ((), ())
    with pytest.raises(StoreError, match=r"counts\.npz: cannot be read"):
        cells.counts(packed[1])


@pytest.mark.parametrize("name", [RECORDS, STAGES, COUNTS])
@pytest.mark.parametrize("keep", [0.5, 0.0], ids=["torn", "foreign"])
def test_damaged_files_are_named(packed, name, keep):
    cells, done, _ = packed
    path = cells.path / name
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)] if keep else b"no such format")
    fresh = PackedCells(cells.path)
    with pytest.raises(StoreError, match=f"{name}: cannot be read"):
        {
            RECORDS: fresh.cell_keys,
            STAGES: fresh.stage_keys,
            COUNTS: lambda: fresh.counts(done),
        }[name]()


@pytest.mark.parametrize("name", [RECORDS, STAGES, COUNTS])
def test_a_flipped_bit_is_named_or_changes_nothing(packed, name):
    cells, done, _ = packed
    path, draws = cells.path / name, random.Random(0)
    sound, expected = path.read_bytes(), contents(cells, done)
    refused = 0
    for _ in range(25):
        damaged = bytearray(sound)
        damaged[draws.randrange(len(damaged))] ^= 1 << draws.randrange(8)
        path.write_bytes(damaged)
        try:
            found = contents(PackedCells(cells.path), done)
        except StoreError as error:
            refused += name in str(error)
        else:
            assert found == expected
    assert refused > 12


def contents(cells, record):
    counts = {k: a.tolist() for k, a in cells.counts(record)._asdict().items() if a is not None}
    return cells.cell_keys(), cells.stage_keys(), cells.record(record.key), counts
