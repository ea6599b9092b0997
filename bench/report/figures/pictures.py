"""Pictures of a page: what methods see, predict and get wrong, on their worst and best images."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from PIL import Image

from bench.core.schema import CLEAN, IGNORE_INDEX, Condition, Task
from bench.report.selection import Selection
from bench.score.counts import Counts
from bench.store.cells import Preview

WIDTH_PX = 256
"""Wider images are shown at this width, so that a page stays small."""
VOID_COLOUR = (0, 0, 0)
ERROR_PALETTE = ((236, 238, 241), (214, 40, 40), VOID_COLOUR)
"""Of right, wrong and void pixels."""
BUDGET_BYTES = 1_200_000
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

    @property
    def key(self) -> str:
        """A name by its content, under which a page keeps it once."""
        return hashlib.sha256(self.content).hexdigest()[:10]


class Example(NamedTuple):
    """One image under one condition, as one method labels it."""

    label: str
    condition: str
    place: str
    """``worst``, ``median`` or ``best`` of those kept."""
    title: str
    pictures: tuple[Picture, ...]


class Album(NamedTuple):
    """The examples of a page, as many as its budget has."""

    examples: tuple[Example, ...]
    kept: int
    """Images of a cell that examples are picked from."""
    dropped: tuple[str, ...]
    """Conditions without examples here, for size."""

    @property
    def pictures(self) -> dict[str, Picture]:
        """Every picture once, by its key."""
        shown = (picture for example in self.examples for picture in example.pictures)
        return {picture.key: picture for picture in shown}

    @property
    def size(self) -> int:
        """Bytes of all pictures."""
        return sum(len(picture.content) for picture in self.pictures.values())


def make_album(block: Selection, budget: int = BUDGET_BYTES) -> Album | None:
    """Show every method's worst, median and best image, clean and under each corruption.

    Conditions are dropped from the last on to keep the budget.

    Returns:
        None if the block keeps no images.
    """
    gallery = Gallery(block)
    if not gallery.previews:
        return None
    chosen: list[Example] = []
    dropped: list[str] = []
    seen: dict[str, int] = {}
    for condition in gallery.ordered:
        labels = dict.fromkeys((*block.learned, *block.labels))  # the floor last
        examples = [e for label in labels for e in gallery.examples(label, condition)]
        sizes = {p.key: len(p.content) for example in examples for p in example.pictures}
        if sum((seen | sizes).values()) > budget:
            dropped.append(str(condition))
            continue
        chosen += examples
        seen |= sizes
    return Album(tuple(chosen), gallery.kept, tuple(dropped))


class Gallery:
    """The stored images of a block's first seed, by condition, method and task."""

    def __init__(self, block: Selection) -> None:
        self.block = block
        self.previews: dict[tuple[Condition, str, Task], Preview] = {}
        self.keys: dict[tuple[Condition, str, Task], str] = {}
        for record in block.finished:
            cell = record.cell
            shown = cell.task == block.task or (cell.task, cell.condition) == ("reconstruct", CLEAN)
            if shown and cell.seed == block.seeds[0] and self._is_of(cell.condition):
                preview = block.folder.preview(record.key)
                if preview is not None:
                    place = (cell.condition, cell.label, cell.task)
                    self.previews[place], self.keys[place] = preview, record.key

    def _is_of(self, condition: Condition) -> bool:
        return condition == CLEAN or condition in self.block.conditions

    @property
    def shown(self) -> set[Condition]:
        """The conditions of which images are kept."""
        return {condition for condition, _, task in self.previews if task == self.block.task}

    @property
    def ordered(self) -> list[Condition]:
        """Clean images, then the highest severity of each corruption."""
        members = ([c for c in self.block.members(n) if c in self.shown]
                   for n in self.block.corruptions)  # fmt: skip
        highest = [max(each, key=lambda c: c.severity) for each in members if each]
        return [*([CLEAN] if CLEAN in self.shown else []), *highest]

    @property
    def kept(self) -> int:
        """Images of a cell that are kept."""
        return len(next(iter(self.previews.values())).ids)

    def seen(self, condition: Condition) -> Preview:
        """Return what any method saw under a condition: all saw the same."""
        places = (place for place in self.previews if place[0] == condition)
        return self.previews[next(p for p in places if p[2] == self.block.task)]

    def examples(self, label: str, condition: Condition) -> Iterator[Example]:
        """Yield a method's worst, median and best image of those kept."""
        place = (condition, label, self.block.task)
        preview = self.previews.get(place)
        if preview is None:
            return
        scores = self._scores(self.keys[place], preview)
        order = np.argsort(scores, kind="stable")
        picks = {"worst": order[0], "median": order[len(order) // 2], "best": order[-1]}
        for name, index in picks.items():
            title = f"{preview.ids[index]}: mIoU {100 * scores[index]:.1f}%"
            pictures = tuple(self._pictures(label, condition, int(index)))
            yield Example(label, str(condition), name, title, pictures)

    def _scores(self, key: str, preview: Preview) -> np.ndarray:
        """Return each kept image's own mIoU, float64 [n]: absent classes are left out."""
        ids = self.block.finished[0].image_ids
        rows = [ids.index(str(name)) for name in preview.ids]
        return image_scores(self.block.folder.counts(key))[rows]

    def _pictures(self, label: str, condition: Condition, index: int) -> Iterator[Picture]:
        preview = self.previews[condition, label, self.block.task]
        truth, prediction = preview.label[index], preview.prediction[index]
        if self.block.task == "predict":
            if condition != CLEAN and CLEAN in self.shown:
                yield Picture("image", *photo(self.seen(CLEAN).image[index]))
            name = "image" if condition == CLEAN else "corrupted image"
            yield Picture(name, *photo(preview.image[index]))
        yield Picture("truth", *paint(truth, self._palette))
        if self.block.task == "predict":
            decoded = self.previews.get((CLEAN, label, "reconstruct"))
            if decoded is not None and index < len(decoded.ids):
                yield Picture("reconstruction", *paint(decoded.prediction[index], self._palette))
        name = "prediction" if self.block.task == "predict" else "reconstruction"
        yield Picture(name, *paint(prediction, self._palette))
        yield Picture("errors", *paint(errors(truth, prediction), ERROR_PALETTE[:2]))

    @cached_property
    def _palette(self) -> tuple[tuple[int, int, int], ...]:
        return self.block.finished[0].palette


def image_scores(counts: Counts) -> np.ndarray:
    """Return the mIoU of every image by itself, float64 [N]; NaN where all is void."""
    union = (counts.tp + counts.fp + counts.fn).astype(float)
    iou = np.divide(counts.tp, union, out=np.full_like(union, np.nan), where=union > 0)
    present = np.isfinite(iou)
    total = np.where(present, iou, 0).sum(axis=1)
    return np.asarray(np.where(present.any(axis=1), total / np.maximum(1, present.sum(axis=1)), 0))


def errors(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Return where a prediction is wrong, uint8 [H, W]: 0 right, 1 wrong, void kept."""
    return np.where(truth == IGNORE_INDEX, IGNORE_INDEX, truth != prediction).astype(np.uint8)


def photo(image: np.ndarray) -> tuple[str, bytes]:
    """Encode an image uint8 [H, W, 3] as JPEG without chroma subsampling."""
    picture = _narrowed(Image.fromarray(image), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    picture.save(content, "jpeg", quality=82, subsampling=0, optimize=True)
    return "image/jpeg", content.getvalue()


def paint(label: np.ndarray, palette: Sequence[tuple[int, int, int]]) -> tuple[str, bytes]:
    """Encode a label uint8 [H, W] as PNG with the dataset's colours, void in black."""
    indices = np.where(label == IGNORE_INDEX, len(palette), label).astype(np.uint8)
    picture = Image.fromarray(indices)
    picture.putpalette([part for colour in (*palette, VOID_COLOUR) for part in colour])
    picture = _narrowed(picture, Image.Resampling.NEAREST)
    content = io.BytesIO()
    picture.save(content, "png", optimize=True)
    return "image/png", content.getvalue()


def _narrowed(picture: Image.Image, how: Image.Resampling) -> Image.Image:
    if picture.width <= WIDTH_PX:
        return picture
    return picture.resize((WIDTH_PX, round(picture.height * WIDTH_PX / picture.width)), how)
