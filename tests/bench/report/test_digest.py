"""A report is made anew when anything it is made from changes, and only then."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.report.digest import ROOT, code_files, digest_of
from bench.store.folders import SuiteFolder
from tests.helpers.stores import Store, make_cell

LOADED = """
import json, sys
import bench.report.assemble, bench.report.compare
files = {getattr(module, "__file__", None) for name, module in sys.modules.items()
         if name.split(".")[0] == "bench"}
print(json.dumps(sorted(files - {None})))
"""
LIGHT = """
import sys
from pathlib import Path
from bench.report import digest_of
from bench.store.folders import SuiteFolder
digest_of(SuiteFolder(Path(sys.argv[1])))
slow = ("torch", "matplotlib", "seaborn", "pandas", "scipy", "jinja2", "PIL", "cv2")
print([module for module in slow if module in sys.modules])
"""


def run(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SuiteFolder:
    store = Store(tmp_path_factory.mktemp("output"))
    store.add(make_cell("A"), 0.8)
    return store.folder


@pytest.fixture(scope="module")
def loaded() -> list[Path]:
    """Every file of ours that a process loads to write a report, or to compare two."""
    return [Path(file) for file in json.loads(run(LOADED))]


@pytest.mark.slow
def test_every_module_that_a_report_uses_changes_the_digest(
    folder: SuiteFolder, loaded: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = {path.relative_to(ROOT).parts[1] for path in loaded}
    assert {"core", "score", "store", "claims", "report"} <= parts
    page = [path for path in code_files() if path.suffix in (".html", ".css", ".js")]
    assert len(page) == 3
    read = Path.read_bytes
    before = digest_of(folder)
    assert digest_of(folder) == before
    for edited in (*loaded, *page):

        def changed(path: Path, edited: Path = edited) -> bytes:
            return read(path) + b"\n#" if path == edited else read(path)

        monkeypatch.setattr(Path, "read_bytes", changed)
        assert digest_of(folder) != before, edited


def test_results_and_settings_change_the_digest(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(make_cell("A"), 0.8)
    before = digest_of(store.folder, False)
    assert digest_of(store.folder, True) != before
    store.add(make_cell("B"), 0.8)
    assert digest_of(store.folder, False) != before


def test_a_report_looks_nothing_up(loaded: list[Path]) -> None:
    parts = {path.relative_to(ROOT).parts[1] for path in {*loaded, *code_files()}}
    assert not parts & {"data", "corruptions", "engine", "cli"}


def test_the_digest_imports_nothing_slow(folder: SuiteFolder) -> None:
    assert run(LIGHT, str(folder.path)) == "[]\n"
