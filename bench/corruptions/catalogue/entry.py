"""What the catalogue says of a corruption."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

Family = Literal["noise", "blur", "weather", "digital", "colour", "pattern"]
Grid = tuple[tuple[float, ...], ...]
Rule = Callable[[float, float], float]
"""From a width at the reference height and an image's height as a multiple of it to the
width at that image's height."""


def length(width: float, factor: float) -> float:
    """Scale a length in pixels."""
    return width * factor


def whole_length(width: float, factor: float) -> int:
    """Scale a length that is a number of pixels; below half a pixel it becomes 0."""
    return round(width * factor)


def odd_window(width: float, factor: float) -> int:
    """Scale what an odd window reaches to either side of its middle."""
    return 2 * round((width - 1) / 2 * factor) + 1


def grain(size: float, factor: float) -> float:
    """Scale the size of a texture's grains, which is a pixel at the least."""
    return max(1.0, size * factor)


def per_length(scale: float, factor: float) -> float:
    """Scale pixels of a reduced image per pixel of the image, which is 1 at the most."""
    return min(1.0, scale / factor)


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
    widths: Mapping[str, Rule] = {}
    """How each parameter that is a width in pixels follows the image's height."""
    texture: bool = False
    """Whether it lays a picture over the image, whose size follows the image's height too."""

    def arguments(self, severity: int, factor: float = 1) -> tuple[float, ...]:
        """Return the function's arguments at a severity.

        Args:
            severity: from 1.
            factor: height of the image as a multiple of the one that widths are meant at.
        """
        row = self.grid[severity - 1]
        if factor == 1:
            return row
        pairs = zip(self.parameters, row, strict=True)
        return tuple(
            self.widths[name](value, factor) if name in self.widths else value
            for name, value in pairs
        )

    def describe(self, severity: int) -> str:
        """Write the values of the parameters at a severity, with their names and units."""
        row = zip(self.parameters, self.grid[severity - 1], strict=True)
        return "; ".join(f"{name}: {value:g}" for name, value in row)


def column(*values: float) -> Grid:
    """Make the grid of a corruption with one parameter."""
    return tuple((value,) for value in values)
