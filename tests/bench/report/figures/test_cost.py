"""Cost against quality: where each method is drawn."""

from pathlib import Path

import pytest

from bench.report.figures.cost import QUANTITIES, cost_plots
from bench.report.figures.style import looks, styled
from bench.report.statistics import make_blocks
from tests.helpers.reports import COSTS, GOOD, WEAK, fill


def test_each_method_is_at_its_cost_and_score(tmp_path: Path) -> None:
    folder, _ = fill(tmp_path)
    (block,) = make_blocks(folder)
    with styled():
        (plot,) = cost_plots(block)
    assert len(plot.panels) == len(QUANTITIES)
    assert "12 x 24 pixels" in plot.caption
    for axis in plot.figure.axes:
        points = {line.get_label(): line for line in axis.lines if line.get_linestyle() == "None"}
        for label in (GOOD, WEAK):
            score = block.score(label)
            assert score is not None
            assert points[label].get_color() == looks(block)[label].colour
            assert points[label].get_xdata()[0] == QUANTITIES[axis.get_title(loc="left")](
                COSTS[label]
            )
            assert points[label].get_ydata()[0] == pytest.approx(100 * score.value)
        assert axis.get_xscale() == "log"


def test_one_cost_is_no_comparison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(COSTS, WEAK)
    folder, _ = fill(tmp_path)
    (block,) = make_blocks(folder)
    assert list(cost_plots(block)) == []
