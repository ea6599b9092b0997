"""Published numbers, as they are printed, each with where it stands."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.core import resources
from bench.core.errors import ClaimsError

PAPERS = resources.PAPERS
"""Reported numbers and claims of this project."""


class Reported(NamedTuple):
    """One number of a publication."""

    paper: str
    row: Mapping[str, str]
    value: float
    """A fraction where the publication prints per cent; otherwise in the printed unit."""
    plus_minus: float
    """Half the last printed digit, or how well a figure could be read; same unit."""

    @property
    def place(self) -> str:
        """Where the number stands, and how it came here if it was not simply printed."""
        table = self.row["table"]
        where = f"table {table}" if table.isdigit() else table
        origin = self.row["origin"]
        if origin in ("printed", "digitised"):
            return where if origin == "printed" else f"{where}, digitised"
        return f"{where}, {origin}: {self.row['source']}"

    def __str__(self) -> str:
        text = self.row["value"] + ("%" if self.row["unit"] == "percent" else "")
        if self.row["unit"] == "count":
            text = f"{self.value:,.0f}"
        digitised = self.row["origin"] == "digitised"
        return f"{text} ± {self.row['plus_minus']}" if digitised else text


def load_reported(folder: Path) -> list[Reported]:
    """Read every ``*.csv`` of a folder; a file's name is the paper's.

    Raises:
        ClaimsError: if there are none.
    """
    found = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                scale = 100 if row["unit"] == "percent" else 1
                value, plus_minus = float(row["value"]) / scale, float(row["plus_minus"]) / scale
                found.append(Reported(path.stem, row, value, plus_minus))
    if not found:
        raise ClaimsError(f"{folder}: no reported numbers (*.csv) here")
    return found


def find_reported(numbers: Sequence[Reported], paper: str, wanted: Mapping[str, str]) -> Reported:
    """Return the one number whose columns have the wanted values.

    Raises:
        ClaimsError: if there is none, or more than one.
    """
    found = [
        number
        for number in numbers
        if number.paper == paper and all(number.row[key] == text for key, text in wanted.items())
    ]
    if len(found) != 1:
        raise ClaimsError(f"{len(found)} numbers of {paper} have {dict(wanted)}; 1 is expected")
    return found[0]
