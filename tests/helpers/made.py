"""A store and the report of it, as the tests of the report share them."""

from pathlib import Path
from typing import NamedTuple

from bench.core.record import Record
from bench.core.schema import Condition


class Made(NamedTuple):
    """A store and its report."""

    output: Path
    destination: Path
    records: dict[tuple[str, Condition], Record]
