"""Whether a label space's colours tell its classes apart, and its place in the taxonomies."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from bench.core.errors import TaxonomyError
from bench.core.schema import IGNORE_INDEX
from bench.data import taxonomy
from bench.data.dataset import LabelSpace
from bench.data.preflight.finding import Finding, Level
from bench.data.taxonomy import Taxonomy


def check_space(space: LabelSpace) -> Iterator[Finding]:
    """Check a label space: its palette, and what the taxonomies that have it say."""
    yield check_palette(space)
    universals = map(taxonomy.load, taxonomy.names())
    having = [u for u in universals if space.name in u.spaces or {*space.classes} <= {*u.classes}]
    yield from (_taxonomy(space, universal) for universal in having)
    if not having:
        text = f"none has the label space {space.name}: it cannot be mixed or mapped"
        yield Finding("taxonomy", "note", text)


def check_palette(space: LabelSpace) -> Finding:
    """Check that no two classes share a colour, and say which are nearest (0..255, Euclidean)."""
    colours = np.array(space.palette, dtype=float)
    pairs = [
        (float(np.linalg.norm(colours[a] - colours[b])), space.classes[a], space.classes[b])
        for a, b in combinations(range(len(colours)), 2)
    ]
    if not pairs:
        return Finding("palette", "ok", "one colour")
    distance, one, other = min(pairs)
    if distance == 0:
        return Finding(
            "palette",
            "wrong",
            f"{one} and {other} have one colour: methods that paint labels merge them; change one",
        )
    text = f"{len(colours)} distinct colours; the nearest are {distance:.0f} apart ({one}, {other})"
    return Finding("palette", "ok", text)


def _taxonomy(space: LabelSpace, universal: Taxonomy) -> Finding:
    """Check that a taxonomy knows every class, and what is lost on the way there and back."""
    check = f"taxonomy {universal.name}"
    try:
        universal.members(space)
    except TaxonomyError as error:
        return Finding(check, "note", f"{error}: not for use there")
    uses: list[str] = []
    level: Level = "ok"
    try:
        table = universal.from_space(space)[: len(space.classes)]
        uses.append("can be trained on")
    except TaxonomyError as error:
        table = None
        uses.append(f"not for training: {error}")
    try:
        projection = universal.to_space(space)
    except TaxonomyError as error:
        uses.append(f"not for testing: {error}")
    else:
        lost = projection.unreachable
        back = "all classes" if not lost else f"all classes but {', '.join(lost)}"
        uses.append(f"can be tested on, {back}")
        known = [] if table is None else np.flatnonzero(table != IGNORE_INDEX).tolist()
        exact = all(projection.target[table[c]] == c for c in known if table is not None)
        level = "ok" if exact and not lost else "note"
    return Finding(check, level, "; ".join(uses))
