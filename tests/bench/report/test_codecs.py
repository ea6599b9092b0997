"""Declared contrasts, rates and losses by part, from stored counts."""

import csv
import math
from pathlib import Path

import pytest

from bench import report
from bench.core.manifest import Contrast
from bench.core.schema import CLEAN, Condition
from bench.report.block import Block, make_blocks
from bench.report.codec_plots import rate_distortion
from bench.report.codecs import (
    attribution,
    colourings,
    compare,
    contrast_table,
    others,
    rates,
    verdict,
)
from bench.score.metrics import METRICS
from tests.helpers.stores import Store, make_cell

NOISE = [Condition(corruption="latent_noise", severity=s) for s in (1, 3)]
CODECS = {
    "KL low": (0.90, {"stride": 8, "bits_per_pixel": 0.1, "kl_bits_per_latent": 0.5}),
    "KL high": (0.98, {"stride": 8, "bits_per_pixel": 0.4, "kl_bits_per_latent": 2.0}),
    "VQ": (0.80, {"stride": 8, "bits_per_pixel": 0.2, "codebook_use": 0.5, "perplexity": 9.0}),
}
CONTRASTS = (
    Contrast(name="equal stride", first=("KL high",), second="VQ"),
    Contrast(name="equal rate", first=("KL low", "KL high"), second="VQ"),
)


def fill(output: Path, seeds=(0, 1), contrasts=CONTRASTS) -> Block:
    store = Store(output, suite="codecs")
    for label, (accuracy, measured) in CODECS.items():
        for seed in seeds:
            for condition in (CLEAN, *NOISE):
                cell = make_cell(label, condition, task="reconstruct", seed=seed)
                loss = 0.2 * condition.severity
                record = store.add(cell, accuracy - loss)
                if condition == CLEAN:
                    record = record.model_copy(update={"measured": measured})
                    store.folder.cells.write(record, None, None)
    manifest = store.folder.manifest().model_copy(update={"contrasts": contrasts})
    store.folder.write_manifest(manifest)
    return make_blocks(store.folder)[0]


@pytest.fixture
def block(tmp_path: Path) -> Block:
    return fill(tmp_path)


def test_a_contrast_is_the_paired_difference_of_scores(block: Block) -> None:
    found = compare(block, CONTRASTS[0], "mIoU")
    assert not isinstance(found, str)
    first, second = (block.score(label) for label in ("KL high", "VQ"))
    assert first is not None
    assert second is not None
    assert found.difference.value == first.value - second.value
    assert found.relative.value == pytest.approx(1 - second.value / first.value)
    assert found.difference.interval().low > 0
    assert found.rates == (0.4, 0.2)


def test_equal_rate_is_interpolated_in_the_logarithm_of_the_rate(block: Block) -> None:
    found = compare(block, CONTRASTS[1], "mIoU")
    assert not isinstance(found, str)
    low, high = (block.score(label) for label in ("KL low", "KL high"))
    assert low is not None
    assert high is not None
    assert found.first.value == pytest.approx((low.value + high.value) / 2)
    assert found.rates == (0.2, 0.2)


def test_a_rate_out_of_reach_is_said_and_not_extrapolated(tmp_path: Path) -> None:
    contrast = Contrast(name="equal rate", first=("KL high", "VQ"), second="KL low")
    found = compare(fill(tmp_path, contrasts=(contrast,)), contrast, "mIoU")
    assert found == "KL low has 0.1 bits/pixel, outside the 0.2 to 0.4 of the others"


def test_the_first_paragraph_has_the_numbers_and_what_they_do_not_cover(block: Block) -> None:
    (sentence,) = verdict(block)
    text = "".join(part if isinstance(part, str) else part.phrase for part in sentence)
    assert text.startswith("Equal stride: KL high reconstructs with mIoU ")
    assert "Equal rate: KL low and KL high, interpolated, reconstruct with mIoU" in text
    assert text.count("points") == 2
    assert "generated scenes" in text
    assert text.endswith("released weights and Cityscapes, and any photograph, are not covered.")


def test_a_difference_on_which_trainings_disagree_is_noise(tmp_path: Path) -> None:
    store = Store(tmp_path, suite="codecs")
    for seed, accuracy in enumerate((0.95, 0.9, 0.5)):
        store.add(make_cell("KL", task="reconstruct", seed=seed), accuracy)
        store.add(make_cell("VQ", task="reconstruct", seed=seed), 0.7)
    contrast = Contrast(name="equal stride", first=("KL",), second="VQ")
    manifest = store.folder.manifest().model_copy(update={"contrasts": (contrast,)})
    store.folder.write_manifest(manifest)
    (block,) = make_blocks(store.folder)
    (sentence,) = verdict(block)
    text = "".join(part if isinstance(part, str) else part.phrase for part in sentence)
    assert "within the noise of 12 images and 3 training seeds" in text
    assert "with the variance of 3 training seeds (Student's t)" in block.interval_note


def test_every_stored_score_has_its_line(block: Block) -> None:
    rows = [
        (contrast.name, name, compare(block, contrast, name))
        for contrast in CONTRASTS
        for name in ("mIoU", "precision_camseg")
    ]
    table = contrast_table(block, rows)
    assert [row[0].text for row in table.rows] == ["equal stride"] * 2 + ["equal rate"] * 2
    assert all(row[4].low is not None for row in table.rows)


def test_contrasts_of_predictions_are_said_one_by_one(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for label, accuracy in (("One-shot", 0.8), ("Autoregressive", 0.6)):
        store.add(make_cell(label), accuracy)
    contrast = Contrast(name="order", first=("Autoregressive",), second="One-shot")
    manifest = store.folder.manifest().model_copy(update={"contrasts": (contrast, contrast)})
    store.folder.write_manifest(manifest)
    (block,) = make_blocks(store.folder)
    said = verdict(block)
    assert len(said) == 2
    assert said[0][0] == "Order: Autoregressive has mIoU "
    assert not any("odecs" in part for part in said[0] if isinstance(part, str))


def test_rates_show_what_each_codec_measured(block: Block) -> None:
    table = rates(block)
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
    block = fill(tmp_path)
    page = report.write(block.folder, tmp_path / "report").read_text()
    assert "Rate and distortion" in page
    assert "What perturbed latents cost" in page
    assert "Declared contrasts" in page
    assert "What each corruption leaves" not in page
    assert 'id="scenes-city-scores"' in page
    assert (tmp_path / "report" / "plots" / "rate.png").exists()
    with (tmp_path / "report" / "tables" / "rates.csv").open() as file:
        found = {row["Codec"]: row for row in csv.DictReader(file)}
    assert float(found["VQ"]["Rate (bits/pixel)"]) == 0.2
    assert math.isnan(float(found["VQ"]["KL (bits/latent)"] or "nan"))


def test_what_loses_nothing_is_a_line_among_the_rates(tmp_path: Path) -> None:
    store = Store(tmp_path, suite="codecs")
    for label, (accuracy, rate) in {"Identity": (1.0, 4.0), "VQ": (0.8, 0.5)}.items():
        record = store.add(make_cell(label, task="reconstruct"), accuracy)
        measured = record.model_copy(update={"measured": {"bits_per_pixel": rate}})
        store.folder.cells.write(measured, None, None)
    plot = rate_distortion(make_blocks(store.folder)[0])
    (axis,) = plot.figure.axes
    assert plot.caption.endswith("Dotted: the rate of what loses nothing (Identity).")
    assert [line.get_label() for line in axis.lines] == ["Identity", "VQ"]
    assert axis.get_ylim()[1] < 95
