"""Tables for a paper: what they show, and that LaTeX takes them where they are to stand."""

import csv
import io
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.cli.main import main
from bench.core.errors import StoreError
from bench.core.schema import CLEAN, Condition
from bench.report.kit.choice import Choice, paper_table
from bench.store.folders import SuiteFolder
from tests.helpers.made import Made
from tests.helpers.reports import GOOD, WEAK
from tests.helpers.stores import FLOOR, Store, make_cell

needs_latex = pytest.mark.skipif(
    shutil.which("pdflatex") is None and "CI" not in os.environ, reason="needs pdflatex"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SuiteFolder:
    store = Store(tmp_path_factory.mktemp("output"), images=6)
    for label, accuracy in ((FLOOR, 0.3), ("A_1 & B%", 0.8), ("Long name of a method", 0.5)):
        for seed in (0, 1):
            for condition in (CLEAN, Condition(corruption="fog", severity=3)):
                loss = 0.1 * (condition != CLEAN)
                store.add(make_cell(label, condition, seed=seed), accuracy - loss)
    return store.folder


def test_rows_and_columns_are_those_asked_for(folder: SuiteFolder) -> None:
    choice = Choice(metrics=("aAcc", "mPC"), methods=("A_1 & B%", FLOOR))
    rows = list(csv.DictReader(io.StringIO(paper_table(folder, choice, "csv"))))
    assert [row["Method"] for row in rows] == ["A_1 & B%", FLOOR]
    assert "aAcc_fraction" in rows[0]
    assert "mIoU_fraction" not in rows[0]
    assert float(rows[0]["mPC_fraction"]) < float(rows[0]["aAcc_fraction"])
    assert rows[0]["Seeds"] == "2"


def test_by_default_it_shows_what_there_is_with_signatures(folder: SuiteFolder) -> None:
    text = paper_table(folder, Choice())
    head = next(line for line in text.splitlines() if line.startswith("| Method"))
    assert head == "| Method | Family | mIoU ↑ | mPC ↑ | rPC ↑ | Above floor ↑ | Seeds |"
    assert "A_1 & B%: mIoU|data:scenes/city.val|images:6|" in text
    assert "**" in text.split("| Method")[1]  # two trainings each: the best is bold
    assert "[" in text.split("---")[-1]
    assert "[" not in paper_table(folder, Choice(intervals=False)).split("---:")[-1].split("- `")[0]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (Choice(metrics=("mIoO",)), "no metric 'mIoO'; .*mIoU"),
        (Choice(methods=("A",)), "no method 'A'"),
        (Choice(test_set="there"), "no test set 'there'"),
    ],
)
def test_what_is_not_there_is_named(folder: SuiteFolder, choice: Choice, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        paper_table(folder, choice)


def test_the_verb_prints_a_table(folder: SuiteFolder, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--metrics", "mIoU", "--no-intervals", "--format", "tex", "--width", "text"]
    assert main(["table", str(folder.path), *options]) == 0
    text = capsys.readouterr().out
    assert r"\begin{table*}" in text
    assert r"\label{tab:robustness-scores}" in text
    assert r"A\_1 \& B\%" in text


def compiled(folder: Path, tables: list[str]) -> str:
    """Compile tables in a two-column article and return the log."""
    head = ["\\documentclass[twocolumn]{article}", "\\usepackage{array,booktabs,graphicx}"]
    body = ["\\begin{document}", *(f"{table}\\clearpage" for table in tables), "\\end{document}"]
    (folder / "all.tex").write_text("\n".join([*head, *body]))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120)
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log[-2000:]
    return log


@needs_latex
def test_six_tables_fit_a_column_and_the_text(folder: SuiteFolder, tmp_path: Path) -> None:
    choices = [
        Choice(),
        Choice(intervals=False),
        Choice(metrics=("mIoU", "mAcc", "aAcc", "mPC", "above_floor")),
    ]
    tables = [paper_table(folder, c, "tex", w) for c in choices for w in ("column", "text")]
    log = compiled(tmp_path, tables)
    assert "Overfull" not in log
    assert "pages" in log
    # The test can fail: set at its natural width, the widest one leaves its column.
    widest = tables[4].replace(r"\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else", "")
    assert "Overfull" in compiled(tmp_path, [widest.replace(r"\usebox0\fi", r"\usebox0")])


@needs_latex
def test_every_table_of_a_report_compiles(made: Made, tmp_path: Path) -> None:
    tables = sorted((made.destination / "tables").glob("*.tex"))
    labels = [line for t in tables for line in t.read_text().splitlines() if "\\label" in line]
    assert len(set(labels)) == len(tables)
    assert all("{tab:robustness-" in label for label in labels)
    log = compiled(tmp_path, [path.read_text() for path in tables])
    assert "Overfull \\hbox" not in log
    assert {GOOD, WEAK}  # labels with signs that LaTeX minds are among them
