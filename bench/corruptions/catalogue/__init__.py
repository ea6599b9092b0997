"""What corruptions there are. Data only: reading it imports nothing slow."""

from __future__ import annotations

from difflib import get_close_matches
from typing import get_args

from bench.corruptions.catalogue.camseg import CAMSEG, OTHER_READINGS
from bench.corruptions.catalogue.entry import Corruption, Family
from bench.corruptions.catalogue.imagecorruptions import COMMON, VALIDATION
from bench.corruptions.catalogue.imagenet_c_bar import C_BAR
from bench.corruptions.catalogue.own import OWN

_ENTRIES = (*COMMON, *VALIDATION, *OWN, *CAMSEG, *OTHER_READINGS, *C_BAR)

CATALOGUE = {entry.name: entry for entry in _ENTRIES}
NAMES = tuple(CATALOGUE)
SEVERITIES = {entry.name: range(1, len(entry.grid) + 1) for entry in _ENTRIES}


def _names(entries: tuple[Corruption, ...]) -> tuple[str, ...]:
    return tuple(entry.name for entry in entries)


GROUPS: dict[str, tuple[str, ...]] = {
    **{
        family: tuple(entry.name for entry in _ENTRIES if entry.family == family)
        for family in get_args(Family)
    },
    "common": _names(COMMON),
    "validation": _names(VALIDATION),
    "camseg": _names(CAMSEG),
    "imagenet_c_bar": _names(C_BAR),
}
"""The families over all sets, and the published sets: what a suite can name in one word."""


def lookup(name: str, severity: int) -> Corruption:
    """Find a corruption.

    Raises:
        ValueError: if there is no such corruption, or it has no such severity.
    """
    if name not in CATALOGUE:
        near = get_close_matches(name, NAMES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(NAMES)}"
        raise ValueError(f"unknown corruption {name!r}; {hint}")
    if severity not in SEVERITIES[name]:
        top = len(SEVERITIES[name])
        raise ValueError(f"severity {severity} of {name!r}; it must be an integer in 1..{top}")
    return CATALOGUE[name]
