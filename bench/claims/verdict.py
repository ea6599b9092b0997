"""A claim, the reported numbers and the finished cells: the verdict is computed from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from bench.claims.inequality import Inequality
from bench.claims.reported import Reported
from bench.claims.schema import Claim, Term
from bench.core.record import Record
from bench.core.schema import fingerprint
from bench.score.metrics import METRICS
from bench.score.stats import (
    Estimate,
    Interval,
    combine,
    mean_over_seeds,
    replicates,
    usable_clusters,
)
from bench.store.folders import SuiteFolder

_PLAIN = {"task": "predict", "condition.corruption": "none"}
"""What a term's cells are unless it says otherwise."""
_CORNERS = np.array([-1.0, 1.0])


class Verdict(StrEnum):
    """What can be said of a published statement."""

    REPRODUCED = "reproduced"
    WITHIN_NOISE = "within noise"
    REFUTED = "refuted"
    NOT_COMPARABLE = "not comparable"
    NOT_RUN = "not run"
    INCONSISTENT = "inconsistent in its source"


class Judgement(NamedTuple):
    """A claim with its verdict and all that the verdict rests on."""

    claim: Claim
    verdict: Verdict
    evidence: tuple[str, ...]
    """Numbers and where they stand, differing fields, or what is missing; one a line."""
    keys: tuple[str, ...] = ()
    """Cells that were used."""


class Difference(NamedTuple):
    """A field in which a cell is not as a publication has it."""

    name: str
    wanted: Any
    found: Any


class Finished(NamedTuple):
    """A finished cell and the folder that holds its counts."""

    folder: SuiteFolder
    record: Record
    fields: Mapping[str, Any]
    """The cell, flat: dotted names to values."""


def finished_cells(folders: Iterable[SuiteFolder]) -> list[Finished]:
    """List all finished cells, their fields made comparable."""
    return [
        Finished(folder, record, flatten(record))
        for folder in folders
        for record in folder.records()
        if record.status == "ok"
    ]


def flatten(record: Record) -> dict[str, Any]:
    """Return a cell's fields under dotted names; a split left unsaid is named."""
    found: dict[str, Any] = {}

    def walk(prefix: str, value: Any) -> None:
        found[prefix] = value
        if isinstance(value, Mapping):
            for name, inner in value.items():
                walk(f"{prefix}.{name}" if prefix else name, inner)

    walk("", record.cell.model_dump(mode="json"))
    for where, default in (("train_on", "train"), ("test_on", "val")):
        found[f"{where}.split"] = found[f"{where}.split"] or default
    return found


def judge(claim: Claim, reported: Mapping[str, Reported], cells: Sequence[Finished]) -> Judgement:
    """Compute the verdict on a claim.

    A claim that its own paper's numbers contradict, even at the favourable end of their
    rounding, is inconsistent in its source whatever was measured. Otherwise measured
    cells decide: the whole 95% interval of every margin above zero reproduces, one
    margin's whole interval below zero refutes, and anything else is within noise.
    """
    inequality = Inequality(claim.inequality)
    printed = [f"{name} = {number} ({number.place})" for name, number in reported.items()]
    if len(reported) == len(claim.terms):
        margins = best_margins(inequality, reported)
        if min(margins) + claim.tolerance < -1e-9:
            missed = f"missed by {_size(-min(margins))}, with all rounding in its favour"
            return Judgement(claim, Verdict.INCONSISTENT, (missed, *printed))
        if claim.arithmetic:
            return Judgement(claim, Verdict.REPRODUCED, ("recomputed from the source", *printed))
    found = {name: _match(claim, term, cells) for name, term in claim.terms.items()}
    missing = [f"{name}: {match}" for name, match in found.items() if isinstance(match, str)]
    if missing:
        return Judgement(claim, Verdict.NOT_RUN, (*missing, *printed))
    matches = {name: match for name, match in found.items() if not isinstance(match, str)}
    differing = dict.fromkeys(
        f"{name}: the claim has {wanted}, the cells have {found}"
        for match in matches.values()
        for name, wanted, found in match.differences
    )
    keys = tuple(cell.record.key for match in matches.values() for cell in match.cells)
    if differing:
        return Judgement(claim, Verdict.NOT_COMPARABLE, (*differing, *printed), keys)
    return _measure(claim, inequality, matches, printed, keys)


def best_margins(inequality: Inequality, reported: Mapping[str, Reported]) -> list[float]:
    """Return each margin at the roundings of the reported numbers that favour it most."""
    corners = product(
        *(number.value + number.plus_minus * _CORNERS for number in reported.values())
    )
    margins = [inequality.margins(dict(zip(reported, corner, strict=True))) for corner in corners]
    return [max(map(float, each)) for each in zip(*margins, strict=True)]


class _Match(NamedTuple):
    """The cells of one term, one a seed, and in what they differ from the claim."""

    metric: str
    cells: tuple[Finished, ...]
    differences: tuple[Difference, ...]


def _match(claim: Claim, term: Term, cells: Sequence[Finished]) -> _Match | str:
    """Find the cells nearest to a term's protocol, or say what is missing."""
    if not term.cell:
        return term.missing or "nothing here measures it"
    wanted = _PLAIN | dict(term.cell)
    candidates = [
        cell
        for cell in cells
        if all(name in cell.fields and cell.fields[name] == value for name, value in wanted.items())
    ]
    if not candidates:
        return "no finished cell with " + ", ".join(f"{k}={v}" for k, v in term.cell.items())
    protocol = {**claim.protocol, **term.protocol, "limit": None}
    groups: dict[str, list[Finished]] = {}
    for cell in candidates:
        fields = cell.record.cell.model_dump(mode="json", exclude={"seed", "sampling_seed"})
        groups.setdefault(fingerprint(fields), []).append(cell)
    compared = [(differences(group[0].fields, protocol), tuple(group)) for group in groups.values()]
    fewest, nearest = min(compared, key=lambda pair: len(pair[0]))
    return _Match(term.metric, nearest, fewest)


def differences(fields: Mapping[str, Any], protocol: Mapping[str, Any]) -> tuple[Difference, ...]:
    """List where a flat cell is not as a publication's protocol has it."""
    return tuple(
        Difference(name, value, fields.get(name))
        for name, value in protocol.items()
        if fields.get(name) != value
    )


def weigh(margins: Iterable[Interval], tolerance: float) -> Verdict:
    """Judge by the intervals of all margins by which a statement holds.

    One that is wholly below minus the tolerance refutes; all wholly above it reproduce;
    anything else is within noise.
    """
    verdicts = []
    for low, high in margins:
        if low + tolerance >= 0:
            verdicts.append(Verdict.REPRODUCED)
        else:
            refuted = high + tolerance < 0
            verdicts.append(Verdict.REFUTED if refuted else Verdict.WITHIN_NOISE)
    order = (Verdict.REFUTED, Verdict.WITHIN_NOISE, Verdict.REPRODUCED)
    return next(each for each in order if each in verdicts)


def _measure(
    claim: Claim,
    inequality: Inequality,
    matches: Mapping[str, _Match],
    printed: Sequence[str],
    keys: tuple[str, ...],
) -> Judgement:
    estimates = {name: _estimate(match) for name, match in matches.items()}
    count = len(inequality.margins({name: each.value for name, each in estimates.items()}))
    margins = [_margin(inequality, estimates, at) for at in range(count)]
    intervals = [margin.interval() for margin in margins]
    lines = [
        f"holds by {_size(margin.value)} [{_size(low)}, {_size(high)}]"
        for margin, (low, high) in zip(margins, intervals, strict=True)
    ]
    verdict = weigh(intervals, claim.tolerance)
    measured = [f"{name} = {100 * each.value:.2f}% measured" for name, each in estimates.items()]
    return Judgement(claim, verdict, (*lines, *measured, *printed), keys)


def _margin(inequality: Inequality, estimates: Mapping[str, Estimate], at: int) -> Estimate:
    """Return by how much one comparison holds."""

    def apply(*values: np.ndarray) -> np.ndarray:
        return np.asarray(inequality.margins(dict(zip(estimates, values, strict=True)))[at])

    return combine(apply, list(estimates.values()))


def _estimate(match: _Match) -> Estimate:
    """Score the cells of a term, averaged over seeds."""
    metric = METRICS[match.metric]
    counts = [cell.folder.counts(cell.record.key) for cell in match.cells]
    rows = replicates(metric, counts, usable_clusters(match.cells[0].record.clusters))
    estimates = [
        Estimate(metric(each), row, (cell.record.key,))
        for each, row, cell in zip(counts, rows, match.cells, strict=True)
    ]
    return mean_over_seeds(estimates, [cell.record.cell.seed for cell in match.cells])


def _size(margin: Any) -> str:
    """Write a margin: fractions as percentage points, counts as they are."""
    return f"{margin:,.0f}" if abs(margin) > 1.5 else f"{100 * float(margin):.2f} points"
