"""The verbs on a store: what they print, what they change, and how they end."""

import pytest

from bench.cli.main import main
from bench.store.folders import SuiteFolder
from tests.helpers.stores import Store, make_cell


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "runs", images=2)
    store.add(make_cell("A"), 0.8)
    store.add(make_cell("B"), 0.6)
    return store


def test_store_check_counts_faults(store, capsys):
    output = store.folder.cells.output
    assert main(["store", "check", "--output", str(output)]) == 0
    assert capsys.readouterr().out == f"{output}: no fault\n"
    counts = store.folder.cells.files(store.keys[0])[1]
    counts.write_bytes(b"nothing")
    assert main(["store", "check", "--output", str(output)]) == 1
    assert capsys.readouterr().out == f"{counts}: its checksum differs\n{output}: 1 faults\n"
    assert main(["store", "check", "--output", str(output / "none")]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_store_gc_deletes_only_if_told(store, capsys):
    output = store.folder.cells.output
    manifest = store.folder.manifest()
    store.folder.write_manifest(manifest.model_copy(update={"cells": manifest.cells[:1]}))
    files = store.folder.cells.files(store.keys[1])
    assert main(["store", "gc", "--output", str(output)]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert listed[:-1] == sorted(map(str, files))
    assert listed[-1].startswith("3 files, ")
    assert listed[-1].endswith("could be deleted with --delete")
    assert all(path.exists() for path in files)
    assert main(["store", "gc", "--output", str(output), "--delete"]) == 0
    assert capsys.readouterr().out.startswith("3 files, ")
    assert not any(path.exists() for path in files)
    assert all(path.exists() for path in store.folder.cells.files(store.keys[0]))


def test_store_pack_writes_what_reads_the_same(store, tmp_path, capsys):
    packed = tmp_path / "packed"
    assert main(["store", "pack", str(store.folder.path), "--to", str(packed)]) == 0
    assert capsys.readouterr().out == f"{packed}\n"
    assert list(SuiteFolder(packed).records()) == list(store.folder.records())


def test_a_store_compares_with_its_packed_self(store, tmp_path, capsys):
    main(["store", "pack", str(store.folder.path), "--to", str(tmp_path / "packed")])
    capsys.readouterr()
    assert main(["compare", str(store.folder.path), str(tmp_path / "packed")]) == 0
    text = capsys.readouterr().out
    assert text.startswith("2 cells in both: 2 with the same number, 0 with another")
    assert "predict" not in text  # only what differs has a row
    assert main(["compare", str(store.folder.path), str(tmp_path / "none")]) == 2
    assert "no results here" in capsys.readouterr().err


def test_numbers_of_parameters_are_of_methods(capsys):
    assert main(["list", "corruptions", "--params"]) == 2
    assert "--params is of methods" in capsys.readouterr().err


def test_reports_are_named_for_what_they_are_of(store, tmp_path, monkeypatch, capsys):
    written = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "bench.report.write",
        lambda results, to, **settings: written.append((results, to, settings)) or to / "x.html",
    )
    other = Store(tmp_path / "runs", suite="camvid", images=2)
    folders = [str(store.folder.path), str(other.folder.path)]
    assert main(["report", *folders, "--allow-mixed"]) == 0
    (results, to, settings) = written[0]
    assert to.as_posix() == "reports/robustness+camvid"
    assert results.paths == (store.folder.path, other.folder.path)
    assert settings == {"example": False, "allow_mixed": True}
    assert capsys.readouterr().out == f"{to / 'x.html'}\n"
