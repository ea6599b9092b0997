"""Palettes in which every class has a colour of its own."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

Colour = tuple[int, int, int]

_LEVELS = (0, 51, 102, 153, 204, 255)
_CUBE: list[Colour] = [(r, g, b) for r, g, b in product(_LEVELS, _LEVELS, _LEVELS)]


def distinct(colours: Iterable[Colour]) -> tuple[Colour, ...]:
    """Replace colours that came before, so that a palette tells all its classes apart.

    Some published palettes give two classes one colour (ADE20K: road and runway; IDD: pole
    and polegroup). Methods that encode labels as colours would silently merge such classes.
    The first keeps the published colour; each later one gets, of the 216 colours whose
    channels are multiples of 51, the one that is farthest from all colours of the palette.
    """
    published = list(colours)
    taken = set(published)
    palette: list[Colour] = []
    for colour in published:
        if colour in palette:
            colour = max(_CUBE, key=lambda new: _distance(new, taken))
            taken.add(colour)
        palette.append(colour)
    return tuple(palette)


def _distance(colour: Colour, others: Iterable[Colour]) -> int:
    """Squared distance to the nearest of the others."""
    return min(sum((a - b) ** 2 for a, b in zip(colour, other, strict=True)) for other in others)
