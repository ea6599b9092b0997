"""The README: one screen, made from the committed measurements, and every command in it works."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bench.cli.parser import make_parser
from bench.core.resources import SUITES
from docs.generate import FIGURE, README, drawn, parts, replaced

ROOT = Path(__file__).parents[1]
MOST_LINES = 150
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(), flags=re.DOTALL)


def test_it_is_short() -> None:
    assert len(README.read_text().splitlines()) <= MOST_LINES


@pytest.mark.slow
def test_its_numbers_are_made_from_the_committed_measurements() -> None:
    for path, contents in parts().items():
        text = path.read_text()
        for name, content in contents.items():
            assert text == replaced(text, name, content), f"{name}: run python -m docs.generate"
    # Letters and numbers of the drawing; its paths depend on the version of matplotlib.
    labels = re.compile(r"<!-- (.*?) -->")
    assert labels.findall(FIGURE.read_text()) == labels.findall(drawn())


def test_content_without_its_markers_is_an_error() -> None:
    assert replaced("a <!-- x -->\nold\n<!-- /x --> b", "x", "new") == (
        "a <!-- x -->\nnew\n<!-- /x --> b"
    )
    with pytest.raises(ValueError, match="no <!-- y -->"):
        replaced("nothing", "y", "new")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text())
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (path.parent / link).exists()] == []


def commands(path: Path) -> list[list[str]]:
    lines = "".join(blocks(path, "bash")).replace("\\\n", " ").splitlines()
    words = (shlex.split(line, comments=True) for line in lines)
    return [each[3:] for each in words if each[:3] == ["python", "-m", "bench"]]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_command_is_one(path: Path) -> None:
    for command in commands(path):
        options = make_parser().parse_args(command)
        suite = str(getattr(options, "suite", ""))
        if suite.startswith("suites/"):  # others are the reader's own
            assert (SUITES.parent / suite).exists(), command


def test_the_documentation_has_commands_to_test() -> None:
    assert len(commands(README)) >= 4
    assert sum(len(commands(path)) for path in PAGES) >= 8


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_python_code_runs(path: Path) -> None:
    for code in blocks(path, "python"):
        if "methods/my_method.py" not in code:  # which tests/conftest.py trains
            done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True)
            assert done.returncode == 0, done.stderr.decode()


@pytest.mark.slow
def test_the_suite_that_the_documentation_shows_can_be_run(tmp_path: Path) -> None:
    (shown,) = (b for b in blocks(ROOT / "docs" / "suites.md", "yaml") if "name: noise" in b)
    suite = tmp_path / "noise.yaml"
    suite.write_text(shown)
    command = [sys.executable, "-m", "bench", "run", str(suite), "--output", str(tmp_path / "out")]
    command += ["--limit", "2", "--seed", "0", "--set", "train_on.0.options.images=8"]
    command += ["--set", "methods=[{adapter: position_prior, label: Position prior}]"]
    command += ["--set", "contrasts=[]"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "report:" in done.stdout


@pytest.mark.slow
def test_the_notebook_runs() -> None:
    notebook = json.loads((ROOT / "docs" / "notebooks" / "results.ipynb").read_text())
    code = "\n".join(
        "".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"
    )
    folder = ROOT / "docs" / "notebooks"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert not any(cell.get("outputs") for cell in notebook["cells"])
