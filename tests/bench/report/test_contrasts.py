"""Declared contrasts, from stored counts to decisions and sentences."""

from pathlib import Path

import pytest

from bench.core.manifest import Contrast
from bench.report.captions import interval_note
from bench.report.contrasts import answering, compare, contrasts_of, decide_contrasts, told
from bench.report.statistics import Block, make_blocks
from bench.report.tables.table import plain
from bench.score.significance import DecisionVerdict, decide
from tests.helpers.codecs import CONTRASTS, fill_codecs
from tests.helpers.stores import Store, make_cell


def test_a_contrast_is_the_paired_difference_of_scores(codecs: Block) -> None:
    found = compare(codecs, CONTRASTS[0])
    assert not isinstance(found, str)
    first, second = (codecs.score(label) for label in ("KL high", "VQ"))
    assert first is not None
    assert second is not None
    assert found.difference.value == first.value - second.value
    assert found.relative.value == pytest.approx(1 - second.value / first.value)
    assert found.difference.interval().low > 0
    assert found.rates == (0.4, 0.2)


def test_equal_rate_is_interpolated_in_the_logarithm_of_the_rate(codecs: Block) -> None:
    found = compare(codecs, CONTRASTS[1])
    assert not isinstance(found, str)
    low, high = (codecs.score(label) for label in ("KL low", "KL high"))
    assert low is not None
    assert high is not None
    assert found.first.value == pytest.approx((low.value + high.value) / 2)
    assert found.rates == (0.2, 0.2)


def test_a_rate_out_of_reach_is_said_and_not_extrapolated(tmp_path: Path) -> None:
    contrast = Contrast(name="equal rate", first=("KL high", "VQ"), second="KL low")
    block = fill_codecs(tmp_path, contrasts=(contrast,))
    found = compare(block, contrast)
    assert found == "KL low has 0.1 bits/pixel, outside the 0.2 to 0.4 of the others"
    (decided,) = decide_contrasts(block)
    assert decided.decision is None
    assert decided.verdict == DecisionVerdict.UNDECIDED
    assert "no number (KL low has 0.1" in plain(told(block, decided))


def test_all_contrasts_are_decided_together(codecs: Block) -> None:
    decided = decide_contrasts(codecs)
    differences = [d.compared.difference for d in decided if not isinstance(d.compared, str)]
    assert [d.decision for d in decided] == decide(differences)
    text = plain(told(codecs, decided[0]))
    assert text.startswith("KL high reconstructs with mIoU ")
    assert "at 0.4 bits/pixel, VQ " in text
    assert "2 training seeds)" in text
    assert "KL low and KL high, interpolated, reconstruct with mIoU" in plain(
        told(codecs, decided[1])
    )


def test_the_question_is_about_the_marked_contrasts_or_else_about_all(codecs: Block) -> None:
    decided = decide_contrasts(codecs)
    assert answering(decided) == decided
    marked = decided[1]._replace(contrast=CONTRASTS[1].model_copy(update={"answers": True}))
    assert answering([decided[0], marked]) == [marked]


def test_a_suite_that_declares_none_is_about_its_families(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for seed in (0, 1):
        for label, accuracy in (("G", 0.9), ("D", 0.5)):
            store.add(make_cell(label, seed=seed), accuracy)
    (block,) = make_blocks(store.folder)
    assert contrasts_of(block) == ()
    families = {"G": "generative", "D": "discriminative"}
    manifest = store.folder.manifest().model_copy(update={"families": families})
    store.folder.write_manifest(manifest)
    (block,) = make_blocks(store.folder)
    (decided,) = decide_contrasts(block)
    assert decided.contrast.name == "generative minus discriminative, clean"
    assert not isinstance(decided.compared, str)
    assert decided.compared.difference.value > 0


def test_a_contrast_may_be_about_another_metric(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for label, accuracy in (("G", 0.9), ("D", 0.5)):
        store.add(make_cell(label), accuracy)
    (block,) = make_blocks(store.folder)
    found = compare(block, Contrast(name="pixels", first=("G",), second="D", metric="aAcc"))
    assert not isinstance(found, str)
    assert found.first.value == pytest.approx(0.9, abs=0.03)


def test_a_difference_on_which_trainings_disagree_is_undecided(tmp_path: Path) -> None:
    store = Store(tmp_path, suite="codecs")
    for seed, accuracy in enumerate((0.95, 0.9, 0.5)):
        store.add(make_cell("KL", task="reconstruct", seed=seed), accuracy)
        store.add(make_cell("VQ", task="reconstruct", seed=seed), 0.7)
    contrast = Contrast(name="equal stride", first=("KL",), second="VQ")
    manifest = store.folder.manifest().model_copy(update={"contrasts": (contrast,)})
    store.folder.write_manifest(manifest)
    (block,) = make_blocks(store.folder)
    (decided,) = decide_contrasts(block)
    assert decided.verdict == DecisionVerdict.UNDECIDED
    assert "with the variance of 3 training seeds (Student's t)" in interval_note(block)
