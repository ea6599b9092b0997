"""The page: its answer, its links, and that it works in a browser without a network."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers.reports import GOOD, WEAK
from tests.helpers.stores import FLOOR


def test_page_answers_the_question(page: str) -> None:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))
    assert "Which method keeps its score?" in text
    assert re.search(
        r"On clean images of scenes/city \(generated\), GSS-FF has the highest mIoU", text
    )
    assert re.search(r"GSS-FF&#39;s codec ceiling is [\d.]+% .*?; it reaches [\d.]+%", text)
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
