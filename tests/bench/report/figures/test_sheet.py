"""The contact sheet: what is on it, where, and how large it may become."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.core.schema import CLEAN, Condition
from bench.report.figures.sheet import GAP_PX, MARGIN_PX, TITLE_PX, WIDTHS_PX, make_sheet
from bench.report.statistics import Block, make_blocks
from tests.helpers.stores import SIZE, Store, make_cell

CONDITIONS = [Condition(corruption="hue", severity=s) for s in (1, 3, 5)]
CONDITIONS += [Condition(corruption="snow", severity=2)]


@pytest.fixture
def block(tmp_path: Path) -> Block:
    store = Store(tmp_path)
    for condition in (CLEAN, *CONDITIONS):
        store.add(make_cell("GSS-FF", condition), 0.8)
    (block,) = make_blocks(store.folder)
    return block


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def test_thumbnails_stand_in_rows_and_columns(block: Block) -> None:
    sheet = make_sheet(block)
    assert sheet is not None
    picture, width = pixels(sheet.large), WIDTHS_PX[0]
    height = SIZE[0] * width // SIZE[1]
    top = MARGIN_PX + TITLE_PX + GAP_PX
    for column, condition in enumerate((CLEAN, *CONDITIONS[:3])):
        left = MARGIN_PX + column * (width + GAP_PX)
        found = picture[top : top + height, left : left + width].astype(float)
        preview = block.folder.preview(block.of("GSS-FF", condition)[0].key)
        assert preview is not None
        scaled = Image.fromarray(preview.image[0]).resize((width, height), Image.Resampling.LANCZOS)
        assert np.abs(found - np.asarray(scaled)).mean() < 8  # JPEG
    after = MARGIN_PX + 4 * (width + GAP_PX)
    assert (picture[top : top + height, after : after + MARGIN_PX] == 255).all()
    assert "scene-000" in sheet.shown.caption


def test_the_page_gets_what_its_budget_allows(block: Block) -> None:
    whole = make_sheet(block)
    assert whole is not None
    assert whole.shown.content == whole.large
    small = make_sheet(block, budget=len(whole.large) // 2)
    assert small is not None
    assert small.large == whole.large
    assert len(small.shown.content) <= len(whole.large) // 2
    assert small.shown.uri.startswith("data:image/jpeg;base64,")


def test_records_that_do_not_say_their_parameters_have_a_sheet_too(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for condition in (
        Condition(corruption="hue", severity=99),
        Condition(corruption="gone", severity=1),
    ):
        store.add(make_cell("GSS-FF", condition), 0.8)
    assert make_sheet(make_blocks(store.folder)[0]) is not None


def test_no_sheet_of_clean_images(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(make_cell("GSS-FF"), 0.8)
    assert make_sheet(make_blocks(store.folder)[0]) is None
