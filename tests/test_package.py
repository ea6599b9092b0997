"""The wheel gives all that a checkout gives, from any folder."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from bench.core import resources

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def bench(wheel, tmp_path_factory):
    """Run the installed command in an empty folder; its dependencies are this environment's."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"])
    install = ["pip", "--python", str(python), "install", "--no-deps", "--no-index"]
    done = [sys.executable, "-m", *install, "--ignore-installed", "--quiet", str(wheel)]
    subprocess.run(done, check=True)
    empty = tmp_path_factory.mktemp("empty")
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def run(*arguments: str) -> str:
        command = [folder / "bin" / "bench", *arguments]
        ended = subprocess.run(command, cwd=empty, env=variables, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    return run


def test_all_shipped_files_are_in_the_wheel(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, target in (
        (resources.SUITES, "bench/_resources/suites"),
        (resources.PAPERS, "bench/_resources/papers"),
        (resources.REFERENCE, "bench/_resources/reference"),
    ):
        files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
        assert files
        assert {f"{target}/{file.as_posix()}" for file in files} <= names
    packages = [*ROOT.glob("bench/**/*"), *ROOT.glob("methods/**/*")]
    sources = [path for path in packages if path.is_file() and path.suffix != ".pyc"]
    assert {path.relative_to(ROOT).as_posix() for path in sources} <= names


def test_it_works_in_an_empty_folder(bench):
    assert bench("--version").startswith("bench ")
    assert "robustness" in bench("list", "suites")
    assert "cells to do" in bench("plan", "robustness")
    assert "claims:" in bench("claims")
    assert "gss" in bench("list", "methods")
