"""Numbers with their tolerances, on disk and compared."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

DIGITS = 12
"""Significant digits kept; no tolerance is as small."""
ONLY_OBSERVED, ONLY_KEPT = ": only observed", ": only kept"
"""What is said of entries that are new, and of those that are gone."""


class Entry(NamedTuple):
    """Some numbers of one kind."""

    values: list[float]
    tolerance: float
    """Largest absolute difference that rounding may make; 0 of what is counted in integers."""


class Golden(NamedTuple):
    """What a version stands for."""

    version: str
    numbers: dict[str, Entry]


def entry(values, tolerance: float = 0) -> Entry:
    """Make an entry of a number, or of an array's."""
    flat = np.asarray(values).ravel().tolist()
    kept = [v if isinstance(v, int) else float(f"{v:.{DIGITS}g}") for v in flat]
    return Entry(kept, float(f"{tolerance:.2g}"))


def read(path: Path) -> Golden:
    stored = json.loads(path.read_text())
    return Golden(stored["version"], {k: Entry(*e) for k, e in stored["numbers"].items()})


def write(path: Path, golden: Golden) -> None:
    """Write an entry a line, so that a change of one is a change of one line."""
    lines = [f"  {json.dumps(k)}: {json.dumps(e)}" for k, e in sorted(golden.numbers.items())]
    content = ",\n".join(lines)
    path.write_text(f'{{"version": {json.dumps(golden.version)}, "numbers": {{\n{content}\n}}}}\n')


def differences(golden: dict[str, Entry], observed: dict[str, Entry]) -> list[str]:
    """Name every entry that is not as it was, worst first."""
    changed = []
    for name in sorted({*golden, *observed}):
        if name not in golden or name not in observed:
            changed.append((np.inf, name + (ONLY_KEPT if name in golden else ONLY_OBSERVED)))
        elif (excess := _excess(golden[name], observed[name])) > 1:
            old, new = golden[name].values[:4], observed[name].values[:4]
            limits = f"{excess:.3g} times the tolerance of {golden[name].tolerance}"
            changed.append((excess, f"{name}: {old} became {new}, {limits}"))
    return [text for _, text in sorted(changed, key=lambda item: -item[0])]


def share_of_tolerance(golden: dict[str, Entry], observed: dict[str, Entry]) -> dict[str, float]:
    """Return by how much of its tolerance every entry differs."""
    return {name: _excess(golden[name], observed[name]) for name in golden}


def _excess(old: Entry, new: Entry) -> float:
    """Return the largest difference in units of the tolerance."""
    if len(old.values) != len(new.values):
        return np.inf
    difference = np.abs(np.subtract(old.values, new.values)).max(initial=0)
    if not np.isfinite(difference):
        return np.inf
    if not old.tolerance:
        return np.inf if difference else 0.0
    return float(difference / old.tolerance)
