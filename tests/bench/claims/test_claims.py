"""Verdicts from constructed records, and the project's own ledger of claims."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.claims import PAPERS, Judgement, Verdict, as_text, claims_report, comparable
from bench.claims.verdict import training_interval
from bench.core.errors import ClaimsError
from bench.core.manifest import PublishedTraining
from bench.core.record import Record
from bench.core.registry import load_config
from bench.core.schema import Cell, DataRef, Protocol
from bench.store.folders import SuiteFolder
from tests.helpers.papers import HEADER, publish_sizes
from tests.helpers.stores import Store, count, make_cell, predict

CLAIM = """
- id: X
  paper: demo
  statement: A beats B.
  quote: A 60.0, B 50.0
  source: table 1
  inequality: {inequality}
  tolerance: {tolerance}
  kind: {kind}
  protocol: {{test_on.dataset: scenes, test_on.split: val}}
  terms:
    A: {{reported: {{method: A}}, {a}}}
    B: {{reported: {{method: B}}, {b}}}
"""


CELLS = (
    "cell: {{method: {}}}, training: {{preset: published, initialisation: random, dataset: scenes}}"
)


@pytest.fixture(autouse=True)
def published_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    publish_sizes(monkeypatch)


def cell_of(label: str, **changes: Any) -> Cell:
    method = {"A": "gss", "B": "baselines"}[label]
    return make_cell(label, method=method, preset="published", **changes)


def write_papers(folder: Path, a: str = "60.0", b: str = "50.0", **settings: Any) -> Path:
    folder.mkdir(exist_ok=True)
    rows = [
        f"1,{name},,,,,mIoU,,=,{v},0.05,percent,printed,here\n" for name, v in (("A", a), ("B", b))
    ]
    (folder / "demo.csv").write_text(HEADER + "".join(rows))
    settings = {"inequality": "A > B", "tolerance": 0.0, "kind": "measured"} | settings
    settings = {"a": CELLS.format("gss"), "b": CELLS.format("baselines")} | settings
    (folder / "claims.yaml").write_text("version: 2\nclaims:" + CLAIM.format(**settings))
    return folder


def judge(tmp_path: Path, good: float, poor: float, **settings: Any) -> Judgement:
    store = Store(tmp_path / "output", images=40)
    store.add(cell_of("A"), good)
    store.add(cell_of("B"), poor)
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


def test_the_same_predictions_are_the_same_score(tmp_path: Path) -> None:
    """On the published images nothing is drawn anew: only training varies."""
    store = Store(tmp_path / "output", images=40)
    shared = predict(store.truth, 0.7, "both")
    for label in ("A", "B"):
        record = store.add(cell_of(label), 0.7)
        store.folder.cells.write(record, count(store.truth, shared), None)
    papers = write_papers(tmp_path / "papers", inequality="A == B", b="60.0")
    (judgement,) = claims_report(tmp_path / "output", papers)
    assert judgement.verdict == Verdict.REPRODUCED
    assert "one training seed" in "; ".join(judgement.evidence)


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
    assert "A: no finished cell with method=gss, preset=published" in judgement.evidence


def test_failed_and_corrupted_cells_are_not_evidence(tmp_path: Path) -> None:
    store = Store(tmp_path / "output")
    store.add(cell_of("A"), 0.9)
    store.fail(cell_of("B"), "no memory")
    (judgement,) = claims_report(tmp_path / "output", write_papers(tmp_path / "papers"))
    assert judgement.verdict == Verdict.NOT_RUN
    assert "B: no finished cell with method=baselines, preset=published" in judgement.evidence


def test_other_protocol_is_not_comparable(tmp_path: Path) -> None:
    store = Store(tmp_path / "output")
    for label in ("A", "B"):
        where = DataRef(dataset="camvid", split="test")
        store.add(cell_of(label, test_on=where, limit=12), 0.9)
    (judgement,) = claims_report(tmp_path / "output", write_papers(tmp_path / "papers"))
    assert judgement.verdict == Verdict.NOT_COMPARABLE
    assert judgement.evidence[:4] == (
        "test_on.dataset: the claim has scenes, the cells have camvid",
        "test_on.split: the claim has val, the cells have test",
        "limit: the claim has None, the cells have 12",
        "test images: the claim has 233, the cells have 12",
    )


def judge_three(tmp_path: Path, seed: str, scores: tuple[float, ...]) -> Judgement:
    """Judge A by its scores at three values of a seed, against B's 0.6."""
    store = Store(tmp_path / "output", images=40)
    for value, good in enumerate(scores):
        store.add(cell_of("A", **{seed: value}), good)
        store.add(cell_of("B", **{seed: value}), 0.6)
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
    papers = write_papers(tmp_path, a="50.0", b="50.1", inequality="A == B", kind="arithmetic")
    assert claims_report(None, papers)[0].verdict == Verdict.CONSISTENT
    papers = write_papers(tmp_path, a="50.0", b="50.2", inequality="A == B", kind="arithmetic")
    assert claims_report(None, papers)[0].verdict == Verdict.INCONSISTENT


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("A > B", "A > C", "the inequality names"),
        ("method: A}", "method: Z}", "X: 0 numbers of demo have"),
        ("paper: demo", "papier: demo", "claims.0.papier"),
        ("method: A}, cell", "method: A}, metric: IoU, cell", "no metric 'IoU'"),
        ("cell: {method: gss}, ", "", "cell and training go together"),
        ("preset: published, ", "", "training.preset"),
        ("version: 2", "version: 1", "version"),
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


def test_audits_are_a_kind_of_their_own(tmp_path: Path) -> None:
    kinds = {"inequality": "A == B", "kind": "audit"}
    papers = write_papers(tmp_path, b="60.0", **kinds)
    assert claims_report(None, papers)[0].verdict == Verdict.AUDIT_AGREES
    papers = write_papers(tmp_path, b="50.0", **kinds)
    assert claims_report(None, papers)[0].verdict == Verdict.AUDIT_DIFFERS


def changed(tmp_path: Path, **fields: Any) -> Judgement:
    """Judge cells that would reproduce the claim, had they not other fields than published."""
    store = Store(tmp_path / "output", images=40)
    for label, good in (("A", 0.9), ("B", 0.6)):
        cell = fields.get("cell", {})
        record = store.add(cell_of(label, **cell), good)
        rewrite(store.folder, record.model_copy(update=fields.get("record", {})))
    (judgement,) = claims_report(tmp_path / "output", write_papers(tmp_path / "papers"))
    return judgement


def rewrite(folder: SuiteFolder, record: Record) -> None:
    folder.cells.write(record, folder.counts(record.key), None)


def test_another_start_or_training_set_is_not_comparable(tmp_path: Path) -> None:
    assert changed(tmp_path / "a").verdict == Verdict.REPRODUCED
    start = changed(tmp_path / "b", record={"initialisation": "imagenet-1k"})
    assert start.verdict == Verdict.NOT_COMPARABLE
    assert "training.initialisation: the claim has random" in start.evidence[0]
    data = changed(tmp_path / "c", cell={"train_on": DataRef(dataset="camvid", split="train")})
    assert data.verdict == Verdict.NOT_COMPARABLE
    assert "train_on.dataset: the claim has scenes" in data.evidence[0]


def test_settings_that_are_not_the_presets_are_not_comparable(tmp_path: Path) -> None:
    judgement = changed(tmp_path, cell={"config": {"train": {"steps": 5}}})
    assert judgement.verdict == Verdict.NOT_COMPARABLE
    assert "config.train: the claim has None" in judgement.evidence[0]


def test_digests_of_files_are_no_settings(tmp_path: Path) -> None:
    """Weights that training starts from are told by the record's initialisation."""
    with_digest = changed(tmp_path / "a", cell={"config": {"start": "0123456789abcdef01234567"}})
    assert with_digest.verdict == Verdict.REPRODUCED
    with_setting = changed(tmp_path / "b", cell={"config": {"start": "zero"}})
    assert with_setting.verdict == Verdict.NOT_COMPARABLE


def test_more_trainings_than_one_give_an_interval() -> None:
    """By hand: t of 2 degrees of freedom is 4.3027 at 95%."""
    half = 4.3027 * 0.01 / 3**0.5
    assert training_interval([0.49, 0.5, 0.51]) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-5)
    half = 4.3027 * 0.01 * (1 / 3 + 1) ** 0.5
    wider = training_interval([0.49, 0.5, 0.51], further_runs=1)
    assert wider == pytest.approx((0.5 - half, 0.5 + half), abs=1e-5)
    assert training_interval([0.5]) == (0.5, 0.5)


def test_published_statements_that_contradict_their_source() -> None:
    judgements = {each.claim.id: each for each in claims_report()}
    of = {name: each.verdict for name, each in judgements.items()}
    inconsistent = {name for name, verdict in of.items() if verdict == Verdict.INCONSISTENT}
    assert inconsistent == {"G6", "G6b", "G15a", "G18", "G21", "C6", "C8"}
    audits = {name for name, verdict in of.items() if verdict == Verdict.AUDIT_DIFFERS}
    assert audits == {"G19a", "G19b", "G19c", "G20", "G20c", "C9"}
    evidence = "\n".join(line for name in inconsistent for line in judgements[name].evidence)
    for number in ("table1 = 84.31% (table 1)", "table9 = 87.73% (table 9)",
                   "MSeg = 59.2% (table 6)",
                   "noisy = 53.9% ± 0.2 (demo/saltpepper_noise.png, digitised)"):  # fmt: skip
        assert number in evidence
    text = as_text(list(judgements.values()))
    assert text.startswith("INCONSISTENT IN ITS SOURCE (7)")
    assert len(judgements) >= 75


def test_tiny_cells_under_a_published_name_change_no_verdict(tmp_path: Path) -> None:
    """The planted renaming: small trainings whose data set is called Cityscapes."""
    before = {each.claim.id: each.verdict for each in claims_report()}
    store = Store(tmp_path / "output", images=40)
    split = {"train_on": DataRef(dataset="cityscapes", split="train"),
             "test_on": DataRef(dataset="cityscapes", split="val")}  # fmt: skip
    for geometry in ("native", "camseg_notebook"):
        protocol = Protocol(resize=(768, 768), eval_at=geometry)
        for method, preset in (("cam_seg", "tiny"), ("seg_var", "tiny"), ("gss", "tiny"),
                               ("baselines", "segformer_tiny")):  # fmt: skip
            config = load_config(method)[1][preset].model_dump(mode="json")
            cell = {"method": method, "preset": preset, "config": config, "protocol": protocol}
            for number in range(2):
                store.add(make_cell(f"{method} {geometry} {number}", **cell, **split), 0.9)
    after = {each.claim.id: each.verdict for each in claims_report(tmp_path / "output")}
    assert after == before
    # Nor when the preset is called as the paper's, too.
    for geometry in ("native", "camseg_notebook"):
        protocol = Protocol(resize=(768, 768), eval_at=geometry)
        config = load_config("cam_seg")[1]["tiny"].model_dump(mode="json")
        cell = {"method": "cam_seg", "preset": "paper", "config": config, "protocol": protocol}
        store.add(make_cell(f"renamed {geometry}", **cell, **split), 0.2)
    renamed = claims_report(tmp_path / "output")
    assert {each.verdict for each in renamed if each.claim.paper == "cam_seg"} <= {
        Verdict.NOT_RUN, Verdict.NOT_COMPARABLE, Verdict.INCONSISTENT, Verdict.CONSISTENT,
        Verdict.AUDIT_DIFFERS,
    }  # fmt: skip
    (c2,) = (each for each in renamed if each.claim.id == "C2")
    assert c2.verdict == Verdict.NOT_COMPARABLE


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


def test_a_mixture_of_relabelled_masks_is_known_by_its_parts() -> None:
    def masks(*datasets: str) -> list[str]:
        options = {"taxonomy": "mseg", "parts": [{"dataset": name} for name in datasets]}
        trained = DataRef(dataset="mixture", split="train", options=options)
        wanted = PublishedTraining(
            preset="tiny", initialisation="random", dataset="mixture", masks="relabelled"
        )
        record = Record(key="k", status="ok", cell=make_cell("A", method="gss", train_on=trained))
        found = comparable.training_differences(record, wanted, {})
        return [each.found for each in found if each.name.startswith("training.masks")]

    assert masks("mseg_relabeled", "mseg_relabeled") == []
    assert masks("mseg_relabeled", "ade20k") == ["original"]
    assert masks("ade20k") == ["original"]
