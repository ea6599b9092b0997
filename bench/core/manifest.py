"""What a run of a suite consists of, and the publication that the suite repeats.

Imports the nouns alone, as reports and suites both need it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from bench.core.schema import CLEAN, Cell, Condition, Fraction, Frozen, Task


def _as_tuple(value: Any) -> Any:
    """Let one name stand for a list of one."""
    return (value,) if isinstance(value, str) else value


class Published(Frozen):
    """Reported numbers to show beside the measured: which of ``results/papers``."""

    paper: str
    """The file's name, without its ending."""
    method: str
    metric: str


class PaperRow(Frozen):
    """A row of a published table: whose numbers they are, and which method here repeats them."""

    name: str
    reported: Mapping[str, str] = {}
    """Columns of the paper's file that single out the row; none: not in the paper."""
    method: str = ""
    """The label of a method of the suite."""
    missing: str = "not a method here"
    """Why there is none, where there is none."""


class PaperColumn(Frozen):
    """A column of a published table: which numbers it holds, and how they are measured here."""

    name: str
    reported: Mapping[str, str] = {}
    """Columns of the paper's file that single out the column; none: not in the paper."""
    test_on: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = ()
    """Test sets of the suite, as ``dataset`` or ``dataset/subset``. Of several, the harmonic
    mean is taken; absent, it is the suite's only one."""
    task: Task = "predict"
    metric: str = "mIoU"
    condition: Condition = CLEAN
    missing: str = ""
    """Why it is not measured here, where it is not."""


class PaperTable(Frozen):
    """A table of a publication, in its order, to be shown with the numbers measured here."""

    name: str
    """The paper: a file of ``results/papers``, without its ending."""
    title: str
    """What reports call the table, such as ``GSS, table 1``."""
    table: str
    """As the file has it."""
    caption: str
    rows: Annotated[tuple[PaperRow, ...], Field(min_length=1)]
    columns: Annotated[tuple[PaperColumn, ...], Field(min_length=1)]
    tolerance: Fraction = 0.005
    """How far a score may be from the reported one and still be the same; a fraction."""
    protocol: Mapping[str, Any] = {}
    """Fields of a cell, dotted where nested, that must agree before numbers compare."""


class Need(Frozen):
    """Something that a cell needs and that is not here."""

    what: str
    remedy: str
    """Where to get it and where to put it, in one line."""


class Unavailable(Frozen):
    """A cell that cannot be tried before something is there."""

    cell: Cell
    needs: tuple[Need, ...]
    optional: bool = False
    """Whether the suite is complete without it."""

    @property
    def reason(self) -> str:
        """What is missing, in a few words."""
        return f"needs {', '.join(need.what for need in self.needs)}"


class Contrast(Frozen):
    """A difference that a suite declares before anything runs: the verdict is about it."""

    name: str
    first: tuple[str, ...]
    """Labels of methods. Several are codecs whose scores are interpolated, linearly in the
    logarithm of their rates, to the rate of the second."""
    second: str
    """Label of the method whose score is taken off."""


class Entry(Frozen):
    """A cell of a suite: its record, and what the suite calls its method."""

    key: str
    label: str
    preset: str
    state: Literal["missing", "done", "failed"] = "missing"
    """When the manifest was written."""


class Manifest(Frozen):
    """What a suite consists of: all its cells in order, done or not, and how they are shown."""

    version: Literal[2] = 2
    suite: str
    question: str
    cells: tuple[Entry, ...]
    metrics: tuple[str, ...] = ("mIoU", "mAcc", "aAcc")
    """Scores that the suite asks for."""
    reference: str = ""
    """Label of the method whose corruption errors are the unit of the others'."""
    published: Published | None = None
    """Curves of a publication that the report shows beside the measured ones."""
    contrasts: tuple[Contrast, ...] = ()
    paper: PaperTable | None = None
    """The published table that the suite repeats."""
    stand_in: str = ""
    """What stood in for the suite's data and sizes, if something did."""
    unavailable: tuple[Unavailable, ...] = ()
    """Cells of the suite that have no record, for want of something."""
    source: str
    """The suite file's text, with overrides already applied."""
    command: str
    """What reproduces the run."""
    references: str = ""
    """BibTeX of the data sets and methods used; empty in runs of before it was kept."""
