"""Verdicts from constructed records, and the project's own ledger of claims."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.claims import PAPERS, Judgement, Verdict, as_text, claims_report
from bench.core.errors import ClaimsError
from bench.core.schema import DataRef
from tests.helpers.papers import HEADER
from tests.helpers.stores import Store, make_cell

CLAIM = """
- id: X
  paper: demo
  statement: A beats B.
  source: table 1
  inequality: {inequality}
  tolerance: {tolerance}
  arithmetic: {arithmetic}
  protocol: {{test_on.dataset: scenes, test_on.split: val}}
  terms:
    A: {{reported: {{method: A}}, cell: {{method: a}}}}
    B: {{reported: {{method: B}}, cell: {{method: b}}}}
"""


def write_papers(folder: Path, a: str = "60.0", b: str = "50.0", **settings: Any) -> Path:
    folder.mkdir(exist_ok=True)
    rows = [
        f"1,{name},,,,,mIoU,,=,{v},0.05,percent,printed,here\n" for name, v in (("A", a), ("B", b))
    ]
    (folder / "demo.csv").write_text(HEADER + "".join(rows))
    settings = {"inequality": "A > B", "tolerance": 0.0, "arithmetic": "false"} | settings
    (folder / "claims.yaml").write_text("version: 1\nclaims:" + CLAIM.format(**settings))
    return folder


def judge(tmp_path: Path, good: float, poor: float, **settings: Any) -> Judgement:
    store = Store(tmp_path / "output", images=40)
    store.add(make_cell("A"), good)
    store.add(make_cell("B"), poor)
    papers = write_papers(tmp_path / "papers", **settings)
    (judgement,) = claims_report(tmp_path / "output", papers)
    return judgement


def test_reproduced(tmp_path: Path) -> None:
    judgement = judge(tmp_path, 0.9, 0.6)
    assert judgement.verdict == Verdict.REPRODUCED
    assert len(judgement.keys) == 2
    assert judgement.evidence[0].startswith("holds by ")
    assert "A = 60.0% (table 1)" in judgement.evidence


def test_refuted(tmp_path: Path) -> None:
    assert judge(tmp_path, 0.6, 0.9).verdict == Verdict.REFUTED


def test_within_noise(tmp_path: Path) -> None:
    assert judge(tmp_path, 0.7, 0.7).verdict == Verdict.WITHIN_NOISE


def test_tolerance_is_part_of_the_claim(tmp_path: Path) -> None:
    assert judge(tmp_path, 0.6, 0.9, tolerance=0.9).verdict == Verdict.REPRODUCED


def test_missed_equality_is_refuted_and_met_one_reproduced(tmp_path: Path) -> None:
    settings = {"inequality": "A == B", "b": "60.0"}
    assert judge(tmp_path, 0.9, 0.6, **settings).verdict == Verdict.REFUTED
    wide = {**settings, "tolerance": 0.2}
    assert judge(tmp_path / "wide", 0.8, 0.8, **wide).verdict == Verdict.REPRODUCED


def test_one_refuted_link_refutes_a_chain(tmp_path: Path) -> None:
    assert judge(tmp_path, 0.9, 0.6, inequality="0.2 > A > B").verdict == Verdict.INCONSISTENT
    chain = judge(tmp_path / "low", 0.9, 0.6, inequality="0.62 > A > B")
    assert chain.verdict == Verdict.REFUTED


def test_not_run_says_what_is_missing(tmp_path: Path) -> None:
    papers = write_papers(tmp_path / "papers")
    (judgement,) = claims_report(None, papers)
    assert judgement.verdict == Verdict.NOT_RUN
    assert "A: no finished cell with method=a" in judgement.evidence


def test_failed_and_corrupted_cells_are_not_evidence(tmp_path: Path) -> None:
    store = Store(tmp_path / "output")
    store.add(make_cell("A"), 0.9)
    store.fail(make_cell("B"), "no memory")
    (judgement,) = claims_report(tmp_path / "output", write_papers(tmp_path / "papers"))
    assert judgement.verdict == Verdict.NOT_RUN
    assert "B: no finished cell with method=b" in judgement.evidence


def test_other_protocol_is_not_comparable(tmp_path: Path) -> None:
    store = Store(tmp_path / "output")
    for label in ("A", "B"):
        where = DataRef(dataset="camvid", split="test")
        store.add(make_cell(label, test_on=where, limit=12), 0.9)
    (judgement,) = claims_report(tmp_path / "output", write_papers(tmp_path / "papers"))
    assert judgement.verdict == Verdict.NOT_COMPARABLE
    assert judgement.evidence[:3] == (
        "test_on.dataset: the claim has scenes, the cells have camvid",
        "test_on.split: the claim has val, the cells have test",
        "limit: the claim has None, the cells have 12",
    )


def judge_three(tmp_path: Path, seed: str, scores: tuple[float, ...]) -> Judgement:
    """Judge A by its scores at three values of a seed, against B's 0.6."""
    store = Store(tmp_path / "output", images=40)
    for value, good in enumerate(scores):
        store.add(make_cell("A", **{seed: value}), good)
        store.add(make_cell("B", **{seed: value}), 0.6)
    (judgement,) = claims_report(tmp_path / "output", write_papers(tmp_path / "papers"))
    return judgement


def test_seeds_are_averaged(tmp_path: Path) -> None:
    judgement = judge_three(tmp_path, "seed", (0.9, 0.9, 0.9))
    assert judgement.verdict == Verdict.REPRODUCED
    assert len(judgement.keys) == 6


def test_seeds_that_disagree_settle_nothing(tmp_path: Path) -> None:
    """On the same images each training seed alone would reproduce or refute."""
    judgement = judge_three(tmp_path, "seed", (0.95, 0.9, 0.5))
    assert judgement.verdict == Verdict.WITHIN_NOISE


def test_sampling_seeds_are_no_training_seeds(tmp_path: Path) -> None:
    judgement = judge_three(tmp_path, "sampling_seed", (0.95, 0.9, 0.65))
    assert judgement.verdict == Verdict.REPRODUCED


def test_inconsistent_in_its_source_whatever_was_measured(tmp_path: Path) -> None:
    judgement = judge(tmp_path, 0.9, 0.6, a="50.0", b="60.0")
    assert judgement.verdict == Verdict.INCONSISTENT
    assert judgement.evidence[0] == "missed by 9.90 points, with all rounding in its favour"


def test_rounding_is_no_inconsistency(tmp_path: Path) -> None:
    papers = write_papers(tmp_path, a="50.0", b="50.1", inequality="A == B", arithmetic="true")
    assert claims_report(None, papers)[0].verdict == Verdict.REPRODUCED
    papers = write_papers(tmp_path, a="50.0", b="50.2", inequality="A == B", arithmetic="true")
    assert claims_report(None, papers)[0].verdict == Verdict.INCONSISTENT


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("A > B", "A > C", "the inequality names"),
        ("method: A}", "method: Z}", "X: 0 numbers of demo have"),
        ("paper: demo", "papier: demo", "claims.0.papier"),
        ("cell: {method: a}", "metric: IoU", "no metric 'IoU'"),
        ("version: 1", "version: 2", "version"),
        ("- id: X", "- id: [", "cannot be read"),
    ],
)
def test_faults_of_the_ledger_are_named(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    path = write_papers(tmp_path) / "claims.yaml"
    path.write_text(path.read_text().replace(before, after))
    with pytest.raises(ClaimsError, match=message):
        claims_report(None, tmp_path)


def test_published_statements_that_contradict_their_source() -> None:
    judgements = {each.claim.id: each for each in claims_report()}
    inconsistent = {
        name for name, each in judgements.items() if each.verdict == Verdict.INCONSISTENT
    }
    assert inconsistent == {"G6", "G18", "G19a", "G19b", "G19c", "G20", "G21", "C6", "C8", "C9"}
    evidence = "\n".join(line for name in inconsistent for line in judgements[name].evidence)
    for number in ("table1 = 84.31% (table 1)", "table9 = 87.73% (table 9)",
                   "noisy = 53.9% ± 0.2 (demo/saltpepper_noise.png, digitised)"):  # fmt: skip
        assert number in evidence
    text = as_text(list(judgements.values()))
    assert text.startswith("INCONSISTENT IN ITS SOURCE (10)")


def test_every_paper_has_claims_and_secondary_numbers_are_marked() -> None:
    claims = [each.claim for each in claims_report()]
    assert {claim.paper for claim in claims} >= {"gss", "cam_seg", "seg_var", "mseg"}
    rows = (PAPERS / "seg_var.csv").read_text().splitlines()[1:]
    assert all(",secondary," in row for row in rows)


def test_claims_need_nothing_slow() -> None:
    code = (
        "import sys; from bench.claims import as_text, claims_report; as_text(claims_report());"
        "assert not {'torch', 'pandas', 'matplotlib', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
