"""One report that the tests of its parts read."""

from pathlib import Path

import pytest

from bench import report
from bench.report.statistics import Block
from tests.helpers.codecs import fill_codecs
from tests.helpers.made import Made
from tests.helpers.reports import fill


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
