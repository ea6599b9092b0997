"""Tables about corrupted images: every condition, what is retained, and the means."""

from __future__ import annotations

from collections.abc import Iterator

from bench.report.block import PRIMARY, Block
from bench.report.clean import absent_note, missing, separated
from bench.report.table import Entry, Table, number
from bench.score.metrics import METRICS
from bench.score.stats import Estimate, mean


def robust_tables(block: Block) -> Iterator[Table]:
    """Make every table of corrupted images, if anything that looks at them was run."""
    if block.conditions and block.learned:
        yield means(block)
        yield conditions(block)
        yield retention(block)
        if block.reference in block.labels:
            yield errors(block)


def corruption_error(
    block: Block, label: str, corruption: str, *, relative: bool = False
) -> Estimate | None:
    """Return a method's error under a corruption in units of the reference method's.

    ``CE_c = sum_s (1 - P_cs) / sum_s (1 - R_cs)``, as Hendrycks & Dietterich
    (arXiv:1903.12261 section 4.3) define it for accuracy and Kamann & Rother
    (arXiv:1908.05005) for mIoU, there CD. ``relative`` counts only the error beyond that of
    clean images (relative CE, rCD): ill-defined where the reference hardly degrades.

    Returns:
        None if a result that it needs is missing.
    """
    found = []
    for each in (label, block.reference):
        corrupted, clean = block.mpc(each, corruption), block.score(each)
        if corrupted is None or clean is None:
            return None
        found.append(clean - corrupted if relative else corrupted.complement())
    return found[0] / found[1]


def errors(block: Block) -> Table:
    """Corruption errors against the reference method, by corruption and on average."""
    rows = []
    for label in block.labels:
        why = missing(block, label)
        plain = [corruption_error(block, label, name) for name in block.corruptions]
        beyond = [corruption_error(block, label, name, relative=True) for name in block.corruptions]
        means = [
            mean(known) if len(known := [e for e in each if e is not None]) == len(each) else None
            for each in (plain, beyond)
        ]
        rows.append((Entry(label), *(number(e, missing=why) for e in (*means, *plain))))
    reference = block.reference
    caption = f"{block.data_note}{absent_note(PRIMARY)} Error 1 - {PRIMARY} summed over"
    caption += f" severities, in per cent of that of {reference} (CE, also called CD; mCE: mean"
    caption += " over corruptions). Relative mCE counts only the error beyond that of clean"
    caption += f" images; of a corruption that hardly costs {reference} anything it says nothing."
    caption += f" {block.interval_note}"
    names = ("Method", "mCE ↓", "relative mCE ↓", *block.corruptions)
    return Table("errors", f"Errors against {block.reference}", caption, names, tuple(rows))


def retained(block: Block, label: str, corruption: str | None = None) -> Estimate | None:
    """Return rPC: mPC as a share of the clean score (arXiv:1907.07484 eq. 2)."""
    corrupted, clean = block.mpc(label, corruption), block.score(label)
    return None if corrupted is None or clean is None else corrupted / clean


def means(block: Block) -> Table:
    """Clean score, mPC and rPC of each method, and the corruption that costs it most."""
    corrupted = [block.mpc(label) for label in block.labels]
    shares = [retained(block, label) for label in block.labels]
    # a floor that does not look at the image retains everything: no merit
    contest = [
        None if label == block.floor else shares[at] for at, label in enumerate(block.labels)
    ]
    best = separated([corrupted, contest])
    rows = []
    for at, label in enumerate(block.labels):
        why = missing(block, label)
        rows.append(
            (
                Entry(label),
                number(block.score(label), missing=why),
                number(corrupted[at], best=(0, at) in best, missing=why),
                number(shares[at], best=(1, at) in best, missing=why),
                *_worst(block, label, why),
            )
        )
    caption = (
        f"{block.data_note}{absent_note(PRIMARY)} mPC: {PRIMARY} averaged over severities, then"
    )
    caption += (
        f" over {len(block.corruptions)} corruptions (severity 0 not included). rPC: mPC / clean."
    )
    caption += f" {block.interval_note} Bold: separated from every other method (Holm, 5%)."
    names = ("Method", "Clean ↑", "mPC ↑", "rPC ↑", "Worst corruption", "its rPC ↑")
    return Table("robustness", "Corrupted images", caption, names, tuple(rows))


def _worst(block: Block, label: str, why: str) -> tuple[Entry, Entry]:
    shares = [(retained(block, label, name), name) for name in block.corruptions]
    known = [(share, name) for share, name in shares if share is not None]
    if not known:
        return Entry(why), number(None, missing=why)
    share, name = min(known, key=lambda pair: pair[0].value)
    return Entry(name), number(share)


def conditions(block: Block) -> Table:
    """The score of each method under each condition."""
    rows = [
        (
            Entry(condition.corruption),
            Entry(unit="count", value=condition.severity),
            [block.score(label, condition=condition) for label in block.labels],
        )
        for condition in block.conditions
    ]
    best = separated([scores for _, _, scores in rows])
    entries = tuple(
        (
            corruption,
            severity,
            *(
                number(score, best=(row, at) in best, missing=missing(block, block.labels[at]))
                for at, score in enumerate(scores)
            ),
        )
        for row, (corruption, severity, scores) in enumerate(rows)
    )
    caption = f"{block.data_note}{PRIMARY} in per cent ({METRICS[PRIMARY].absent})."
    caption += (
        f" {block.interval_note} Bold: separated from every other method of the row (Holm over"
    )
    caption += " the table, 5%)."
    names = ("Corruption", "Severity", *block.labels)
    return Table("conditions", "Every condition", caption, names, entries, tinted=True)


def retention(block: Block) -> Table:
    """The corrupted score as a share of the clean one."""
    rows = []
    for condition in block.conditions:
        entries = []
        for label in block.labels:
            clean, score = block.score(label), block.score(label, condition=condition)
            share = score / clean if clean is not None and score is not None else None
            entries.append(number(share, missing=missing(block, label)))
        severity = Entry(unit="count", value=condition.severity)
        rows.append((Entry(condition.corruption), severity, *entries))
    caption = f"{block.data_note}Corrupted {PRIMARY} / clean {PRIMARY} in per cent"
    caption += f" ({METRICS[PRIMARY].absent}). {block.interval_note}"
    names = ("Corruption", "Severity", *block.labels)
    return Table(
        "retention", "Share of the clean score retained", caption, names, tuple(rows), tinted=True
    )
