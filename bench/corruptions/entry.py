"""What the catalogue says of a corruption."""

from __future__ import annotations

from typing import Literal, NamedTuple

Family = Literal["noise", "blur", "weather", "digital", "colour"]
Grid = tuple[tuple[float, ...], ...]


class Curve(NamedTuple):
    """Where a publication has results under a corruption, as ``results/papers`` writes it.

    A reported number's setting is ``motion_blur kernel=9``: the curve's name, and a value
    on its axis.
    """

    paper: str
    name: str
    scale: float = 1
    """What one unit of the corruption's first parameter is on the axis."""
    clean: float = 0
    """Where on the axis the image is unchanged."""


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
    curve: Curve | None = None
    """The published curve that its grid is made for."""


def column(*values: float) -> Grid:
    """Make the grid of a corruption with one parameter."""
    return tuple((value,) for value in values)
