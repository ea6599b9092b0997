"""From stored counts to the files of a report."""

import csv
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from bench import report
from bench.core.errors import StoreError
from bench.core.schema import CLEAN, Condition, DataRef, Record
from bench.score.metrics import METRICS
from bench.store.cells import StageFolder
from bench.store.folders import SuiteFolder
from tests.helpers.stores import CLASSES, Store, make_cell, predict

FLOOR, GOOD, WEAK = "position_prior", "GSS-FF", "A_1 & B%"
CONDITIONS = [Condition(corruption=c, severity=s) for c in ("fog", "motion_blur") for s in (1, 3)]
BROKEN = CONDITIONS[-1]
CHANGED = CONDITIONS[1]

Key = tuple[str, str, str]
"""File, row and column of one place in the CSV tables."""


def fill(output: Path) -> tuple[SuiteFolder, dict[tuple[str, Condition], Record]]:
    store, records = Store(output, reference=FLOOR), {}
    for label, clean, loss in ((FLOOR, 0.3, 0.0), (GOOD, 0.9, 0.1), (WEAK, 0.6, 0.05)):
        for condition in (CLEAN, *CONDITIONS):
            cell = make_cell(label, condition)
            if (label, condition) == (WEAK, BROKEN):
                store.fail(cell, "Diverged: loss 'ce' is nan <at> step 7")
            else:
                accuracy = clean - loss * condition.severity
                records[label, condition] = store.add(cell, accuracy)
    store.add(make_cell(GOOD, task="reconstruct"), 0.95)
    stage = StageFolder(output, f"stage-{GOOD}")
    stage.path.mkdir(parents=True)
    lines = [
        {"step": step, "loss": {"ce": 3 / step}, "lr": 1e-3, "seconds": 1.0} for step in (1, 9)
    ]
    stage.log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    stage.finish({"stage": {"name": "prior"}})
    return store.folder, records


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Path, dict[tuple[str, Condition], Record]]:
    """The output folder, the report's folder and the finished records."""
    output = tmp_path_factory.mktemp("output")
    destination = tmp_path_factory.mktemp("report")
    folder, records = fill(output)
    report.write(folder, destination)
    return output, destination, records


@pytest.fixture(scope="module")
def page(made: tuple[Path, Path, object]) -> str:
    return (made[1] / "index.html").read_text()


def read_tables(destination: Path) -> dict[Key, str]:
    places = {}
    for path in sorted((destination / "tables").glob("*.csv")):
        with path.open() as file:
            for row in csv.DictReader(file):
                keys = [
                    name
                    for name in ("Method", "Class", "Pair", "Score", "Corruption", "Severity")
                    if name in row
                ]
                name = " ".join(row[key] for key in keys)
                for column, value in row.items():
                    places[path.stem, name, column] = value
    return places


def iou_by_hand(truth: np.ndarray, predicted: np.ndarray) -> list[float]:
    valid = truth != 255
    return [
        float(((truth == k) & (predicted == k)).sum())
        / float((((truth == k) | (predicted == k)) & valid).sum())
        for k in range(len(CLASSES))
    ]


def test_cells_equal_hand_counts(
    made: tuple[Path, Path, dict[tuple[str, Condition], Record]],
) -> None:
    _, destination, records = made
    truth = Store(destination / "unused").truth
    places = read_tables(destination)
    scores = {}
    for (label, condition), record in records.items():
        accuracy = dict(((FLOOR, (0.3, 0.0)), (GOOD, (0.9, 0.1)), (WEAK, (0.6, 0.05))))[label]
        predicted = predict(truth, accuracy[0] - accuracy[1] * condition.severity, str(record.cell))
        scores[label, condition] = iou = iou_by_hand(truth, predicted)
        if condition == CLEAN:
            assert float(places["scores", label, "mIoU_fraction"]) == pytest.approx(np.mean(iou))
            for name, value in zip(CLASSES, iou, strict=True):
                place = places["classes", name, f"{label}_fraction"]
                assert float(place) == pytest.approx(value)
        else:
            row = f"{condition.corruption} {condition.severity}"
            place = places["conditions", row, f"{label}_fraction"]
            assert float(place) == pytest.approx(np.mean(iou))
    mean = {key: np.mean(iou) for key, iou in scores.items()}
    corrupted = np.mean([mean[GOOD, condition] for condition in CONDITIONS])
    found = {name: float(places["robustness", GOOD, f"{name}_fraction"]) for name in ("mPC", "rPC")}
    assert found["mPC"] == pytest.approx(corrupted)
    assert found["rPC"] == pytest.approx(corrupted / mean[GOOD, CLEAN])
    retained = mean[GOOD, CHANGED] / mean[GOOD, CLEAN]
    assert float(places["retention", "fog 3", f"{GOOD}_fraction"]) == pytest.approx(retained)
    ratios, beyond = [], []
    for name in ("fog", "motion_blur"):
        severities = [condition for condition in CONDITIONS if condition.corruption == name]
        error = {label: sum(1 - mean[label, c] for c in severities) for label in (GOOD, FLOOR)}
        extra = {
            label: error[label] - sum(1 - mean[label, CLEAN] for _ in severities)
            for label in (GOOD, FLOOR)
        }
        ratios.append(error[GOOD] / error[FLOOR])
        beyond.append(extra[GOOD] / extra[FLOOR])
        assert float(places["errors", GOOD, f"{name}_fraction"]) == pytest.approx(ratios[-1])
    assert float(places["errors", GOOD, "mCE_fraction"]) == pytest.approx(np.mean(ratios))
    relative = float(places["errors", GOOD, "relative mCE_fraction"])
    assert relative == pytest.approx(np.mean(beyond))
    assert float(places["errors", FLOOR, "mCE_fraction"]) == pytest.approx(1)
    lead = mean[GOOD, CLEAN] - mean[FLOOR, CLEAN]
    assert float(places["scores", GOOD, "mIoU over floor_fraction"]) == pytest.approx(lead)


def test_unchanged_results_are_not_reported_twice(
    made: tuple[Path, Path, dict[tuple[str, Condition], Record]],
) -> None:
    output, destination, _ = made
    written = (destination / "index.html").stat().st_mtime_ns
    report.write(SuiteFolder(output / "robustness"), destination)
    assert (destination / "index.html").stat().st_mtime_ns == written


def test_failed_cell_shows_everywhere(made: tuple[Path, Path, object], page: str) -> None:
    places = read_tables(made[1])
    assert places["failures", WEAK, "Error"] == "Diverged: loss 'ce' is nan <at> step 7"
    assert places["conditions", "motion_blur 3", f"{WEAK}_status"] == "failed"
    assert places["robustness", WEAK, "mPC_status"] == "failed"
    assert places["robustness", GOOD, "mPC_status"] == "ok"
    assert "1 of 16 cells failed." in page
    assert "is nan &lt;at&gt; step 7" in page


def test_ceiling_is_reported(made: tuple[Path, Path, object]) -> None:
    places = read_tables(made[1])
    share = float(places["ceilings", GOOD, "Share of ceiling_fraction"])
    ceiling = float(places["ceilings", GOOD, "Ceiling_fraction"])
    assert share == pytest.approx(float(places["scores", GOOD, "mIoU_fraction"]) / ceiling)
    assert ("ceilings", WEAK, "Ceiling_fraction") not in places


def test_page_answers_the_question(page: str) -> None:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))
    assert "Which method keeps its score?" in text
    assert re.search(
        r"On uncorrupted images of scenes/city \(generated scenes\), GSS-FF has the highest", text
    )
    assert "All 2 learned methods beat the floor (position_prior, " in text
    assert "Over 4 conditions (2 corruptions), GSS-FF has the highest mPC" in text
    assert "Stand-in data: generated images" in text
    assert "absent classes are left out of the mean" in text


def test_page_needs_no_network(page: str) -> None:
    assert "http://" not in page
    assert "https://" not in page
    links = re.findall(r'(?:href|src)="([^"]*)"', page)
    assert links
    assert {link[:1] if link[0] == "#" else link[:5] for link in links} == {"#", "data:"}
    assert "@import" not in page
    assert len(page.encode()) < 3_000_000


def test_every_number_leads_to_its_cells(page: str) -> None:
    anchors = set(re.findall(r'id="(cell-\d+)"', page))
    assert len(anchors) == 16
    links = re.findall(r'<a class="n" href="#(cell-\d+)" data-cells="([\d ]+)"', page)
    assert len(links) > 50
    for first, cells in links:
        assert first in anchors
        assert {f"cell-{cell}" for cell in cells.split()} <= anchors


def test_provenance_is_on_the_page(page: str) -> None:
    for fact in ("0123456789abcdef", "with uncommitted changes", "weightsdigest", "testdata",
                 "torch 2.13", "cpu, 2 threads", "python -m bench run"):  # fmt: skip
        assert fact in page


def test_plots_are_written_and_repeatable(made: tuple[Path, Path, object], tmp_path: Path) -> None:
    output, destination, _ = made
    names = {path.name for path in (destination / "plots").iterdir()}
    assert names == {
        f"{plot}.{ending}"
        for plot in ("degradation", "heat_map", "training")
        for ending in ("png", "svg")
    } | {"sheet.jpg"}
    assert "GSS-FF: prior" in (destination / "index.html").read_text()


def test_limit_and_example_are_stamped(tmp_path: Path) -> None:
    store = Store(tmp_path, images=3)
    store.add(make_cell(GOOD, limit=3), 0.9)
    text = report.write(store.folder, tmp_path / "report", example=True).read_text()
    assert "Limited: only the first 3 images" in text
    assert "Example page" in text
    assert "--limit 3" in (tmp_path / "report" / "tables" / "scores.md").read_text()


def test_several_test_sets_and_seeds(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for subset in ("city", "night"):
        for seed in (0, 1):
            where = DataRef(dataset="scenes", subset=subset, split="val")
            store.add(make_cell(GOOD, test_on=where, seed=seed), 0.8 + seed / 20)
    page = report.write(store.folder, tmp_path / "report").read_text()
    assert re.search(r"<li>scenes/night: GSS-FF <span", page)
    tables = {path.stem for path in (tmp_path / "report" / "tables").glob("*.md")}
    assert {"overview", "scenes-city-scores"} <= tables
    assert "scenes-night-scores" in tables
    rows = (tmp_path / "report" / "tables" / "scenes-city-scores.csv").read_text()
    assert "mIoU_sd_over_seeds" in rows
    assert " ± " in (tmp_path / "report" / "tables" / "overview.md").read_text()


def test_all_cells_failed_is_still_a_report(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.fail(make_cell(GOOD), "no memory")
    text = report.write(store.folder, tmp_path / "report").read_text()
    assert "1 of 1 cells failed" in text


def test_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="bench run"):
        report.write(SuiteFolder(tmp_path / "robustness"), tmp_path / "report")


def test_different_images_are_refused(tmp_path: Path) -> None:
    store = Store(tmp_path, images=4)
    store.add(make_cell(GOOD), 0.9)
    store.truth = store.truth[:3]
    store.add(make_cell(WEAK), 0.8)
    with pytest.raises(StoreError, match="scored different images"):
        report.write(store.folder, tmp_path / "report")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_every_table_compiles_under_pdflatex(
    made: tuple[Path, Path, object], tmp_path: Path
) -> None:
    tables = sorted((made[1] / "tables").glob("*.tex"))
    head = ["\\documentclass{article}", "\\usepackage{array,booktabs}", "\\begin{document}"]
    body = [f"{path.read_text()}\\clearpage" for path in tables]
    (tmp_path / "all.tex").write_text("\n".join([*head, *body, "\\end{document}"]))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert f"({len(tables)} pages" in log


def test_ranks_and_variance_are_reported(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for label, accuracy in ((GOOD, 0.9), (WEAK, 0.5)):
        for seed in (0, 1):
            for sampling in (0, 1):
                cell = make_cell(label, seed=seed, sampling_seed=sampling)
                store.add(cell, accuracy + seed / 50)
    report.write(store.folder, tmp_path / "report")
    tables = tmp_path / "report" / "tables"
    ranks, variance = (
        list(csv.DictReader((tables / f"{name}.csv").read_text().splitlines()))
        for name in ("ranks", "variance")
    )
    assert [row["Method"] for row in ranks] == [GOOD, WEAK]
    assert [row["95% ranks"] for row in ranks] == ["1", "2"]
    assert [float(row["Rank 1_fraction"]) for row in ranks] == [1, 0]
    for row in variance:
        assert (row["Training seeds"], row["Sampling seeds"]) == ("2", "2")
        assert all(0 <= float(row[f"From {name}_fraction"]) < 0.1 for name in
                   ("training", "sampling", "images"))  # fmt: skip
        assert float(row["From training_fraction"]) > 0


def test_what_the_images_can_tell_is_said(made: tuple[Path, Path, object], page: str) -> None:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))
    told = re.search(r"These 12 images tell differences of ([\d.]+) points or more", text)
    assert told is not None
    assert "Trained with one seed: what another would change is in no interval here." in text
    caption = (made[1] / "tables" / "scores.md").read_text().splitlines()[0]
    assert f"tell differences from {told[1]} points on" in caption
    assert "cannot tell 68.0 from 68.1" in caption


def test_definitions_name_who_published_which(made: tuple[Path, Path, object]) -> None:
    with (made[1] / "tables" / "definitions.csv").open() as file:
        rows = {row["Score"]: row for row in csv.DictReader(file)}
    assert rows.keys() == METRICS.keys()
    for paper, name in (("GSS", "mIoU"), ("MSeg", "mIoU_mseg"), ("CAM-Seg", "precision_camseg"),
                        ("Seg-VAR", "mIoU_detectron2")):  # fmt: skip
        assert rows[name]["Published"].startswith(paper)
    assert all(row["Absent"] for row in rows.values())
    assert rows["iIoU"][f"{GOOD}_status"] == "not stored"
    assert float(rows["boundary_IoU"][f"{GOOD}_fraction"]) > 0


def test_every_table_of_scores_names_its_policy_for_absent_classes(
    made: tuple[Path, Path, object],
) -> None:
    for path in (made[1] / "tables").glob("*.md"):
        if path.stem not in ("cost", "failures", "claims", "findings"):
            assert re.search(r"[Aa]bsent (classes )?.*(left out|count as 0|no weight)",
                             path.read_text()), path.stem  # fmt: skip


def test_claims_are_on_the_page(page: str) -> None:
    assert 'id="claims"' in page
    assert "inconsistent in its source" in page
    assert re.search(r"\d+ published statements are tested", page)


EXERCISE = """
<script>
const method = document.querySelector("#scenes-city-scores tbody");
const names = () => [...method.rows].map((row) => row.cells[0].textContent);
const button = document.querySelectorAll("#scenes-city-scores th button")[1];
const result = {errors: window.failures, before: names()};
button.click(); result.descending = names();
button.click(); result.ascending = names();
document.querySelector("a.n").click();
result.dialog = document.getElementById("source").open;
result.facts = document.querySelectorAll("#source dl dt").length;
result.said = [...document.querySelectorAll("#source dl dt")].map((name) => name.textContent);
const slider = document.querySelector(".strip input");
slider.value = 0; slider.dispatchEvent(new Event("input"));
result.frames = [...slider.closest(".strip").querySelectorAll(".frame")].map((f) => f.hidden);
result.broken = [...document.images].filter((image) => !image.naturalWidth).length;
result.images = document.images.length;
const requests = performance.getEntriesByType("resource").map((entry) => entry.name);
result.requests = requests.filter((name) => !name.startsWith("data:"));
result.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
document.body.innerHTML = `<pre id="result">${JSON.stringify(result)}</pre>`;
</script>
"""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
@pytest.mark.parametrize("width", [400, 1400])
def test_page_works_in_a_browser(page: str, tmp_path: Path, width: int) -> None:
    """Sorting, the provenance dialog, sliders and pictures, with no error on the way."""
    watch = "<script>failures = []; addEventListener('error', (e) => failures.push(e.message));"
    watch += " console.error = console.warn = (...text) => failures.push(text.join(' '));</script>"
    loaded = EXERCISE.replace("<script>", '<script>addEventListener("load", () => {', 1)
    loaded = loaded.replace("</script>", "});</script>")
    page = page.replace("<head>", f"<head>{watch}", 1).replace("</body>", f"{loaded}</body>")
    (tmp_path / "page.html").write_text(page)
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", *quiet,
         f"--window-size={width},900",
         f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", f"file://{tmp_path}/page.html"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = re.search(r'<pre id="result">(.*?)</pre>', done.stdout)
    assert found is not None
    result = json.loads(found[1].replace("&amp;", "&"))
    assert result["errors"] == []
    assert result["before"] == [FLOOR, GOOD, WEAK]
    assert result["descending"] == [GOOD, WEAK, FLOOR]
    assert result["ascending"] == [FLOOR, WEAK, GOOD]
    assert result["dialog"] is True
    assert result["facts"] > 5
    assert {"Cell", "Method", "Trained on", "Commit", "Command"} <= set(result["said"])
    assert len(set(result["said"])) == len(result["said"])
    assert result["frames"] == [False, True]
    assert result["images"] > 10
    assert result["broken"] == 0
    assert result["requests"] == []
    assert result["overflow"] <= 0
