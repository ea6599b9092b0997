"""Reliability: lines go through the bins' confidence and accuracy."""

from pathlib import Path

import pytest

from bench.report.figures.calibration import calibration_plots
from bench.report.figures.style import looks, styled
from bench.report.statistics import make_blocks
from tests.helpers.reports import CONFIDENCE, GOOD, WEAK, fill
from tests.helpers.stores import Store, make_cell


def test_a_method_is_drawn_at_its_confidence_and_accuracy(tmp_path: Path) -> None:
    folder, _ = fill(tmp_path)
    families = {GOOD: "discriminative", WEAK: "generative"}  # whose lines differ
    folder.write_manifest(folder.manifest().model_copy(update={"families": families}))
    (block,) = make_blocks(folder)
    with styled():
        (plot,) = calibration_plots(block)
    clean, corrupted = plot.figure.axes
    titles = [axis.get_title(loc="left").partition(",")[0] for axis in (clean, corrupted)]
    assert titles == ["clean", "corrupted"]
    accuracies = []
    for axis in (clean, corrupted):
        lines = {line.get_label(): line for line in axis.lines}
        assert WEAK not in lines
        assert lines[GOOD].get_color() == looks(block)[GOOD].colour
        assert lines[GOOD].get_xdata() == pytest.approx([100 * CONFIDENCE[GOOD]])
        accuracies.append(float(lines[GOOD].get_ydata()[0]))
    assert accuracies[0] > accuracies[1]


def test_without_probabilities_there_is_no_plot(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(make_cell(GOOD), 0.8)
    (block,) = make_blocks(store.folder)
    assert list(calibration_plots(block)) == []
