import csv
import io

import numpy as np
import pytest

from bench.report.kit.latex import escape, latex
from bench.report.tables.table import Entry, Table, number, p_value, plain
from bench.score.significance import decide
from bench.score.stats import Estimate, mean_over_seeds

SCORE = Estimate(0.5432, np.linspace(0.5, 0.6, 101), ("k1",), (0.5432,))
SEEDS = mean_over_seeds([SCORE, Estimate(0.6, np.linspace(0.55, 0.65, 101), ("k2",))], [0, 1])


def table(*rows: tuple[Entry, ...]) -> Table:
    columns = ("Method", "mIoU ↑", "over floor")[: len(rows[0])]
    return Table("scores", "Clean", "Of a_b.", columns, rows)


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (number(SCORE), "54.3 [50.3, 59.7]"),
        (number(SCORE, interval=False), "54.3"),
        (number(SEEDS, interval=False), "57.2 ± 4.0"),
        (number(SCORE - SEEDS, "points"), "−2.8 [−38.9, +33.2]"),
        (Entry(unit="points", value=0.03), "+3.0"),
        (Entry(unit="points", value=-0.0002), "0.0"),
        (number(None), "not run"),
        (number(None, missing="failed"), "failed"),
        (Entry(unit="percent", value=float("nan"), text="absent"), "absent"),
        (Entry(unit="percent", value=float("nan")), "–"),
        (Entry(unit="count", value=1234567), "1,234,567"),
        (Entry(unit="seconds", value=1.25), "1.2"),
        (Entry("0.04", "p", 0.04), "0.04"),
    ],
)
def test_text_of_an_entry(entry: Entry, text: str) -> None:
    assert str(entry) == text


def test_a_p_value_is_the_decisions() -> None:
    difference = SEEDS - SEEDS
    (decision,) = decide([difference])
    assert p_value(decision, difference).number == decision.p_text
    alone = SCORE - SCORE  # of one training: no p value
    entry = p_value(decide([alone])[0], alone)
    assert (entry.value, entry.number) == (None, "–")


def test_a_difference_has_the_interval_by_which_it_is_decided() -> None:
    difference = SEEDS - SEEDS
    entry = number(difference, "points")
    assert (entry.low, entry.high) == tuple(decide([difference])[0].interval)


def test_a_sentence_as_text() -> None:
    assert plain(("A has ", number(SCORE), ".")) == "A has 54.3% [50.3, 59.7]."


def test_csv_holds_full_precision_fractions() -> None:
    rows = read_csv(table((Entry("A"), number(SEEDS)), (Entry("B"), number(None))).csv())
    assert list(rows[0]) == [
        "Method",
        "mIoU_fraction",
        "mIoU_low",
        "mIoU_high",
        "mIoU_sd_over_seeds",
        "mIoU_status",
    ]
    assert float(rows[0]["mIoU_fraction"]) == SEEDS.value
    assert (float(rows[0]["mIoU_low"]), float(rows[0]["mIoU_high"])) == SEEDS.interval()
    assert rows[1]["mIoU_fraction"] == ""
    assert [row["mIoU_status"] for row in rows] == ["ok", "not run"]


def test_latex_escapes_and_bold() -> None:
    text = latex(table((Entry("A_1 & B% {x}~^$#\\"), number(SCORE, best=True))), "a suite")
    assert r"\label{tab:a-suite-scores}" in text
    row = next(line for line in text.splitlines() if "scriptsize" in line)
    assert row == (
        r"A\_1 \& B\% \{x\}\textasciitilde{}\textasciicircum{}\$\#\textbackslash{}"
        r" & \textbf{54.3} {\scriptsize [50.3, 59.7]} \\"
    )
    assert r"mIoU $\uparrow$" in text
    assert r"\caption{\textbf{Clean.} Of a\_b.}" in text
    for rule in ("toprule", "midrule", "bottomrule"):
        assert rf"\{rule}" in text


def test_minus_and_spread_are_latex() -> None:
    assert escape("−2.8 ± 1.0") == r"$-$2.8 $\pm$ 1.0"


def test_markdown() -> None:
    text = table((Entry("A|B"), number(SCORE, best=True))).markdown()
    assert text.splitlines() == [
        "**Clean.** Of a_b.",
        "",
        "| Method | mIoU ↑ |",
        "| --- | ---: |",
        "| A\\|B | **54.3** [50.3, 59.7] |",
    ]


def test_table_without_rows() -> None:
    empty = Table("x", "X", "None.", ("Method", "mIoU"), ())
    assert empty.csv() == "Method,mIoU\n"
    assert "Method & mIoU" in latex(empty, "s")
