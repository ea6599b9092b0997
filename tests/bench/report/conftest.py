"""One report that the tests of its parts read."""

from pathlib import Path
from typing import NamedTuple

import pytest

from bench import report
from bench.core.record import Record
from bench.core.schema import Condition
from bench.report.statistics import Block
from tests.helpers.codecs import fill_codecs
from tests.helpers.reports import fill


class Made(NamedTuple):
    """A store and its report."""

    output: Path
    destination: Path
    records: dict[tuple[str, Condition], Record]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    output = tmp_path_factory.mktemp("output")
    destination = tmp_path_factory.mktemp("report")
    folder, records = fill(output)
    report.write(folder, destination)
    return Made(output, destination, records)


@pytest.fixture(scope="session")
def page(made: Made) -> str:
    return (made.destination / "index.html").read_text()


@pytest.fixture
def codecs(tmp_path: Path) -> Block:
    return fill_codecs(tmp_path)
