"""The page: its answer, its links, and that it works in a browser without a network."""

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.made import Made
from tests.helpers.reports import GOOD, WEAK
from tests.helpers.stores import FLOOR


def test_page_answers_the_question(page: str) -> None:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.split("<main>")[0]))
    assert "Which method keeps its score?" in text
    assert re.search(r"Undecided, which is best: GSS-FF has mIoU [\d.]+%", text)
    assert "one training each: no rank" in text
    assert "2 of 2 learned methods score above the floor (position_prior, " in text
    assert "Over 4 conditions (2 corruptions), GSS-FF has the highest mPC" in text
    assert "Stand-in data: generated images" in text
    assert page.count("<li>", 0, page.index("<main>")) <= 5


def test_page_needs_no_network(page: str) -> None:
    assert "http://" not in page
    assert "https://" not in page
    links = re.findall(r'(?:href|src)="([^"]*)"', page)
    assert links
    kinds = {link[0] if link[0] == "#" else link.partition("/")[0] for link in links}
    assert kinds == {"#", "data:image", "tables", "plots"}
    assert "@import" not in page
    assert len(page.encode()) < 3_000_000


def test_every_download_is_there(made: Made, page: str) -> None:
    links = set(re.findall(r'href="((?:tables|plots)/[^"]*)"', page))
    assert {link.rpartition(".")[2] for link in links} == {"csv", "md", "tex", "svg", "pdf", "png"}
    assert [link for link in links if not (made.destination / link).exists()] == []


def data_of(page: str, name: str) -> Any:
    found = re.search(rf'<script type="application/json" id="{name}"[^>]*>(.*?)</script>', page)
    assert found is not None
    return json.loads(found[1])


def test_every_number_leads_to_its_cells(page: str) -> None:
    keys = [cell["key"] for cell in data_of(page, "cell-data")["cells"]]
    assert len(keys) == 16
    links = re.findall(r'<a class="n" href="#cell=(\w+)" data-cells="([\d ]+)"', page)
    assert len(links) > 50
    for first, cells in links:
        assert keys[int(cells.split()[0])] == first


def test_provenance_is_on_the_page(page: str) -> None:
    data = data_of(page, "cell-data")
    key = data["cells"][0]["key"]
    facts = dict(data["facts"][number] for number in data["cells"][0]["facts"])
    assert facts["Cell"] == key
    again = "python -m bench verify suites/robustness.yaml --cell"
    assert facts["Compute it again"] == f"{again} {key}"
    assert facts["Signature"].startswith("mIoU|data:scenes/city.val|images:12|")
    for fact in ("0123456789abcdef", "with uncommitted changes", "weightsdigest", "testdata",
                 "torch 2.13", "cpu, 2 threads", "python -m bench run"):  # fmt: skip
        assert fact in page


def test_claims_are_on_the_page(page: str) -> None:
    assert 'id="claims"' in page
    assert "inconsistent in its source" in page
    assert re.search(r"\d+ published statements are tested", page)


EXERCISE = Path(__file__).with_name("exercise.js")


@pytest.mark.skipif(
    shutil.which("chromium") is None and "CI" not in os.environ, reason="needs Chromium"
)
@pytest.mark.parametrize("width", [400, 1400])
def test_page_works_in_a_browser(page: str, tmp_path: Path, width: int) -> None:
    """Sorting, filters, dialogs, permalinks, pictures and names, with no error on the way."""
    result = exercise(page, tmp_path, width)
    assert result["errors"] == []
    assert result["before"] == [GOOD, WEAK, FLOOR]
    assert result["descending"] == [GOOD, WEAK, FLOOR]
    assert result["ascending"] == [FLOOR, WEAK, GOOD]
    assert result["filtered"] == [GOOD]
    assert result["floor"] == [FLOOR]
    assert result["fog"] != result["mean"] == result["again"]
    assert result["dialog"] is True
    assert {"Cell", "Method", "Trained on", "Commit", "Signature"} <= set(result["said"])
    assert result["permalink"] is True
    assert result["enlarged"] is True
    assert result["strips"] == ["worst", "median", "best"]
    assert result["pictures"] == ["image", "truth", "reconstruction", "prediction", "errors"]
    assert result["images"] > 10
    assert result["broken"] == 0
    assert result["requests"] == []
    assert result["overflow"] <= 0
    assert result["order"] is True
    assert result["nameless"] == []
    assert result["scrollers"] == []
    assert result["drawings"] == result["captions"] == 0
    assert result["screens"] <= 6 if width == 1400 else result["screens"] <= 12


def exercise(page: str, folder: Path, width: int) -> Any:
    """Open a page in Chromium, use it, and return what came of it."""
    watch = "<script>failures = []; addEventListener('error', (e) => failures.push(e.message));"
    watch += " console.error = console.warn = (...text) => failures.push(text.join(' '));</script>"
    loaded = f"<script>{EXERCISE.read_text()}</script>"
    page = page.replace("<head>", f"<head>{watch}", 1).replace("</body>", f"{loaded}</body>")
    (folder / "page.html").write_text(page)
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", *quiet,
         f"--window-size={width},900",
         f"--user-data-dir={folder / 'profile'}", "--dump-dom", f"file://{folder}/page.html"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = re.search(r'<pre id="result">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found is not None
    return json.loads(html.unescape(found[1]))
