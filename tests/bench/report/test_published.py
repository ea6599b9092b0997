"""Published curves beside measured ones: which point is whose, and what stands in the table."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from bench import report
from bench.claims.reported import PAPERS, Reported, load_reported
from bench.core.manifest import Published
from bench.core.schema import CLEAN, Condition, Protocol
from bench.corruptions import CATALOGUE, GROUPS, SEVERITIES
from bench.corruptions.catalogue.camseg import CAMSEG, OTHER_READINGS
from bench.engine.facts import condition_facts
from bench.report.published import PublishedReading, read_curve
from bench.score.metrics import METRICS
from tests.helpers.stores import SIZE, Store, make_cell

SELECTION = Published(paper="cam_seg", method="CAM-Seg MAR-base", metric="AP")
PROTOCOL = Protocol(resize=SIZE, metrics=("precision_camseg", "mIoU"))


def read(
    name: str, severity: int, numbers: list[Reported], selection: Published = SELECTION
) -> PublishedReading | None:
    facts = condition_facts(Condition(corruption=name, severity=severity))
    assert facts is not None
    return read_curve(facts.curve, numbers, selection)


@pytest.fixture(scope="module")
def numbers() -> list[Reported]:
    return load_reported(PAPERS)


def test_every_point_of_every_curve_is_reached(numbers: list[Reported]) -> None:
    reached: Counter[str] = Counter()
    for name in GROUPS["camseg"]:
        for severity in SEVERITIES[name]:
            found = read(name, severity, numbers)
            assert found is not None, f"{name} {severity}"
            assert found.clean.row["table"] == found.corrupted.row["table"]
            assert found.clean is not found.corrupted
            reached |= Counter([found.corrupted.row["setting"], found.clean.row["setting"]])
    settings = {
        number.row["setting"]
        for number in numbers
        if number.paper == "cam_seg" and number.row["metric"] == "AP" and number.row["setting"]
    }
    assert set(reached) == settings


@pytest.mark.parametrize(
    ("name", "severity", "corrupted", "clean"),
    [
        ("camseg_salt_pepper", 6, 53.9, 70.3),
        ("camseg_salt_then_pepper", 6, 53.9, 70.3),
        ("camseg_motion_blur", 2, 68.4, 70.3),
        ("camseg_gaussian_blur_k3", 5, 66.9, 70.2),
        ("camseg_saturation", 1, 61.2, 70.3),
        ("camseg_hue", 1, 58.9, 70.3),
    ],
)
def test_the_point_is_the_one_in_the_figure(
    numbers: list[Reported], name: str, severity: int, corrupted: float, clean: float
) -> None:
    found = read(name, severity, numbers)
    assert found is not None
    assert found.share == pytest.approx(corrupted / clean)
    low, high = found.extent
    assert low < found.share < high
    off = found.corrupted.plus_minus * 100
    assert low == pytest.approx((corrupted - off) / (clean + 100 * found.clean.plus_minus))


def test_what_was_not_published_has_no_reading(numbers: list[Reported]) -> None:
    assert read("fog", 1, numbers) is None
    assert read("hue", 5, numbers) is None  # 0.2 too, but of another definition
    assert read_curve(None, numbers, SELECTION) is None
    other = SELECTION.model_copy(update={"paper": "gss"})
    assert read("camseg_hue", 1, numbers, other) is None
    less = [n for n in numbers if n.row["setting"] != "hue factor=0"]
    assert read("camseg_hue", 1, less) is None


def test_table_has_both_shares(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.primary, store.published = "precision_camseg", SELECTION
    conditions = [Condition(corruption=c, severity=1) for c in ("camseg_hue", "fog")]
    records = {
        condition: store.add(make_cell("GSS-FF", condition, protocol=PROTOCOL), accuracy)
        for condition, accuracy in zip((CLEAN, *conditions), (0.9, 0.7, 0.5), strict=True)
    }
    page = report.write(store.folder, tmp_path / "report").read_text()
    with (tmp_path / "report" / "tables" / "published.csv").open() as file:
        hue, fog = csv.DictReader(file)
    metric = METRICS["precision_camseg"]
    scores = {c: metric(store.folder.counts(r.key)) for c, r in records.items()}
    for row, condition in ((hue, conditions[0]), (fog, conditions[1])):
        share = scores[condition] / scores[CLEAN]
        assert float(row["GSS-FF_fraction"]) == pytest.approx(share)
        assert float(row["GSS-FF_low"]) < share < float(row["GSS-FF_high"])
    column = f"Published: {SELECTION.method}"
    assert float(hue[f"{column}_fraction"]) == pytest.approx(58.9 / 70.3)
    assert hue["Parameter"] == "fraction of the circle: -0.2"
    assert fog[f"{column}_status"] == "not published"
    for part in ("Cityscapes val", "demo/hue.png", "a stand-in", "precision_camseg"):
        assert part in page
    assert (tmp_path / "report" / "plots" / "published.svg").exists()


def test_curves_are_of_corruptions_that_have_them() -> None:
    with_curve = {name for name, entry in CATALOGUE.items() if entry.curve is not None}
    assert with_curve == {entry.name for entry in (*CAMSEG, *OTHER_READINGS)}
