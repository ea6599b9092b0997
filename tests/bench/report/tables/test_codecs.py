"""Rates and losses by part, from stored counts."""

import csv
import math
from pathlib import Path

import pytest

from bench import report
from bench.report.statistics import Block, make_blocks
from bench.report.tables.codecs import attribution, colourings, others, rates
from bench.score.metrics import METRICS
from tests.helpers.codecs import CODECS, fill_codecs
from tests.helpers.stores import Store, make_cell


def test_rates_show_what_each_codec_measured(codecs: Block) -> None:
    table = rates(codecs)
    assert [row[0].text for row in table.rows] == list(CODECS)
    at = table.columns.index("KL (bits/latent)")
    assert [row[at].number for row in table.rows] == ["0.5", "2", "–"]
    assert [row[-1].value for row in table.rows] == [1234] * 3


def test_what_is_measured_of_colours_has_a_table_of_its_own(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (latents, colours) = ({"stride": 8, "bits_per_pixel": 0.4}, {"least distance": 35.5})
    for label, measured in (("GSS", latents | colours), ("VQ", latents)):
        record = store.add(make_cell(label, task="reconstruct"), 0.9)
        store.folder.cells.write(record.model_copy(update={"measured": measured}), None, None)
    (block,) = make_blocks(store.folder)
    assert others(block) == {"GSS": colours, "VQ": {}}
    assert rates(block).columns == ("Codec", "mIoU ↑", "Stride", "Rate (bits/pixel)", "Parameters")
    table = colourings(block)
    assert table.columns == ("Measured", "GSS")
    assert [[entry.number for entry in row[1:]] for row in table.rows] == [["35.5"]]


@pytest.mark.parametrize("parts", [("codec", "prediction"), ("codec", "predictor", "decoding")])
def test_the_parts_of_a_loss_add_up(tmp_path: Path, parts: tuple[str, ...]) -> None:
    store = Store(tmp_path)
    store.add(make_cell("GSS"), 0.6)
    store.add(make_cell("GSS", task="reconstruct"), 0.9)
    if "decoding" in parts:
        store.add(make_cell("GSS", task="oracle_codes"), 0.75)
    block = make_blocks(store.folder)[0]
    table = attribution(block)
    assert table.columns == ("Class", *(f"GSS: {part}" for part in parts))
    score = METRICS["mIoU"](store.folder.counts(block.of("GSS")[0].key))
    for row, iou in zip(table.rows, [score, *block.classes("GSS")], strict=True):
        lost = [entry.value for entry in row[1:]]
        assert all(loss is not None and loss < 0 for loss in lost)
        assert 1 + sum(loss for loss in lost if loss is not None) == pytest.approx(iou)


def test_a_page_of_codecs_alone(tmp_path: Path) -> None:
    block = fill_codecs(tmp_path)
    page = report.write(block.folder, tmp_path / "report").read_text()
    assert "Rate and distortion" in page
    assert "Scores under perturbed latents" in page
    assert "Declared contrasts" in page
    assert "Share of the clean score per corruption" not in page
    assert 'id="scores"' in page
    assert (tmp_path / "report" / "plots" / "rate.png").exists()
    with (tmp_path / "report" / "tables" / "rates.csv").open() as file:
        found = {row["Codec"]: row for row in csv.DictReader(file)}
    assert float(found["VQ"]["Rate (bits/pixel)"]) == 0.2
    assert math.isnan(float(found["VQ"]["KL (bits/latent)"] or "nan"))
