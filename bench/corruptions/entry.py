"""What the catalogue says of a corruption."""

from __future__ import annotations

from typing import Literal, NamedTuple

Family = Literal["noise", "blur", "weather", "digital", "colour"]
Grid = tuple[tuple[float, ...], ...]


class Corruption(NamedTuple):
    """One entry: where its function is, and the arguments of each severity."""

    name: str
    family: Family
    """The module that holds its function."""
    summary: str
    parameters: tuple[str, ...]
    """Names of the grid's columns, with their units."""
    grid: Grid
    """One row a severity, from 1."""
    source: str
    random: bool = False
    depth: bool = False
    """Whether it uses the image's depth where there is one."""
    function: str = ""
    """Of the family's module, where it is not the name."""


def column(*values: float) -> Grid:
    """Make the grid of a corruption with one parameter."""
    return tuple((value,) for value in values)
