"""All methods at a glance: one row each, in the order of their clean score."""

from pathlib import Path

from bench.core.schema import CLEAN, Condition
from bench.report.figures.glance import glance, glance_plots
from bench.report.figures.style import styled
from bench.report.statistics import make_blocks
from tests.helpers.stores import FLOOR, Store, make_cell


def test_every_method_has_a_row_and_two_marks(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for label, accuracy in (("A", 0.5), ("B", 0.9), (FLOOR, 0.3)):
        for condition in (CLEAN, Condition(corruption="fog", severity=3)):
            store.add(make_cell(label, condition), accuracy - 0.1 * (condition != CLEAN))
    (block,) = make_blocks(store.folder)
    with styled():
        plot = glance(block)
    axis = plot.figure.axes[0]
    names = [tick.get_text() for tick in axis.get_yticklabels()]
    assert names == [f"{FLOOR} (floor)", "A (–)", "B (–)"]
    assert len(axis.lines) == 12  # an interval and a mark, clean and corrupted, three times
    assert 'aria-label="Clean score and mPC"' in plot.panels[0]


def test_clean_images_alone_have_no_such_figure(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(make_cell("A"), 0.5)
    assert list(glance_plots(make_blocks(store.folder)[0])) == []
