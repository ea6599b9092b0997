"""The published table beside what was measured, from constructed records."""

import csv
from pathlib import Path
from typing import Any

import pytest

from bench import report
from bench.claims import comparable
from bench.core.config import MethodConfig
from bench.core.manifest import (
    Need,
    PaperColumn,
    PaperRow,
    PaperTable,
    PublishedTraining,
    Unavailable,
)
from bench.core.schema import DataRef
from bench.score.metrics import METRICS
from tests.helpers.stores import Store, make_cell

TRAINING = PublishedTraining(preset="tiny", initialisation="random", dataset="scenes")
ROWS = (
    PaperRow(name="GSS-FF", reported={"method": "GSS-FF"}, method="Mine", training=TRAINING),
    PaperRow(name="GSS-TT", reported={"method": "GSS-TT"}, method="Other", training=TRAINING),
    PaperRow(name="GSS-FT", reported={"method": "GSS-FT"}),
    PaperRow(name="ours", method="Mine"),
)
MIOU = PaperColumn(name="mIoU", reported={"metric": "recon_mIoU"})
HOURS = PaperColumn(name="GPU hours", reported={"metric": "train_gpu_hours"}, missing="no such GPU")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the constructed methods have a size without any setting."""
    monkeypatch.setattr(comparable, "resolve_config", lambda *_: MethodConfig())


def paper(**changes: Any) -> PaperTable:
    settings: dict[str, Any] = {
        "name": "gss",
        "table": "1",
        "title": "GSS, table 1",
        "caption": "Reconstruction.",
        "rows": ROWS,
        "columns": (MIOU, HOURS),
    }
    return PaperTable.model_validate(settings | changes)


def make_store(tmp_path: Path, table: PaperTable, accuracy: float = 0.9) -> Store:
    store = Store(tmp_path / "out", images=40)
    store.paper = table
    store.add(make_cell("Mine"), accuracy)
    return store


def rendered(store: Store, name: str = "paper") -> list[dict[str, str]]:
    store.describe()
    report.write(store.folder, store.folder.path / "report")
    with (store.folder.path / "report" / "tables" / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def off_by(store: Store) -> float:
    """Return how far the measured score is from the 84.31 reported."""
    return abs(METRICS["mIoU"](store.folder.counts(store.keys[0])) - 0.8431)


def test_a_cell_is_reported_measured_compared_and_judged(tmp_path: Path) -> None:
    store = make_store(tmp_path, paper(tolerance=0.5))
    first, other, unknown, ours = rendered(store)
    measured = METRICS["mIoU"](store.folder.counts(store.keys[0]))
    assert float(first["mIoU: reported_fraction"]) == pytest.approx(0.8431)
    assert float(first["mIoU: measured_fraction"]) == pytest.approx(measured)
    assert float(first["mIoU: difference_fraction"]) == pytest.approx(measured - 0.8431)
    assert float(first["mIoU: difference_low"]) < measured - 0.8431
    assert first["mIoU: verdict"] == "reproduced"
    assert other["mIoU: verdict"] == "not run"
    assert unknown["mIoU: verdict"] == "not run: not a method here"
    assert float(unknown["mIoU: reported_fraction"]) == pytest.approx(0.861)
    assert unknown["GPU hours: reported"] == "≤ 20"
    assert unknown["GPU hours: verdict"] == "not run: not a method here"
    assert first["GPU hours: verdict"] == "not run: no such GPU"
    assert (ours["mIoU: reported_status"], ours["mIoU: verdict"]) == ("–", "not published")


def test_printed_digits_are_kept(tmp_path: Path) -> None:
    store = make_store(tmp_path, paper())
    rendered(store)
    text = (store.folder.path / "report" / "tables" / "paper.md").read_text()
    assert "| GSS-FT | 86.10 | – | – | not run: not a method here |" in text


@pytest.mark.parametrize(
    ("share", "verdict"), [(1.5, "reproduced"), (1.0, "reproduced"), (0.5, "refuted")]
)
def test_the_tolerance_decides(tmp_path: Path, share: float, verdict: str) -> None:
    """The images are the publication's own: how they were drawn is no doubt."""
    store = make_store(tmp_path, paper(), 0.8)
    store.paper = paper(tolerance=share * off_by(store))
    assert rendered(store)[0]["mIoU: verdict"] == verdict


def test_trainings_that_differ_settle_nothing(tmp_path: Path) -> None:
    store = make_store(tmp_path, paper(tolerance=0.001), 0.95)
    for seed, accuracy in ((1, 0.9), (2, 0.8)):
        store.add(make_cell("Mine", seed=seed), accuracy)
    assert rendered(store)[0]["mIoU: verdict"] == "within noise"


def test_another_training_is_not_comparable(tmp_path: Path) -> None:
    training = TRAINING.model_copy(
        update={"initialisation": "imagenet-22k", "masks": "relabelled", "unpublished": "steps"}
    )
    rows = (ROWS[0].model_copy(update={"training": training}),)
    store = make_store(tmp_path, paper(tolerance=1, rows=rows))
    verdict = rendered(store)[0]["mIoU: verdict"]
    for part in (
        "not comparable: training, in what was not published is steps there",
        "training.initialisation is imagenet-22k there, random here",
        "worth 1.6 points of harmonic mean) is relabelled there, original here",
    ):
        assert part in verdict


def test_a_reported_row_says_its_training() -> None:
    with pytest.raises(ValueError, match="says its training"):
        PaperRow(name="GSS-FF", reported={"method": "GSS-FF"}, method="Mine")


def test_a_column_of_single_classes(tmp_path: Path) -> None:
    column = PaperColumn(name="road", metric="precision_camseg", classes=("road",))
    store = make_store(tmp_path, paper(columns=(MIOU, column)))
    counts = store.folder.counts(store.keys[0])
    right, wrong = counts.tp[:, 0].sum(), counts.fp[:, 0].sum()
    row = rendered(store)[0]
    assert float(row["road: measured_fraction"]) == pytest.approx(right / (right + wrong))
    assert row["road: verdict"] == "not published"


def test_other_protocols_are_named(tmp_path: Path) -> None:
    protocol = {"test_on.dataset": "ade20k", "protocol.eval_at": "native"}
    store = make_store(tmp_path, paper(tolerance=1, protocol=protocol))
    verdict = rendered(store)[0]["mIoU: verdict"]
    assert verdict == "not comparable: test_on.dataset is ade20k there, scenes here"


def test_a_limited_run_is_not_comparable(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    store.paper = paper(tolerance=1)
    store.add(make_cell("Mine", limit=12), 0.9)
    assert rendered(store)[0]["mIoU: verdict"] == "not comparable: limit is None there, 12 here"


def test_what_is_missing_is_said_with_its_remedy(tmp_path: Path) -> None:
    store = make_store(tmp_path, paper())
    need = Need(what="ade20k", remedy="fetch it")
    store.unavailable = (Unavailable(cell=make_cell("Other"), needs=(need,)),)
    assert rendered(store)[1]["mIoU: verdict"] == "not run: needs ade20k"
    (row,) = rendered(store, "needs")
    assert row == {"Needed": "ade20k", "Cells": "1", "Remedy": "fetch it"}
    page = (store.folder.path / "report" / "index.html").read_text()
    assert "1 of 2 cells were not run: data or weights are missing." in page
    assert "GSS, table 1: of 6 reported numbers" in page


def test_a_failed_cell_says_so(tmp_path: Path) -> None:
    store = make_store(tmp_path, paper())
    store.fail(make_cell("Other"), "no memory")
    assert rendered(store)[1]["mIoU: verdict"] == "failed"


def test_a_stand_in_is_named_and_never_judged(tmp_path: Path) -> None:
    store = make_store(tmp_path, paper(tolerance=1))
    store.stand_in = "Stand-in: generated scenes in place of ade20k"
    row = rendered(store, "paper-stand-in")[0]
    assert row["mIoU: verdict"] == "stand-in"
    assert row["mIoU: difference_fraction"] == ""
    folder = store.folder.path / "report"
    for text in (folder / "tables" / "paper-stand-in.md", folder / "index.html"):
        assert "Stand-in: generated scenes in place of ade20k" in text.read_text()


def test_files_of_a_stand_in_say_its_share_of_the_steps(tmp_path: Path) -> None:
    store = Store(tmp_path / "out", suite="table-stand-in-5pct", images=40)
    store.paper, store.stand_in = paper(), "Stand-in: trained for 5% of its steps"
    store.add(make_cell("Mine"), 0.9)
    assert rendered(store, "paper-stand-in-5pct")[0]["mIoU: verdict"] == "stand-in"
    written = (store.folder.path / "report" / "tables").iterdir()
    assert all(path.stem.endswith("-stand-in-5pct") for path in written)
    assert "trained for 5% of its steps" in (store.folder.path / "report/index.html").read_text()


def test_a_table_without_any_result_is_shown(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    store.paper = paper()
    assert [row["mIoU: verdict"] for row in rendered(store)][:3] == [
        "not run",
        "not run",
        "not run: not a method here",
    ]


def test_several_test_sets_give_their_harmonic_mean(tmp_path: Path) -> None:
    column = MIOU.model_copy(update={"test_on": ("scenes/city", "scenes/fog")})
    store = make_store(tmp_path, paper(columns=(column,)), 0.9)
    fog = DataRef(dataset="scenes", subset="fog", split="val")
    store.add(make_cell("Mine", test_on=fog), 0.6)
    city, foggy = (METRICS["mIoU"](store.folder.counts(key)) for key in store.keys)
    row = rendered(store)[0]
    harmonic = 2 / (1 / city + 1 / foggy)
    assert float(row["mIoU: measured_fraction"]) == pytest.approx(harmonic)
    assert float(row["mIoU: measured_low"]) < harmonic < float(row["mIoU: measured_high"])


def test_wide_tables_are_cut_and_keep_their_order(tmp_path: Path) -> None:
    names = ("a", "b", "c")
    columns = tuple(MIOU.model_copy(update={"name": name}) for name in names)
    store = make_store(tmp_path, paper(columns=columns))
    assert list(rendered(store, "paper-1")[0])[1] == "a: reported_fraction"
    assert list(rendered(store, "paper-2")[0])[1] == "c: reported_fraction"
