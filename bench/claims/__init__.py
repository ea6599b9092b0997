"""Published statements as data: claims, reported numbers and records to verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import wrap

from bench.claims.reported import PAPERS, find_reported, load_reported
from bench.claims.schema import load_claims
from bench.claims.verdict import Judgement, Verdict, finished_cells, judge
from bench.core.errors import ClaimsError
from bench.store.folders import SuiteFolder, suite_folders

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


_MEANING = {
    Verdict.INCONSISTENT: "the source's own numbers contradict it",
    Verdict.REFUTED: "measured here as published, and it does not hold",
    Verdict.AUDIT_DIFFERS: "what this project counted or expected is otherwise",
    Verdict.WITHIN_NOISE: "measured here as published, and these trainings cannot tell",
    Verdict.REPRODUCED: "measured here as published, and it holds",
    Verdict.CONSISTENT: "recomputed from the source's own numbers, and it holds",
    Verdict.AUDIT_AGREES: "what this project counted or expected is the same",
    Verdict.NOT_COMPARABLE: "measured here, but not as published",
    Verdict.NOT_RUN: "not measured here",
}
"""What each verdict says of a statement; those that contradict a paper first."""


def as_text(judgements: Sequence[Judgement], width: int = 100) -> str:
    """Write verdicts with their evidence, by verdict, for a terminal of so many columns."""
    lines = []
    for verdict, meaning in _MEANING.items():
        chosen = [each for each in judgements if each.verdict == verdict]
        if chosen:
            lines += [f"{verdict.upper()} ({len(chosen)}): {meaning}", ""]
        for judgement in chosen:
            lines += [*_paragraphs(judgement, max(width, 40)), ""]
    counts = Counter(each.verdict for each in judgements)
    total = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _MEANING if counts[verdict])
    return "\n".join([*lines, *wrap(f"{len(judgements)} claims: {total}", width)])


def _paragraphs(judgement: Judgement, width: int) -> Iterator[str]:
    claim = judgement.claim
    indent = " " * 8
    values = tuple(f"{name} = " for name in claim.terms)
    numbers = [line for line in judgement.evidence if line.startswith(values)]
    reasons = [line for line in judgement.evidence if line not in numbers]
    statement = f"{claim.inequality}   [{claim.source}]"
    texts = (f"“{claim.quote}”", statement, "; ".join(reasons), "; ".join(numbers), claim.note)
    yield from wrap(f"  {claim.id:<6}{claim.statement}", width, subsequent_indent=indent)
    for text in filter(None, texts):
        yield from wrap(
            text,
            width,
            initial_indent=indent,
            subsequent_indent=f"{indent}  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
