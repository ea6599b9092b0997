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


def bit_palette(count: int) -> tuple[Colour, ...]:
    """Return PASCAL VOC's colours: bit 3k + c of a class's id is bit 7 - k of channel c."""
    return tuple(
        (_channel(index, 0), _channel(index, 1), _channel(index, 2)) for index in range(count)
    )


def _channel(index: int, channel: int) -> int:
    return sum((index >> (3 * bit + channel) & 1) << (7 - bit) for bit in range(8))


def _distance(colour: Colour, others: Iterable[Colour]) -> int:
    """Squared distance to the nearest of the others."""
    return min(sum((a - b) ** 2 for a, b in zip(colour, other, strict=True)) for other in others)
