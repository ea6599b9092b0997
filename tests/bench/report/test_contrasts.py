"""Declared contrasts, from stored counts to sentences."""

from pathlib import Path

import pytest

from bench.core.manifest import Contrast
from bench.report.captions import interval_note
from bench.report.contrasts import compare, verdict
from bench.report.statistics import Block, make_blocks
from tests.helpers.codecs import CONTRASTS, fill_codecs
from tests.helpers.stores import Store, make_cell


def test_a_contrast_is_the_paired_difference_of_scores(codecs: Block) -> None:
    found = compare(codecs, CONTRASTS[0], "mIoU")
    assert not isinstance(found, str)
    first, second = (codecs.score(label) for label in ("KL high", "VQ"))
    assert first is not None
    assert second is not None
    assert found.difference.value == first.value - second.value
    assert found.relative.value == pytest.approx(1 - second.value / first.value)
    assert found.difference.interval().low > 0
    assert found.rates == (0.4, 0.2)


def test_equal_rate_is_interpolated_in_the_logarithm_of_the_rate(codecs: Block) -> None:
    found = compare(codecs, CONTRASTS[1], "mIoU")
    assert not isinstance(found, str)
    low, high = (codecs.score(label) for label in ("KL low", "KL high"))
    assert low is not None
    assert high is not None
    assert found.first.value == pytest.approx((low.value + high.value) / 2)
    assert found.rates == (0.2, 0.2)


def test_a_rate_out_of_reach_is_said_and_not_extrapolated(tmp_path: Path) -> None:
    contrast = Contrast(name="equal rate", first=("KL high", "VQ"), second="KL low")
    found = compare(fill_codecs(tmp_path, contrasts=(contrast,)), contrast, "mIoU")
    assert found == "KL low has 0.1 bits/pixel, outside the 0.2 to 0.4 of the others"


def test_the_first_paragraph_has_the_numbers_and_what_they_do_not_cover(codecs: Block) -> None:
    (sentence,) = verdict(codecs)
    text = "".join(part if isinstance(part, str) else part.phrase for part in sentence)
    assert text.startswith("Equal stride: KL high reconstructs with mIoU ")
    assert "Equal rate: KL low and KL high, interpolated, reconstruct with mIoU" in text
    assert text.count("points") == 2
    assert "trained here on scenes/city (generated)." in text
    assert text.endswith("Released weights, Cityscapes and photographs are not covered.")


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
    assert "with the variance of 3 training seeds (Student's t)" in interval_note(block)


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
