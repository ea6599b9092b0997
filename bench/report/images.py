"""Qualitative grids: image, corrupted image, label and every method's prediction."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from bench.core.schema import CLEAN, IGNORE_INDEX, Condition
from bench.report.block import Block
from bench.store.cells import Preview

WIDTH_PX = 192
"""Wider images are shown at this width, so that a page stays small."""
VOID_COLOUR = (0, 0, 0)
BUDGET_BYTES = 1_500_000
"""Of all pictures of a page together, before base64."""


class Picture(NamedTuple):
    """One picture of a page."""

    caption: str
    media: str
    content: bytes

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return f"data:{self.media};base64,{base64.b64encode(self.content).decode()}"


class Frame(NamedTuple):
    """One image under one condition."""

    severity: int
    pictures: tuple[Picture, ...]


class Strip(NamedTuple):
    """One image of the test set through the severities of one corruption."""

    title: str
    fixed: tuple[Picture, ...]
    """What no severity changes: the clean image, unless it is all there is."""
    frames: tuple[Frame, ...]

    @property
    def size(self) -> int:
        """Bytes of its pictures."""
        shown = [*self.fixed, *(p for frame in self.frames for p in frame.pictures)]
        return sum(len(picture.content) for picture in shown)


def make_strips(block: Block, budget: int = BUDGET_BYTES) -> list[Strip]:
    """Show stored images: severities, then whole strips, are dropped to keep the budget.

    The first image goes through every corruption; further ones are shown clean.
    """
    shown: list[Strip] = []
    for strip in Gallery(block).strips():
        left = budget - sum(each.size for each in shown)
        if strip.size > left:
            strip = strip._replace(frames=strip.frames[-1:])
        if strip.size <= left:
            shown.append(strip)
    return shown


class Gallery:
    """The stored images of a block's first seed, by condition and method."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.previews: dict[tuple[Condition, str], Preview] = {}
        for record in block.finished:
            cell = record.cell
            known = cell.condition == CLEAN or cell.condition in block.conditions
            if cell.task == block.task and known and cell.seed == block.seeds[0]:
                preview = block.folder.preview(record.key)
                if preview is not None:
                    self.previews[cell.condition, cell.label] = preview

    @property
    def shown(self) -> set[Condition]:
        """The conditions of which images are kept."""
        return {condition for condition, _ in self.previews}

    def strips(self) -> Iterator[Strip]:
        """Make the strips: clean images first, then one image a corruption."""
        shown = self.shown
        if CLEAN in shown:
            for index in range(len(self.seen(CLEAN).ids)):
                yield self._strip("clean", (CLEAN,), index)
        for name in self.block.corruptions:
            members = [c for c in self.block.conditions if c.corruption == name and c in shown]
            if members:
                yield self._strip(name.replace("_", " "), members, 0)

    def seen(self, condition: Condition) -> Preview:
        """Return what any method saw under a condition: all saw the same."""
        return next(kept for (at, _), kept in self.previews.items() if at == condition)

    def _strip(self, title: str, members: Sequence[Condition], index: int) -> Strip:
        clean = (
            [CLEAN] if members[0] != CLEAN and any(at == CLEAN for at, _ in self.previews) else []
        )
        fixed = [Picture("image", *photo(self.seen(at).image[index])) for at in clean]
        frames = tuple(self._frame(condition, index) for condition in members)
        name = self.seen(members[0]).ids[index]
        return Strip(f"{title}, image {name}", tuple(fixed), frames)

    def _frame(self, condition: Condition, index: int) -> Frame:
        preview = self.seen(condition)
        seen = "image" if condition == CLEAN else "corrupted image"
        predictions = [
            Picture(label, *paint(self.previews[condition, label].prediction[index], self._palette))
            for label in self.block.labels
            if (condition, label) in self.previews
        ]
        return Frame(
            condition.severity,
            (
                Picture(seen, *photo(preview.image[index])),
                Picture("label", *paint(preview.label[index], self._palette)),
                *predictions,
            ),
        )

    @property
    def _palette(self) -> tuple[tuple[int, int, int], ...]:
        return self.block.finished[0].palette


def photo(image: np.ndarray) -> tuple[str, bytes]:
    """Encode an image uint8 [H, W, 3] as JPEG without chroma subsampling."""
    picture = Image.fromarray(image)
    if picture.width > WIDTH_PX:
        height = round(picture.height * WIDTH_PX / picture.width)
        picture = picture.resize((WIDTH_PX, height), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    picture.save(content, "jpeg", quality=85, subsampling=0, optimize=True)
    return "image/jpeg", content.getvalue()


def paint(label: np.ndarray, palette: Sequence[tuple[int, int, int]]) -> tuple[str, bytes]:
    """Encode a label uint8 [H, W] as PNG with the dataset's colours, void in black."""
    indices = np.where(label == IGNORE_INDEX, len(palette), label).astype(np.uint8)
    picture = Image.fromarray(indices)
    picture.putpalette([part for colour in (*palette, VOID_COLOUR) for part in colour])
    if picture.width > WIDTH_PX:
        height = round(picture.height * WIDTH_PX / picture.width)
        picture = picture.resize((WIDTH_PX, height), Image.Resampling.NEAREST)
    content = io.BytesIO()
    picture.save(content, "png", optimize=True)
    return "image/png", content.getvalue()
