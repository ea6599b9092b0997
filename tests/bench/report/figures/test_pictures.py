"""Pictures of a page: which images, what is shown of each, and how large all are together."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.core.schema import CLEAN, IGNORE_INDEX, Condition
from bench.report.figures.pictures import (
    ERROR_PALETTE,
    WIDTH_PX,
    errors,
    image_scores,
    make_album,
    paint,
    photo,
)
from bench.report.statistics import Block, make_blocks
from tests.helpers.stores import Store, make_cell

FOG = [Condition(corruption="fog", severity=s) for s in (1, 3)]


@pytest.fixture
def block(tmp_path: Path) -> Block:
    store = Store(tmp_path)
    for condition in (CLEAN, *FOG):
        store.add(make_cell("GSS-FF", condition), 0.8)
    store.add(make_cell("GSS-FF", task="reconstruct"), 0.95)
    store.add(make_cell("SegFormer"), 0.6)
    return make_blocks(store.folder)[0]


def test_the_worst_the_median_and_the_best_of_the_kept_images_are_shown(block: Block) -> None:
    album = make_album(block)
    assert album is not None
    of_gss = [e for e in album.examples if (e.label, e.condition) == ("GSS-FF", "clean")]
    assert [e.place for e in of_gss] == ["worst", "median", "best"]
    scores = image_scores(block.counts(block.of("GSS-FF")[0].key))[: album.kept]
    titles = [float(e.title.partition("mIoU ")[2].rstrip("%")) for e in of_gss]
    assert titles[0] == pytest.approx(100 * scores.min(), abs=0.06)
    assert titles[2] == pytest.approx(100 * scores.max(), abs=0.06)
    captions = [picture.caption for picture in of_gss[0].pictures]
    assert captions == ["image", "truth", "reconstruction", "prediction", "errors"]


def test_corrupted_images_stand_beside_the_clean_one_at_the_highest_severity(block: Block) -> None:
    album = make_album(block)
    assert album is not None
    conditions = {example.condition for example in album.examples}
    assert conditions == {"clean", "fog 3"}
    foggy = next(e for e in album.examples if e.condition == "fog 3")
    assert [p.caption for p in foggy.pictures][:2] == ["image", "corrupted image"]


def test_what_is_left_out_for_size_is_said(block: Block) -> None:
    whole = make_album(block)
    assert whole is not None
    clean = {p.key: len(p.content) for e in whole.examples if e.condition == "clean"
             for p in e.pictures}  # fmt: skip
    small = make_album(block, budget=sum(clean.values()))
    assert small is not None
    assert small.dropped == ("fog 3",)
    assert small.size <= sum(clean.values()) < whole.size


def test_pages_of_codecs_show_reconstructions(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(make_cell("VQ", task="reconstruct"), 0.9)
    album = make_album(make_blocks(store.folder)[0])
    assert album is not None
    shown = [picture.caption for picture in album.examples[0].pictures]
    assert shown == ["truth", "reconstruction", "errors"]


def test_errors_are_where_truth_and_prediction_differ() -> None:
    truth = np.array([[0, 1, IGNORE_INDEX]], np.uint8)
    assert errors(truth, np.array([[0, 2, 1]], np.uint8)).tolist() == [[0, 1, IGNORE_INDEX]]
    _, content = paint(errors(truth, np.array([[0, 2, 1]], np.uint8)), ERROR_PALETTE[:2])
    colours = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    assert [tuple(colour) for colour in colours[0]] == list(ERROR_PALETTE)


def test_wide_pictures_are_narrowed() -> None:
    _, content = photo(np.zeros((8, 4 * WIDTH_PX, 3), np.uint8))
    assert Image.open(io.BytesIO(content)).size == (WIDTH_PX, 2)
