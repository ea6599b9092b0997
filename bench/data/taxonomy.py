"""Universal label spaces, and how those of data sets map to and from them.

A taxonomy is a file ``bench/data/taxonomies/<name>.tsv``: the file name is the registry. It
lists universal classes and, for each label space, which of them each class is made of.
Training labels go from a space to the universal classes, predictions from the universal
classes to the space of a test set (Lambert et al., MSeg, CVPR 2020).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.core.errors import TaxonomyError
from bench.core.registry import suggest
from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import LabelSpace
from bench.data.files.colours import colormap

FOLDER = Path(__file__).parent / "taxonomies"
UNMAPPED = -1
"""In a table of universal classes: one that no class of the test set is made of."""

_UNIVERSAL, _WITHIN = "universal", "within"


class TaxonomyEntry(NamedTuple):
    """One class of a label space."""

    names: tuple[str, ...]
    """The first one is the taxonomy's; data sets may use any, in any spelling."""
    members: tuple[str, ...]
    """The universal classes that it is made of."""


class Taxonomy(NamedTuple):
    """Universal classes, and the label spaces described in them."""

    name: str
    classes: tuple[str, ...]
    spaces: Mapping[str, tuple[TaxonomyEntry, ...]]

    @property
    def label_space(self) -> LabelSpace:
        """The universal classes with the colours of :func:`colormap`."""
        name = f"{self.name}-{_UNIVERSAL}"
        return LabelSpace(name=name, classes=self.classes, palette=colormap(len(self.classes)))

    def members(self, space: LabelSpace) -> tuple[tuple[int, ...], ...]:
        """Return the universal class ids of each class of a space, in the space's order.

        A space that the taxonomy does not describe, but all of whose classes have names of
        universal ones, is made of those.

        Raises:
            TaxonomyError: if the space, or one of its classes, is not in the taxonomy.
        """
        if space.name not in self.spaces and set(space.classes) <= set(self.classes):
            return tuple((self.classes.index(name),) for name in space.classes)
        if space.name not in self.spaces:
            known = suggest(space.name, self.spaces)
            raise TaxonomyError(f"{self.name} has no label space {space.name!r}; {known}")
        found = {_plain(name): e.members for e in self.spaces[space.name] for name in e.names}
        if lacking := [name for name in space.classes if _plain(name) not in found]:
            message = f"{self.name} knows no class {lacking[0]!r} of {space.name}"
            raise TaxonomyError(f"{message}; {suggest(lacking[0], found)}")
        place = {name: index for index, name in enumerate(self.classes)}
        return tuple(
            tuple(place[member] for member in found[_plain(name)]) for name in space.classes
        )

    def from_space(self, space: LabelSpace) -> np.ndarray:
        """Return the universal class of each label value of a space.

        Returns:
            uint8 [256]; IGNORE_INDEX for void, and for a class that no universal class is.

        Raises:
            TaxonomyError: as for :meth:`members`, and if a class is made of several universal
                ones, between which its labels cannot tell.
        """
        table = np.full(256, IGNORE_INDEX, dtype=np.uint8)
        for index, members in enumerate(self.members(space)):
            if len(members) > 1:
                several = ", ".join(self.classes[member] for member in members)
                message = f"{space.classes[index]!r} of {space.name} may be {several}"
                raise TaxonomyError(f"{message}: it cannot be trained on in {self.name}")
            if members:
                table[index] = members[0]
        return table

    def to_space(self, space: LabelSpace) -> Projection:
        """Return the map of predictions to a space.

        Raises:
            TaxonomyError: as for :meth:`members`, and if two classes are made of the same
                universal class.
        """
        target = np.full(len(self.classes), UNMAPPED, dtype=np.int64)
        for index, members in enumerate(self.members(space)):
            for member in members:
                if target[member] != UNMAPPED:
                    both = f"{space.classes[target[member]]!r} and {space.classes[index]!r}"
                    raise TaxonomyError(f"{space.name}: {self.classes[member]} is in {both}")
                target[member] = index
        return Projection(target, space)

    def within(self, classes: tuple[str, ...], name: str) -> Taxonomy:
        """Return the taxonomy of some of the universal classes, in the order given."""
        kept = set(classes)
        spaces = {
            space: tuple(
                TaxonomyEntry(e.names, tuple(m for m in e.members if m in kept)) for e in entries
            )
            for space, entries in self.spaces.items()
        }
        return Taxonomy(name, classes, spaces)


class Projection(NamedTuple):
    """From U universal classes to the K classes of a test set."""

    target: np.ndarray  # int64 [U], the class of the test set, or UNMAPPED
    space: LabelSpace

    @property
    def matrix(self) -> np.ndarray:
        """Which universal classes a class is made of, float32 [K, U] of zeros and ones."""
        classes = np.arange(len(self.space.classes))
        return (classes[:, None] == self.target[None, :]).astype(np.float32)

    @property
    def unreachable(self) -> tuple[str, ...]:
        """Classes of the test set that no prediction can be, such as two of PASCAL Context 60."""
        reached = set(self.target.tolist())
        return tuple(name for index, name in enumerate(self.space.classes) if index not in reached)

    @property
    def unmapped(self) -> int:
        """How many universal classes have no class in the test set."""
        return int((self.target == UNMAPPED).sum())


def names() -> tuple[str, ...]:
    """Return the names of all taxonomies, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.tsv")))


@cache
def load(name: str) -> Taxonomy:
    """Read a taxonomy.

    Raises:
        TaxonomyError: if there is none of that name, or a class is made of an unknown one.
    """
    if name not in names():
        raise TaxonomyError(f"no taxonomy {name!r}; {suggest(name, names())}")
    classes: list[str] = []
    spaces: dict[str, list[TaxonomyEntry]] = {}
    for line in (FOLDER / f"{name}.tsv").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        space, written, *rest = line.split("\t")
        if space == _WITHIN:
            whole = load(written).within(tuple(classes), name)
            spaces |= {other: list(entries) for other, entries in whole.spaces.items()}
        elif space == _UNIVERSAL:
            classes.append(written)
        else:
            members = tuple(rest[0].split(", ")) if rest else ()
            if unknown := [member for member in members if member not in classes]:
                raise TaxonomyError(f"{name}: {written!r} of {space} has unknown {unknown[0]!r}")
            spaces.setdefault(space, []).append(TaxonomyEntry(tuple(written.split("|")), members))
    return Taxonomy(name, tuple(classes), {space: tuple(e) for space, e in spaces.items()})


def of_space(name: str) -> Taxonomy | None:
    """Return the taxonomy whose universal label space has this name, or None."""
    taxonomy = name.removesuffix(f"-{_UNIVERSAL}")
    return load(taxonomy) if taxonomy != name and taxonomy in names() else None


def _plain(name: str) -> str:
    """Reduce a class name to what is told apart: ``Traffic_Light`` is ``traffic light``."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
