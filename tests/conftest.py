"""Shared fixtures: a small world of real files, and the documented method."""

import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import methods
from bench.report.page import PAGE, SUMMARY
from tests.helpers.camvid_tree import draw_camvid
from tests.helpers.plug_ins import forget_methods

GUIDE = Path(__file__).parents[1] / "docs" / "add_a_method.md"
PARITY = Path(__file__).parent / "parity"

SUITE = """\
name: small
question: Does the harness hold together?
methods:
  - {adapter: position_prior, label: Floor}
  - {adapter: my_method, label: Mine, config: {steps: 6}}
train_on: [camvid]
test_on: [camvid]
conditions:
  - {corruption: gaussian_noise, severities: [1, 5]}
protocol:
  resize: [24, 32]
  eval_at: input
"""


def pytest_configure() -> None:
    """Give every worker of ``-n`` one thread, as there are workers for all cores; fetch nothing."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["HF_HUB_OFFLINE"] = "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in ``tests/parity``."""
    for item in items:
        if item.path.is_relative_to(PARITY):
            item.add_marker(pytest.mark.parity)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Fail on a CI machine what is skipped for the lack of something that `.ci/run` brings."""
    report = yield
    why = report.longrepr[2] if report.skipped and isinstance(report.longrepr, tuple) else ""
    if "CI" in os.environ and why.startswith("Skipped: needs "):
        report.outcome, report.longrepr = "failed", f"{why}; .ci/run brings it"
    return report


class World(NamedTuple):
    """A folder to stand in: CamVid-like data, a suite and an empty store."""

    root: Path
    suite: Path
    output: Path


def documented_method() -> str:
    """Return the method that the documentation shows how to add."""
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL)
    found = [block for block in blocks if "methods/my_method.py" in block]
    assert len(found) == 1
    return found[0]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """Keep what datasets cache out of the user's home; shared, for drawing takes time."""
    folder = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("BENCH_CACHE", str(folder))


@pytest.fixture(autouse=True)
def one_job(monkeypatch):
    """Run suites in the test's own process, unless a test says otherwise: jobs start slowly."""
    monkeypatch.setattr("bench.cli.jobs.default_jobs", lambda trainings, workers=None: 1)


@pytest.fixture
def my_method(tmp_path, monkeypatch):
    """Make the documented method known, as a file dropped into ``methods`` would be."""
    folder = tmp_path / "methods"
    folder.mkdir()
    (folder / "my_method.py").write_text(documented_method())
    monkeypatch.delitem(sys.modules, "methods.my_method", raising=False)
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(folder)])
    forget_methods()
    yield folder / "my_method.py"
    forget_methods()


@pytest.fixture
def world(tmp_path, monkeypatch, my_method):
    """A small world, with the test standing in it."""
    draw_camvid(tmp_path / "camvid")
    (tmp_path / "small.yaml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    return World(tmp_path, tmp_path / "small.yaml", tmp_path / "out")


@pytest.fixture
def without_report(monkeypatch):
    """Leave out the report that ends a run, which takes longer than a run of a small world."""

    def write(results, to, **settings):
        to.mkdir(parents=True, exist_ok=True)
        (to / SUMMARY).write_text('{"columns": [], "units": [], "rows": [], "verdict": ""}')
        return to / PAGE

    monkeypatch.setattr("bench.report.write", write)
