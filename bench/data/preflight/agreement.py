"""Do labels belong to their images? Where classes meet, images change; mostly.

Each label is laid over its own image, over other images of the sample, and over its own image
mirrored, turned and moved. The score of such a pair is the mean gradient of the image on the
label's edges, divided by the mean elsewhere. On CamVid it is 2.4 to 2.7 for true pairs and 1.1
to 1.5 for all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from bench.core.schema import IGNORE_INDEX
from bench.data.files.raw import Encoding
from bench.data.preflight.finding import Finding
from bench.data.preflight.reading import PicturedSample

_BETTER = 1.25
"""Another way to lay labels over images must score this much higher to be taken for the truth,
and true pairs this much higher than pairs of different images."""
_DOUBTFUL = 1.0
"""A picture is named if its label scores no higher on it than on other images, times this."""
_STRUCTURE = 0.6
"""Spread of the gradient by its mean: 0.3 in noise, 0.7 in fog, above 1 in most photographs. Below
this, an image has no edges that a label could follow."""
_LEAST_EDGE = 30
_LEAST_HEIGHT = 40
"""Pixels; labels with less are not judged."""
_OTHERS = 4
_MOST_NAMES = 3

_TURNED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mirrored": lambda gradient: gradient[:, ::-1],
    "upside down": lambda gradient: gradient[::-1],
    "turned by 180 degrees": lambda gradient: gradient[::-1, ::-1],
}


class _Edges(NamedTuple):
    """Where the classes of a label meet, and where they do not."""

    on: np.ndarray  # bool [h, w]
    off: np.ndarray  # bool [h, w]

    def score(self, gradient: np.ndarray) -> float:
        """Return how much steeper the image is on the edges."""
        if gradient.shape != self.on.shape:
            gradient = cv2.resize(gradient, self.on.shape[::-1], interpolation=cv2.INTER_AREA)
        return float(gradient[self.on].mean() / max(float(gradient[self.off].mean()), 1e-6))


def check_agreement(pictures: Sequence[PicturedSample], encoding: Encoding) -> Iterator[Finding]:
    """Compare where labels and images change.

    Labels that are mirrored, turned or moved, or of other images altogether, are wrong; a
    single picture whose label fits others as well is worth a note.
    """
    judged = [
        (picture, edges)
        for picture in pictures
        if (edges := _edges(picture, encoding)) is not None and _has_structure(picture.gradient)
    ]
    if len(judged) < 2:
        text = "not judged: fewer than two images with edges and classes that meet"
        yield Finding("edges", "ok", text)
        return
    own = [edges.score(picture.gradient) for picture, edges in judged]
    others = [_other_score(judged, index) for index in range(len(judged))]
    yield _verdict(judged, own, others)
    doubtful = [
        (own[index] / others[index], picture)
        for index, (picture, _) in enumerate(judged)
        if own[index] <= _DOUBTFUL * others[index]
    ]
    if doubtful and np.mean(own) > _BETTER * np.mean(others):
        names = [picture.label_name for _, picture in sorted(doubtful, key=lambda entry: entry[0])]
        text = f"{', '.join(names[:_MOST_NAMES])}: fits other images as well as its own"
        more = f" ({len(names)} of {len(judged)} do)" if len(names) > 1 else ""
        yield Finding("edges", "note", f"{text}{more}; look at it beside its image")


def _verdict(
    judged: Sequence[tuple[PicturedSample, _Edges]], own: Sequence[float], others: Sequence[float]
) -> Finding:
    here, elsewhere = float(np.mean(own)), float(np.mean(others))
    turned = {
        name: float(np.mean([edges.score(turn(p.gradient)) for p, edges in judged]))
        for name, turn in {**_TURNED, **_moves()}.items()
    }
    best = max(turned, key=lambda name: turned[name])
    if turned[best] > _BETTER * max(here, elsewhere):
        text = f"labels seem to be {best} against their images: laid so, images change "
        text += f"{turned[best]:.1f} times as much where classes meet as elsewhere, and as they "
        text += f"are {here:.1f} times; first is {judged[0][0].label_name}"
        return Finding("edges", "wrong", f"{text}; put the labels right, or load them again")
    if here < _BETTER * elsewhere:
        worst = int(np.argmin(own))
        text = "labels seem to be of other images: where their classes meet, their own images "
        text += f"change {here:.1f} times as much as elsewhere, and other images "
        text += f"{elsewhere:.1f} times; look at {judged[worst][0].label_name}"
        return Finding("edges", "wrong", f"{text} and restore which label is of which image")
    text = f"images change {here:.1f} times as much where classes meet as elsewhere"
    return Finding("edges", "ok", f"{text} ({elsewhere:.1f} under labels of other images)")


def _other_score(judged: Sequence[tuple[PicturedSample, _Edges]], index: int) -> float:
    """Return a label's mean score on other images, spread over the sample."""
    count = len(judged)
    steps = {max(1, round(count * part / (_OTHERS + 1))) for part in range(1, _OTHERS + 1)}
    edges = judged[index][1]
    scores = [
        edges.score(judged[(index + step) % count][0].gradient) for step in steps if step < count
    ]
    return float(np.mean(scores))


def _moves() -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Return moves by a twentieth and a tenth of the image to each side."""

    def move(axis: int, part: float) -> Callable[[np.ndarray], np.ndarray]:
        return lambda gradient: np.roll(gradient, round(part * gradient.shape[axis]), axis=axis)

    return {
        f"moved {direction} by about {part:.0%}": move(axis, sign * part)
        for part in (0.05, 0.1)
        for direction, axis, sign in (
            ("down", 0, 1),
            ("up", 0, -1),
            ("right", 1, 1),
            ("left", 1, -1),
        )
    }


def _edges(picture: PicturedSample, encoding: Encoding) -> _Edges | None:
    """Return where a label's classes meet, void left out; None if that is nowhere."""
    if picture.values.shape[0] < _LEAST_HEIGHT:
        return None
    table = np.full(257, IGNORE_INDEX)  # its last place is OUTSIDE's
    for value, meaning in encoding.items():
        table[value] = meaning
    label = table[picture.values]
    known = label != IGNORE_INDEX
    on = np.zeros(label.shape, bool)
    for first, second in (
        (np.s_[1:, :], np.s_[:-1, :]),
        (np.s_[:, 1:], np.s_[:, :-1]),
    ):
        meet = (label[first] != label[second]) & known[first] & known[second]
        on[first] |= meet
        on[second] |= meet
    off = known & ~on
    return _Edges(on, off) if min(on.sum(), off.sum()) >= _LEAST_EDGE else None


def _has_structure(gradient: np.ndarray) -> bool:
    return bool(gradient.std() > _STRUCTURE * gradient.mean() > 0)
