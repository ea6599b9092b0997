"""Tables about corrupted images: means, every condition, retained shares and errors."""

from __future__ import annotations

from collections.abc import Iterator

from bench.report.captions import BOLD, absent_note, data_note, interval_note, joined
from bench.report.statistics import Block
from bench.report.tables.table import Entry, Table, number
from bench.score.metrics import METRICS
from bench.score.significance import leaders
from bench.score.stats import Estimate, mean


def robustness_tables(block: Block) -> Iterator[Table]:
    """Make every table of corrupted images, if a method that looks at them was run."""
    if block.conditions and block.learned:
        yield means(block)
        yield conditions(block)
        yield retention(block)
        if block.reference in block.labels:
            yield errors(block)


def means(block: Block) -> Table:
    """Clean score, mPC and rPC of each method, and the corruption that costs it most."""
    corrupted = [block.mpc(label) for label in block.labels]
    shares = [block.retained(label) for label in block.labels]
    # a floor that does not look at the image retains everything: no merit
    contest = [
        None if label == block.floor else share
        for label, share in zip(block.labels, shares, strict=True)
    ]
    best = leaders([corrupted, contest])
    rows = []
    for row, label in enumerate(block.labels):
        why = block.missing(label)
        rows.append(
            (
                Entry(label),
                number(block.score(label), missing=why),
                number(corrupted[row], best=(0, row) in best, missing=why),
                number(shares[row], best=(1, row) in best, missing=why),
                *_worst(block, label, why),
            )
        )
    caption = joined(
        data_note(block),
        absent_note(block.primary),
        f"mPC: {block.primary} averaged over severities, then over {len(block.corruptions)}"
        " corruptions (severity 0 not included). rPC: mPC / clean.",
        interval_note(block),
        BOLD,
    )
    names = ("Method", "Clean ↑", "mPC ↑", "rPC ↑", "Worst corruption", "its rPC ↑")
    return Table("robustness", "Corrupted images", caption, names, tuple(rows))


def _worst(block: Block, label: str, why: str) -> tuple[Entry, Entry]:
    shares = {
        name: share
        for name in block.corruptions
        if (share := block.retained(label, name)) is not None
    }
    if not shares:
        return Entry(why), number(None, missing=why)
    worst = min(shares, key=lambda name: shares[name].value)
    return Entry(worst), number(shares[worst])


def conditions(block: Block) -> Table:
    """The score of each method under each condition."""
    scores = [
        [block.score(label, condition=condition) for label in block.labels]
        for condition in block.conditions
    ]
    best = leaders(scores)
    rows = tuple(
        (
            Entry(condition.corruption),
            Entry(unit="count", value=condition.severity),
            *(
                number(score, best=(row, column) in best, missing=block.missing(label))
                for column, (label, score) in enumerate(zip(block.labels, scores[row], strict=True))
            ),
        )
        for row, condition in enumerate(block.conditions)
    )
    caption = joined(
        data_note(block),
        f"{block.primary} in per cent ({METRICS[block.primary].absent}).",
        interval_note(block),
        BOLD,
    )
    names = ("Corruption", "Severity", *block.labels)
    return Table("conditions", "Every condition", caption, names, rows, tinted=True)


def retention(block: Block) -> Table:
    """The corrupted score as a share of the clean one."""
    rows = []
    for condition in block.conditions:
        entries = []
        for label in block.labels:
            clean, score = block.score(label), block.score(label, condition=condition)
            share = score / clean if clean is not None and score is not None else None
            entries.append(number(share, missing=block.missing(label)))
        severity = Entry(unit="count", value=condition.severity)
        rows.append((Entry(condition.corruption), severity, *entries))
    caption = joined(
        data_note(block),
        f"Corrupted {block.primary} / clean {block.primary} in per cent"
        f" ({METRICS[block.primary].absent}).",
        interval_note(block),
    )
    names = ("Corruption", "Severity", *block.labels)
    title = "Share of the clean score retained"
    return Table("retention", title, caption, names, tuple(rows), tinted=True)


def errors(block: Block) -> Table:
    """Corruption errors against the reference method, per corruption and on average."""
    rows = []
    for label in block.labels:
        plain = [block.corruption_error(label, name) for name in block.corruptions]
        beyond = [block.corruption_error(label, name, relative=True) for name in block.corruptions]
        numbers = (_mean_of_all(plain), _mean_of_all(beyond), *plain)
        rows.append((Entry(label), *(number(e, missing=block.missing(label)) for e in numbers)))
    reference = block.reference
    caption = joined(
        data_note(block),
        absent_note(block.primary),
        f"CE (also called CD): error 1 − {block.primary}, summed over severities, in per cent of"
        f" the error of {reference}. mCE: mean over corruptions.",
        "Relative mCE counts only the error beyond that of clean images; it says nothing about"
        f" a corruption that hardly affects {reference}.",
        interval_note(block),
    )
    names = ("Method", "mCE ↓", "relative mCE ↓", *block.corruptions)
    return Table("errors", f"Errors against {reference}", caption, names, tuple(rows))


def _mean_of_all(estimates: list[Estimate | None]) -> Estimate | None:
    """Return the mean, or None if one is missing."""
    finished = [estimate for estimate in estimates if estimate is not None]
    return mean(finished) if len(finished) == len(estimates) else None
