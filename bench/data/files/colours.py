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
    # Squared distance of each spare colour to the nearest one that is taken.
    nearest = [min(_distance(spare, taken) for taken in set(published)) for spare in _CUBE]
    palette: list[Colour] = []
    for colour in published:
        if colour in palette:
            colour = _CUBE[nearest.index(max(nearest))]
            nearest = [
                min(distance, _distance(spare, colour))
                for spare, distance in zip(_CUBE, nearest, strict=True)
            ]
        palette.append(colour)
    return tuple(palette)


def _distance(one: Colour, other: Colour) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def colormap(count: int) -> tuple[tuple[int, int, int], ...]:
    """Return distinct display colours: those of PASCAL VOC's palette after its black.

    Each bit of an index sets, from the highest bit of a channel downwards, that of red,
    green and blue in turn (the VOC development kit, ``VOClabelcolormap.m``).
    """
    return tuple(_colour(index) for index in range(1, count + 1))


def _colour(index: int) -> tuple[int, int, int]:
    red = green = blue = 0
    for level in range(7, -1, -1):
        red |= (index & 1) << level
        green |= (index >> 1 & 1) << level
        blue |= (index >> 2 & 1) << level
        index >>= 3
    return red, green, blue
