"""What a run of a suite consists of, and the publication that the suite repeats.

Imports the nouns alone, as reports and suites both need it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, model_validator

from bench.core.schema import CLEAN, Cell, Condition, Family, Fraction, Frozen, Task, is_none

HALF = 0.5
"""The share of a training budget that all of it is compared with, to judge a learning curve."""


def _as_tuple(value: Any) -> Any:
    """Let one name stand for a list of one."""
    return (value,) if isinstance(value, str) else value


class Published(Frozen):
    """Reported numbers to show beside the measured: which of ``results/papers``."""

    paper: str
    """The file's name, without its ending."""
    method: str
    metric: str


class PublishedTraining(Frozen):
    """What a published number was trained with: a cell of another training cannot judge it."""

    preset: str
    """The published size."""
    config: Mapping[str, Any] = {}
    """Values in place of the preset's. Of ``weights``, the stages that must come from a file."""
    initialisation: Literal["random", "imagenet-1k", "imagenet-22k", "released"]
    """As a record has it (``bench.core.schema.Record.initialisation``)."""
    dataset: str
    masks: Literal["original", "relabelled"] = "original"
    """Of a mixture: the parts' own labels, or MSeg's."""
    unpublished: str = ""
    """What decides the number and was not published: the cell is then a reading of the
    publication, and no verdict rests on it."""


class PaperRow(Frozen):
    """A row of a published table: whose numbers they are, and which method here repeats them."""

    name: str
    reported: Mapping[str, str] = {}
    """Columns of the paper's file that single out the row; none: not in the paper."""
    method: str = ""
    """The label of a method of the suite."""
    training: PublishedTraining | None = None
    """Of a reported row that a method repeats; required there."""
    missing: str = "not a method here"
    """Why there is none, where there is none."""

    @model_validator(mode="after")
    def _says_its_training(self) -> PaperRow:
        if self.reported and self.method and self.training is None:
            raise ValueError(
                "a reported row that a method repeats says its training: preset, initialisation "
                "and dataset, without which no number compares"
            )
        return self


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
    classes: tuple[str, ...] = ()
    """Classes of the test set that the score is taken of; all by default."""
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


class FamilyOfMethods(Frozen):
    """All methods of a suite that are of one family and can predict."""

    family: Family

    def __str__(self) -> str:
        return f"{self.family} methods"


class Sides(NamedTuple):
    """The labels of the methods on both sides of a contrast."""

    first: tuple[str, ...]
    second: tuple[str, ...]


class Contrast(Frozen):
    """A difference that a suite declares before anything runs: the verdict is about it."""

    name: str
    first: tuple[str, ...] | FamilyOfMethods
    """Labels of methods. Several are codecs whose scores are interpolated, linearly in the
    logarithm of their rates, to the rate of the second. ``{family: generative}`` is the mean
    over that family's methods."""
    second: str | FamilyOfMethods
    """Label of the method, or the family, whose score is taken off."""
    measure: Literal["clean", "mPC", "above floor"] = "clean"
    """Of which score: on clean images, averaged over corruptions, or the share of what is above
    the floor that is kept under corruptions (``bench.score.robustness``)."""
    metric: str = ""
    """Of ``METRICS``; the suite's primary one if none is named."""
    answers: bool = False
    """Whether the suite's question is about this difference. Of none marked, all are."""

    @property
    def first_name(self) -> str:
        """What sentences call the first side."""
        return " and ".join(self.first) if isinstance(self.first, tuple) else str(self.first)

    @property
    def is_interpolated(self) -> bool:
        """Whether the first side is interpolated to the rate of the second."""
        return isinstance(self.first, tuple) and len(self.first) > 1

    @property
    def is_of_families(self) -> bool:
        """Whether a side is the mean over a family of methods."""
        return any(isinstance(side, FamilyOfMethods) for side in (self.first, self.second))

    def sides(self, families: Mapping[str, str]) -> Sides:
        """Return the labels on both sides.

        Args:
            families: of each method of the suite, by its label.
        """
        first = self.first
        second = (self.second,) if isinstance(self.second, str) else self.second
        return Sides(*(_members(side, families) for side in (first, second)))


def _members(
    side: tuple[str, ...] | FamilyOfMethods, families: Mapping[str, str]
) -> tuple[str, ...]:
    if isinstance(side, FamilyOfMethods):
        return tuple(label for label, family in families.items() if family == side.family)
    return side


class CellEntry(Frozen):
    """A cell of a suite: its record, and what the suite calls its method."""

    key: str
    label: str
    preset: str
    state: Literal["missing", "done", "failed"] = "missing"
    """When the manifest was written."""
    curve: Annotated[Fraction | None, Field(exclude_if=is_none)] = None
    """Of a point of a learning curve, its share of the budget (``Cell.curve``)."""


class Manifest(Frozen):
    """What a suite consists of: all its cells in order, done or not, and how they are shown."""

    version: Literal[2] = 2
    suite: str
    question: str
    cells: tuple[CellEntry, ...]
    metrics: tuple[str, ...] = ("mIoU", "mAcc", "aAcc")
    """Scores that the suite asks for."""
    primary: str = "mIoU"
    """The metric that is followed through all conditions."""
    reference: str = ""
    """Label of the method whose corruption errors are the unit of the others'."""
    published: Published | None = None
    """Curves of a publication that the report shows beside the measured ones."""
    contrasts: tuple[Contrast, ...] = ()
    families: Mapping[str, Literal["generative", "discriminative", ""]] = {}
    """Of each method, by its label; empty for what a mean over a family leaves out."""
    paper: PaperTable | None = None
    """The published table that the suite repeats."""
    stand_in: str = ""
    """What stood in for the suite's data and sizes, if something did."""
    unavailable: tuple[Unavailable, ...] = ()
    """Cells of the suite that have no record, for want of something."""
    budget: Annotated[float | None, Field(exclude_if=is_none)] = None
    """Training operations per method and seed, where the suite fixes them."""
    source: str
    """The suite file's text, with overrides already applied."""
    command: str
    """What reproduces the run."""
    references: str = ""
    """BibTeX of the datasets, methods and corruptions used; empty in runs of before it was kept."""
