"""Published statements on a suite's page, judged by its cells and by the papers' own numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bench.claims import Verdict, judge_claims
from bench.claims.reported import PAPERS
from bench.report.tables.table import Entry, Table
from bench.store.folders import SuiteFolder

SLUG = "claims"


def claim_tables(folder: SuiteFolder) -> Iterator[Table]:
    """List the statements that can be judged here, those that rest on this suite's cells first.

    Yields nothing where there is nothing to judge, or no ledger of claims beside this code.
    """
    if not (PAPERS / "claims.yaml").exists():
        return
    judgements = judge_claims([folder])
    judged = [judgement for judgement in judgements if judgement.verdict != Verdict.NOT_RUN]
    judged.sort(key=lambda judgement: not judgement.keys)
    rows = tuple(
        (
            Entry(judgement.claim.id),
            Entry(judgement.claim.statement),
            Entry(judgement.verdict.value, keys=judgement.keys),
            Entry("; ".join(judgement.evidence)),
            Entry(
                f"{judgement.claim.paper}: {judgement.claim.source}; {judgement.claim.inequality}"
            ),
        )
        for judgement in judged
    )
    counts = Counter(judgement.verdict.value for judgement in judgements)
    caption = f"{len(judgements)} published statements are tested against these cells:"
    caption += f" {', '.join(f'{count} {verdict}' for verdict, count in counts.items())}."
    caption += " Verdicts are computed. A statement that is inconsistent in its source contradicts"
    caption += " the numbers printed with it and needs no run."
    caption += (
        " Cells of another size, start or data judge nothing. `python -m bench claims` lists those"
    )
    caption += " not run, with what each lacks."
    names = ("Claim", "Statement", "Verdict", "Evidence", "Source")
    if rows:
        yield Table(SLUG, "Published claims", caption, names, rows)
