"""Published statements as data: claims, reported numbers and records to verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bench.claims.reported import PAPERS, ClaimsError, find_reported, load_reported
from bench.claims.schema import load_claims
from bench.claims.verdict import Judgement, Verdict, finished_cells, judge
from bench.store import SuiteFolder, suite_folders

__all__ = ["ClaimsError", "Judgement", "Verdict", "as_text", "claims_report", "judge_claims"]


def claims_report(store: Path | None = None, papers: Path = PAPERS) -> list[Judgement]:
    """Judge every claim.

    Args:
        store: an output folder or one suite's folder; None judges by the papers alone.
        papers: the folder of ``claims.yaml`` and the reported numbers.

    Returns:
        One judgement a claim, in the order of ``claims.yaml``.

    Raises:
        ClaimsError: if claims or reported numbers cannot be read.
        StoreError: if the store holds no results.
    """
    return judge_claims(suite_folders(store) if store is not None else [], papers)


def judge_claims(folders: Sequence[SuiteFolder], papers: Path = PAPERS) -> list[Judgement]:
    """Judge every claim by the finished cells of some suites; see :func:`claims_report`."""
    numbers = load_reported(papers)
    cells = finished_cells(folders)
    judgements = []
    for claim in load_claims(papers / "claims.yaml"):
        try:
            reported = {
                name: find_reported(numbers, claim.paper, term.reported)
                for name, term in claim.terms.items()
                if term.reported
            }
        except ClaimsError as error:
            raise ClaimsError(f"{papers / 'claims.yaml'}: {claim.id}: {error}") from None
        judgements.append(judge(claim, reported, cells))
    return judgements


def as_text(judgements: Sequence[Judgement]) -> str:
    """Write verdicts with their evidence, those that contradict a paper first."""
    order = (Verdict.INCONSISTENT, Verdict.REFUTED, Verdict.WITHIN_NOISE, Verdict.REPRODUCED,
             Verdict.NOT_COMPARABLE, Verdict.NOT_RUN)  # fmt: skip
    lines = []
    for verdict in order:
        chosen = [each for each in judgements if each.verdict == verdict]
        if chosen:
            lines += [f"{verdict.upper()} ({len(chosen)})", ""]
        for claim, _, evidence, _ in chosen:
            lines += [
                f"  {claim.id}  {claim.statement}",
                f"      {claim.source}: {claim.inequality}",
            ]
            lines += [f"      {line}" for line in evidence]
            lines += [f"      {claim.note}"] if claim.note else []
            lines.append("")
    counts = Counter(each.verdict for each in judgements)
    total = ", ".join(f"{counts[verdict]} {verdict}" for verdict in order if counts[verdict])
    return "\n".join([*lines, f"{len(judgements)} claims: {total}"])
