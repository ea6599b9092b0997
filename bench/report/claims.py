"""Published statements on the page of a suite: what its cells, and the papers' own numbers, say."""

from __future__ import annotations

from collections import Counter

from bench.claims import Verdict, judge_claims
from bench.claims.reported import PAPERS
from bench.report.table import Entry, Table
from bench.store.folders import SuiteFolder

SLUG = "claims"


def claims_table(folder: SuiteFolder) -> Table | None:
    """List the statements that can be judged here, those that rest on this suite's cells first.

    Returns:
        None where there is nothing to judge, or no ledger of claims beside this code.
    """
    if not (PAPERS / "claims.yaml").exists():
        return None
    judgements = judge_claims([folder])
    judged = [each for each in judgements if each.verdict != Verdict.NOT_RUN]
    if not judged:
        return None
    judged.sort(key=lambda each: not each.keys)
    rows = tuple(
        (
            Entry(each.claim.id),
            Entry(each.claim.statement),
            Entry(each.verdict.value, keys=each.keys),
            Entry("; ".join(each.evidence)),
            Entry(f"{each.claim.paper}: {each.claim.source}; {each.claim.inequality}"),
        )
        for each in judged
    )
    counts = Counter(each.verdict.value for each in judgements)
    caption = f"{len(judgements)} published statements are tested against these cells:"
    caption += f" {', '.join(f'{count} {verdict}' for verdict, count in counts.items())}."
    caption += " Verdicts are computed; what is inconsistent in its source contradicts itself in"
    caption += " print and needs no run. Cells of another size, start or data judge nothing."
    caption += " Those not run are listed by the verb claims, with what"
    caption += " each lacks."
    names = ("Claim", "Statement", "Verdict", "Evidence", "Where it is made")
    return Table(SLUG, "Published claims", caption, names, rows)
