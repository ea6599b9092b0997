"""The contact sheet: one image under every corruption and severity that was run."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bench.core.schema import CLEAN, Condition
from bench.report.captions import data_note
from bench.report.figures.pictures import Gallery, Picture
from bench.report.selection import Selection

SLUG = "sheet"
BUDGET_BYTES = 700_000
"""Before base64, and at most: what the whole catalogue needs at a width of 96."""
WIDTHS_PX = (192, 160, 128, 96, 64)
"""Of a thumbnail: the widest that keeps the budget is used."""
MARGIN_PX, GAP_PX = 12, 6
TITLE_PX, VALUES_PX = 13, 10
"""Heights of letters: above a row, below a thumbnail."""
PAPER, INK, SOFT = "#ffffff", "#10131a", "#5a6472"

Row = Sequence[tuple[str, np.ndarray]]
"""Thumbnails uint8 [H, W, 3] with what is written below each."""


class Sheet(NamedTuple):
    """A contact sheet, twice."""

    shown: Picture
    """For the page, within its budget."""
    large: bytes
    """JPEG with the widest thumbnails."""


def make_sheet(block: Selection, budget: int = BUDGET_BYTES) -> Sheet | None:
    """Draw one row per corruption: the clean image, then one thumbnail per severity.

    Returns:
        None if the block keeps no image of a corrupted condition.
    """
    gallery = Gallery(block)
    kept = {condition: gallery.seen(condition) for condition in gallery.shown}
    rows = _rows(block, {condition: preview.image[0] for condition, preview in kept.items()})
    if not rows:
        return None
    sheets = [content := _encode(_draw(rows, WIDTHS_PX[0]))]
    for width in WIDTHS_PX[1:]:
        if len(content) <= min(budget, BUDGET_BYTES):
            break
        sheets.append(content := _encode(_draw(rows, width)))
    name = next(kept[condition].ids[0] for condition in block.conditions if condition in kept)
    caption = (
        f"{data_note(block)} Image {name} as the methods see it, one row per corruption: the clean"
        " image, then each severity with its parameter values, in the order named above the row."
    )
    return Sheet(Picture(caption, "image/jpeg", sheets[-1]), sheets[0])


def _rows(block: Selection, images: Mapping[Condition, np.ndarray]) -> dict[str, Row]:
    """Return the thumbnails of each corruption, by what is written above them."""
    rows: dict[str, Row] = {}
    clean = [("clean", images[CLEAN])] if CLEAN in images else []
    for name in block.corruptions:
        members = [condition for condition in block.members(name) if condition in images]
        if members:
            facts = block.facts(members[0])
            parameters = "; ".join(parameter for parameter, _ in facts.parameters) if facts else ""
            title = f"{name}: {parameters}" if parameters else name
            rows[title] = [*clean, *((_below(block, c), images[c]) for c in members)]
    return rows


def _below(block: Selection, condition: Condition) -> str:
    """Write a severity and the values of its parameters."""
    facts = block.facts(condition)
    if facts is None:
        return str(condition.severity)
    values = ", ".join(f"{value:g}" for _, value in facts.parameters)
    return f"{condition.severity} ({values})"


def _draw(rows: Mapping[str, Row], width: int) -> Image.Image:
    """Put the rows below each other on white, thumbnails at a width in pixels."""
    drawn = [_draw_row(title, row, width) for title, row in rows.items()]
    size = (max(row.width for row in drawn), sum(row.height for row in drawn))
    sheet = Image.new("RGB", (size[0] + 2 * MARGIN_PX, size[1] + 2 * MARGIN_PX), PAPER)
    top = MARGIN_PX
    for row in drawn:
        sheet.paste(row, (MARGIN_PX, top))
        top += row.height
    return sheet


def _draw_row(title: str, row: Row, width: int) -> Image.Image:
    """Draw the title, the thumbnails, and what stands below them in as many lines as needed."""
    above, below = (ImageFont.load_default(size) for size in (TITLE_PX, VALUES_PX))
    letters = int(width / below.getlength("0"))
    texts = ["\n".join(textwrap.wrap(text, letters)) for text, _ in row]
    lines = 1 + max(text.count("\n") for text in texts)
    height = max(round(image.shape[0] * width / image.shape[1]) for _, image in row)
    across = max(len(row) * (width + GAP_PX), int(above.getlength(title)) + 1)
    down = TITLE_PX + GAP_PX + height + (lines + 1) * (VALUES_PX + 4)
    picture = Image.new("RGB", (across, down), PAPER)
    pen = ImageDraw.Draw(picture)
    pen.text((0, 0), title, INK, above)
    top = TITLE_PX + GAP_PX
    for column, (text, (_, image)) in enumerate(zip(texts, row, strict=True)):
        left = column * (width + GAP_PX)
        thumbnail = Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS)
        picture.paste(thumbnail, (left, top))
        pen.multiline_text((left, top + height + 2), text, SOFT, below, spacing=2)
    return picture


def _encode(sheet: Image.Image) -> bytes:
    content = io.BytesIO()
    sheet.save(content, "jpeg", quality=85, subsampling=0, optimize=True)
    return content.getvalue()
