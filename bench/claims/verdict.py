"""A claim, the reported numbers and the finished cells: the verdict is computed from them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from bench.claims.comparable import Difference, differences, flatten, training_differences
from bench.claims.inequality import Inequality
from bench.claims.reported import Reported
from bench.claims.schema import Claim, Term
from bench.core.record import Record
from bench.core.schema import fingerprint
from bench.score.lookup import score_of
from bench.score.stats import LEVEL, Interval
from bench.store.folders import SuiteFolder

_PLAIN = {"task": "predict", "condition.corruption": "none"}
"""What a term's cells are unless it says otherwise."""
_ENDS = np.array([-1.0, 1.0])


class Verdict(StrEnum):
    """What can be said of a published statement."""

    REPRODUCED = "reproduced"
    WITHIN_NOISE = "within noise"
    REFUTED = "refuted"
    NOT_COMPARABLE = "not comparable"
    NOT_RUN = "not run"
    INCONSISTENT = "inconsistent in its source"
    CONSISTENT = "consistent in its source"
    AUDIT_DIFFERS = "an audit here finds otherwise"
    AUDIT_AGREES = "an audit here agrees"


_OF_NUMBERS = {
    "measured": (Verdict.INCONSISTENT, None),
    "arithmetic": (Verdict.INCONSISTENT, Verdict.CONSISTENT),
    "audit": (Verdict.AUDIT_DIFFERS, Verdict.AUDIT_AGREES),
}
"""By kind of statement, what its numbers alone say where they contradict it, and where not."""


class Judgement(NamedTuple):
    """A claim with its verdict and all that the verdict rests on."""

    claim: Claim
    verdict: Verdict
    evidence: tuple[str, ...]
    """Numbers and where they stand, differing fields, or what is missing; one a line."""
    keys: tuple[str, ...] = ()
    """Cells that were used."""


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
        if record.status == "ok" and record.cell.curve is None
    ]


def judge(claim: Claim, reported: Mapping[str, Reported], cells: Sequence[Finished]) -> Judgement:
    """Compute the verdict on a claim.

    A claim that its own paper's numbers contradict, even at the favourable end of their
    rounding, is inconsistent in its source whatever was measured. Otherwise measured
    cells decide, if they are of the published training, images and protocol: the images are
    then the publication's own, so that only training varies. The whole 95% interval of every
    margin above zero reproduces, one margin's whole interval below zero refutes, and anything
    else is within noise. With one training seed an interval is a point, and the claim's
    tolerance alone stands for the variance of training.
    """
    inequality = Inequality(claim.inequality)
    printed = [f"{name} = {number} ({number.place})" for name, number in reported.items()]
    if len(reported) == len(claim.terms):
        margins = best_margins(inequality, reported)
        against, in_favour = _OF_NUMBERS[claim.kind]
        if min(margins) + claim.tolerance < -1e-9:
            missed = f"missed by {_size(-min(margins))}, with all rounding in its favour"
            return Judgement(claim, against, (missed, *printed))
        if in_favour is not None:
            return Judgement(claim, in_favour, tuple(printed))
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
    """Return each margin at the roundings of the reported numbers that favour it most.

    Each number lies along an axis of its own, so that all corners of the box of roundings are
    there where numbers meet.
    """
    values = {}
    for axis, (name, number) in enumerate(reported.items()):
        shape = [1] * len(reported)
        shape[axis] = 2
        values[name] = (number.value + number.plus_minus * _ENDS).reshape(shape)
    return [float(np.max(margin)) for margin in inequality.margins(values)]


class _Match(NamedTuple):
    """The cells of one term, one a seed, and in what they differ from the claim."""

    metric: str
    cells: tuple[Finished, ...]
    differences: tuple[Difference, ...]


def _match(claim: Claim, term: Term, cells: Sequence[Finished]) -> _Match | str:
    """Find the cells nearest to a term's protocol, or say what is missing."""
    if not term.cell:
        return term.missing or "nothing here measures it"
    assert term.training is not None, "a term with cells says its training"
    wanted = {**_PLAIN, "preset": term.training.preset, **term.cell}
    candidates = [
        cell
        for cell in cells
        if all(name in cell.fields and cell.fields[name] == value for name, value in wanted.items())
    ]
    if not candidates:
        told = {**term.cell, "preset": term.training.preset}
        return "no finished cell with " + ", ".join(f"{k}={v}" for k, v in told.items())
    protocol = {**claim.protocol, **term.protocol, "limit": None}
    groups: dict[str, list[Finished]] = {}
    for cell in candidates:
        fields = cell.record.cell.model_dump(mode="json", exclude={"seed", "sampling_seed"})
        groups.setdefault(fingerprint(fields), []).append(cell)
    compared = [
        (
            differences(group[0].fields, protocol)
            + training_differences(group[0].record, term.training, term.cell),
            tuple(group),
        )
        for group in groups.values()
    ]
    fewest, nearest = min(compared, key=lambda pair: len(pair[0]))
    return _Match(term.metric, nearest, fewest)


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


def training_interval(values: Sequence[float], further_runs: int = 0) -> Interval:
    """Return the 95% interval of a number over training seeds, the test images being given.

    Student's t of as many trainings; a publication's own number is one more training, of the
    same variance (a prediction interval: Hahn & Meeker 1991, section 4.6).

    Args:
        values: of each training seed; of a single one the interval is the point itself.
        further_runs: 1 where the interval is to hold one more training, 0 for the mean.
    """
    centre = float(np.mean(values))
    if len(values) < 2:
        return Interval(centre, centre)
    from scipy.stats import t as student  # slow to load, and claims mostly do without

    quantile = float(student.ppf((1 + LEVEL) / 2, len(values) - 1))
    half = quantile * float(np.std(values, ddof=1)) * math.sqrt(1 / len(values) + further_runs)
    return Interval(centre - half, centre + half)


def _measure(
    claim: Claim,
    inequality: Inequality,
    matches: Mapping[str, _Match],
    printed: Sequence[str],
    keys: tuple[str, ...],
) -> Judgement:
    scores = {name: _by_seed(match) for name, match in matches.items()}
    trainings = min((len(each) for each in scores.values() if len(each) > 1), default=1)
    # Trainings of different methods are independent, so that any order pairs them.
    paired = {
        name: each[:trainings] if len(each) > 1 else each * trainings
        for name, each in scores.items()
    }
    margins = np.array(
        [
            [float(m) for m in inequality.margins(dict(zip(paired, values, strict=True)))]
            for values in zip(*paired.values(), strict=True)
        ]
    )
    intervals = [training_interval(column.tolist()) for column in margins.T]
    lines = [
        f"holds by {_size(column.mean())} [{_size(low)}, {_size(high)}]"
        for column, (low, high) in zip(margins.T, intervals, strict=True)
    ]
    if trainings == 1:
        lines.append("one training seed: the tolerance alone stands for the variance of training")
    verdict = weigh(intervals, claim.tolerance)
    measured = [f"{name} = {100 * np.mean(each):.2f}% measured" for name, each in scores.items()]
    return Judgement(claim, verdict, (*lines, *measured, *printed), keys)


def _by_seed(match: _Match) -> list[float]:
    """Score the cells of a term: for each training seed, the mean over its sampling seeds."""
    scores: dict[int, list[float]] = {}
    for cell in match.cells:
        score = score_of(match.metric, cell.folder.counts(cell.record.key))
        scores.setdefault(cell.record.cell.seed, []).append(score)
    return [float(np.mean(scores[seed])) for seed in sorted(scores)]


def _size(margin: Any) -> str:
    """Write a margin: fractions as percentage points, counts as they are."""
    return f"{margin:,.0f}" if abs(margin) > 1.5 else f"{100 * float(margin):.2f} points"
