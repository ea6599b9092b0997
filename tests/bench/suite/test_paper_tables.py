"""The page of papers' tables and figures is complete, and its suites are what it says."""

import re
from pathlib import Path

import pytest

from bench.claims.reported import PAPERS, load_reported
from bench.suite.reading import read_suite

PAGE = Path("docs/paper_tables.md").read_text()
SECTIONS = {"gss": "GSS", "cam_seg": "CAM-Seg", "seg_var": "Seg-VAR"}
NOT_TABLES = {"README", "abstract", "validation.ipynb", "methods/gss", "fudan-zvg/GSS",
              "openai/DALL-E", "8, iterations"}  # fmt: skip
"""Places of reported numbers that are no table of their own."""


def items(paper: str) -> dict[str, str]:
    """Return a paper's tables and figures, and what the page says of each."""
    section = PAGE.split(f"## {SECTIONS[paper]} (", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return {row[0]: row[2] for row in rows[2:]}


def suites(text: str) -> list[Path]:
    names = re.findall(r"`([a-z0-9_]+)`", text)
    return [path for name in names for path in Path("suites").rglob(f"{name}.yaml")]


def test_every_table_and_figure_of_gss_is_listed() -> None:
    expected = [f"Table {n}" for n in range(1, 10)] + [f"Figure {n}" for n in range(1, 15)]
    assert list(items("gss")) == expected


def test_every_curve_of_cam_seg_is_listed() -> None:
    rows = [n.row["table"] for n in load_reported(PAPERS) if n.paper == "cam_seg"]
    curves = {re.sub(r"demo/(.*)\.png", r"Figure \1", table) for table in rows if "demo" in table}
    assert len(curves) == 8
    assert curves <= items("cam_seg").keys()


@pytest.mark.parametrize("paper", SECTIONS)
def test_every_table_of_reported_numbers_is_listed(paper: str) -> None:
    tables = {n.row["table"] for n in load_reported(PAPERS) if n.paper == paper} - NOT_TABLES
    tables = {t for t in tables if not t.startswith(("section", "appendix", "demo/"))}
    assert {f"Table {t}" if t.isdigit() else t for t in tables} <= items(paper).keys()


@pytest.mark.parametrize("paper", SECTIONS)
def test_every_item_has_a_suite_or_says_why_not(paper: str) -> None:
    for item, text in items(paper).items():
        names = re.findall(r"`([a-z0-9_]+)`", text)
        assert len(suites(text)) == len(names), (item, text)
        assert names or text.startswith("none: "), item


@pytest.mark.parametrize("paper", SECTIONS)
def test_a_tables_suites_repeat_it(paper: str) -> None:
    for item, text in items(paper).items():
        table = item.removeprefix("Table ")
        if item.startswith("Table ") or item in ("main(semantic)", "main(panoptic)", "ablation"):
            for path in suites(text):
                repeated = read_suite(path).suite.paper
                assert repeated is not None, path
                assert (repeated.name, repeated.table) == (paper, table), path


def test_every_suite_of_a_paper_is_on_the_page() -> None:
    for path in Path("suites/papers").glob("*.yaml"):
        assert f"`{path.stem}`" in PAGE, path


def test_every_reported_number_of_a_table_has_its_place() -> None:
    """GSS's tables are repeated in full: every number is in some suite's row and column."""
    from bench.suite.published_table import find_cell

    shown = set()
    numbers = load_reported(PAPERS)
    for path in Path("suites/papers").glob("gss_table*.yaml"):
        paper = read_suite(path).suite.paper
        assert paper is not None
        for row in paper.rows:
            for column in paper.columns:
                found = find_cell(numbers, paper, row, column)
                shown |= {(n.row["table"], n.row["method"], n.row["backbone"], n.row["dataset"],
                           n.row["metric"]) for n in found}  # fmt: skip
    printed = {
        (n.row["table"], n.row["method"], n.row["backbone"], n.row["dataset"], n.row["metric"])
        for n in numbers
        if n.paper == "gss" and n.row["table"].isdigit()
    }
    assert printed - shown == set()
