"""What the plots of codecs draw."""

from pathlib import Path

from bench.core.schema import Condition
from bench.report.figures.codecs import latents, rate_distortion
from bench.report.statistics import Block, make_blocks
from tests.helpers.stores import Store, make_cell


def test_what_loses_nothing_is_a_line_among_the_rates(tmp_path: Path) -> None:
    store = Store(tmp_path, suite="codecs")
    for label, (accuracy, rate) in {"Identity": (1.0, 4.0), "VQ": (0.8, 0.5)}.items():
        record = store.add(make_cell(label, task="reconstruct"), accuracy)
        measured = record.model_copy(update={"measured": {"bits_per_pixel": rate}})
        store.folder.cells.write(measured, None, None)
    plot = rate_distortion(make_blocks(store.folder)[0])
    (axis,) = plot.figure.axes
    assert plot.caption.endswith("Dotted: the rate of a codec without loss (Identity).")
    assert [line.get_label() for line in axis.lines] == ["Identity", "VQ"]
    assert axis.get_ylim()[1] < 95


def test_perturbations_are_drawn_at_the_strengths_that_the_records_say(codecs: Block) -> None:
    (axis,) = latents(codecs).figure.axes
    assert {tuple(line.get_xdata()) for line in axis.lines} == {(0.0, 0.1, 0.5)}
    facts = codecs.facts(Condition(corruption="latent_noise", severity=3))
    assert facts is not None
    assert facts.parameters[0][1] == 0.5
