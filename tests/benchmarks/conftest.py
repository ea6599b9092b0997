"""How benchmarks are collected, what they record, and where the table goes.

    python -m pytest tests/benchmarks                    # all, at full size; writes the table
    python -m pytest tests/benchmarks/bench_counts.py    # one subject; its rows are renewed
    python -m pytest tests/benchmarks --light            # small sizes, half of each target

A row that was measured before stays until its benchmark runs again. Plain ``pytest`` collects
none of this.
"""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from bench.core.provenance import _processor
from tests.helpers.measuring import Ratio

HERE = Path(__file__).parent
ROWS = HERE.parents[1] / "reports" / "performance.json"
TABLE = ROWS.with_suffix(".md")


def pytest_addoption(parser):
    group = parser.getgroup("benchmarks of this project")
    text = "small sizes and few rounds; half of each target is asserted, and no table written"
    group.addoption("--light", action="store_true", help=text)
    text = f"where the table goes (default: {TABLE.relative_to(HERE.parents[1])})"
    group.addoption("--table", type=Path, default=TABLE, help=text)


def pytest_collect_file(file_path, parent):
    """Collect ``bench_*.py`` where this folder is asked for."""
    asked = [Path(str(arg).partition("::")[0]).resolve() for arg in parent.config.args]
    named = file_path in asked  # which pytest collects by itself
    if file_path.name.startswith("bench_") and HERE in asked and not named:
        return pytest.Module.from_parent(parent, path=file_path)
    return None


class Row(NamedTuple):
    """A line of the table."""

    what: str
    peer: str
    measured: str
    spread: str
    target: str
    details: str
    load: float
    """Processes that wanted a core when it was measured."""
    command: str


class Performance:
    """Takes what a benchmark measures, and holds it against its target."""

    def __init__(self, config, file: str) -> None:
        self.light: bool = config.getoption("--light")
        self._rows = config.stash.setdefault(MEASURED, {})
        self._command = f"python -m pytest tests/benchmarks/{file}"

    def faster(self, what: str, peer: str, ratio: Ratio, target: float) -> None:
        """Take how many times as fast something is as a peer, of which at least so much is due."""
        times = f"{_time(ratio.ours_s)}, peer {_time(ratio.peer_s)}"
        least, most = ratio.spread
        measured, spread = f"{ratio.median:.3g}x", f"{least:.3g}x to {most:.3g}x"
        self._add(what, peer, measured, spread, f"at least {target:g}x", times)
        assert ratio.median >= (target / 2 if self.light else target), self._rows[what]

    def at_least(self, what: str, value: float, target: float, details: str = "") -> None:
        """Take a fraction, of which at least so much is due."""
        self._add(what, "", f"{value:.0%}", "", f"at least {target:.0%}", details)
        assert value >= (target / 2 if self.light else target), self._rows[what]

    def at_most(self, what: str, value: float, target: float, unit: str, details: str = "") -> None:
        """Take a cost, of which at most so much is due."""
        measured = f"{value:.3g} {unit}"
        self._add(what, "", measured, "", f"at most {target:g} {unit}", details)
        assert value <= (target * 2 if self.light else target), self._rows[what]

    def _add(self, what: str, *columns: str) -> None:
        self._rows[what] = Row(what, *columns, os.getloadavg()[0], self._command)


MEASURED = pytest.StashKey[dict[str, Row]]()


@pytest.fixture
def performance(request):
    """Take what this benchmark measures."""
    return Performance(request.config, request.path.name)


@pytest.fixture
def light(request):
    """Whether small sizes are asked for."""
    return request.config.getoption("--light")


@pytest.fixture(autouse=True)
def one_thread():
    """Time one core against one core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pytest_sessionfinish(session):
    """Renew the rows that were measured, and write the table."""
    measured = session.config.stash.get(MEASURED, {})
    if not measured or session.config.getoption("--light"):
        return
    rows = json.loads(ROWS.read_text()) if ROWS.exists() else {}
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    machine = f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    for what, row in measured.items():
        rows[what] = {**row._asdict(), "when": when, "machine": machine}
    ROWS.parent.mkdir(parents=True, exist_ok=True)
    ROWS.write_text(json.dumps(rows, indent=1) + "\n")
    session.config.getoption("--table").write_text(table(list(rows.values())))


def table(rows: list[dict[str, str]]) -> str:
    """Render rows as Markdown, by the command that measures them."""
    columns = "| what | peer | measured | spread | target | times | load |"
    lines = [
        "# Performance",
        "",
        "Ratios are medians of rounds in which the peer and this project ran in turn, on one "
        "thread, in",
        "one process; *spread* is their least and greatest. Times are of the processor unless "
        "they say",
        "otherwise. *Load* is how many processes wanted a core meanwhile.",
    ]
    for command in sorted({row["command"] for row in rows}):
        mine = [row for row in rows if row["command"] == command]
        heading = sorted({f"{row['machine']}; {row['when']}" for row in mine})
        lines += ["", f"`{command}`", "", *heading, "", columns]
        lines.append("| --- | --- | ---: | --- | --- | --- | ---: |")
        for row in mine:
            cells = [row[name] for name in ("what", "peer", "measured", "spread", "target")]
            lines.append(f"| {' | '.join(cells)} | {row['details']} | {float(row['load']):.1f} |")
    return "\n".join(lines) + "\n"


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
