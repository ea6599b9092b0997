"""What a bootstrap draws: images, whole sequences, or blocks of consecutive frames.

Images of one sequence resemble each other. Drawn one by one they count as more evidence than
they are, so whole sequences are drawn where there are enough of them, and long blocks of
consecutive frames where there are not.

Resamples are drawn from the number of units alone, so two calls on the same images use the same
ones, and replicates of different methods and conditions are paired.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np

from bench.core.seeding import key, numpy_generator
from bench.score.counts import Counts

RESAMPLES = 10_000
MIN_CLUSTERS = 10
"""With fewer sequences than this a bootstrap over sequences says nothing; blocks are drawn."""
_BLOCK_FLOATS = 2_000_000  # bounds the memory of one batch of resamples to about 16 MB


class Resampling(NamedTuple):
    """How the images of a test set are drawn anew."""

    unit: Literal["image", "sequence", "block"]
    sequences: tuple[str, ...]
    """Of each image, in the data set's order."""
    drawn: int
    """How many units a resample has; the bootstrap's degrees of freedom are one fewer."""
    length: int = 1
    """Consecutive frames of a block."""

    def candidates(self, parts: np.ndarray) -> np.ndarray:
        """Sum what is counted per image, float64 [N, F], over every unit, float64 [U, F].

        Blocks start at every frame and go on from the end of a sequence at its beginning, so
        that all frames are drawn equally often (circular block bootstrap: Politis & Romano
        1992, in Exploring the Limits of Bootstrap, pages 263-270). No block joins two sequences.
        """
        if self.unit == "image":
            return parts
        members = _members(self.sequences)
        if self.unit == "sequence":
            return np.stack([parts[index].sum(axis=0) for index in members])
        return np.concatenate([_circular_sums(parts[index], self.length) for index in members])

    @property
    def note(self) -> str:
        """What is drawn, for a caption."""
        if self.unit == "image":
            return f"{self.drawn} images"
        sequences = len(set(self.sequences))
        if self.unit == "sequence":
            return f"{sequences} sequences ({len(self.sequences)} images)"
        plural = "sequence" if sequences == 1 else "sequences"
        return (
            f"{self.drawn} blocks of {self.length} consecutive frames, as the"
            f" {len(self.sequences)} images come from only {sequences} {plural}"
        )


def resampling(sequences: Sequence[str]) -> Resampling:
    """Choose what to draw, given the sequence of each image in the data set's order.

    Fewer than ten sequences are cut into about ten blocks, whatever the data set's size: the
    longer a block, the weaker the correlation between blocks, and with ten of them Student's t
    still has a usable number of degrees of freedom (the method of batch means: Schmeiser 1982,
    Operations Research 30, which recommends 10 to 30 batches). Such intervals are about frames
    like those of these sequences; what other sequences would change is not in them.
    """
    images, different = len(sequences), len(set(sequences))
    if different == images:
        return Resampling("image", tuple(sequences), images)
    if different >= MIN_CLUSTERS:
        return Resampling("sequence", tuple(sequences), different)
    length = math.ceil(images / MIN_CLUSTERS)
    return Resampling("block", tuple(sequences), math.ceil(images / length), length)


class Resampled(Protocol):
    """A score of summed parts, as ``Metric`` is one."""

    def parts(self, counts: Counts) -> np.ndarray:
        """Return what is summed over images, float64 [N, F]."""
        ...

    def of_parts(self, summed: np.ndarray) -> np.ndarray:
        """Return scores float64 [...] from summed parts float64 [..., F]."""
        ...


def replicates(
    metric: Resampled,
    cells: Sequence[Counts],
    clusters: Resampling | Sequence[str] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> np.ndarray:
    """Bootstrap a data-set-level metric of several cells on the same images.

    Images, or whole clusters of correlated images, are drawn with replacement; the
    counts of the drawn ones are summed and scored anew, which is what the metric does
    with the data set itself.

    Args:
        metric: what to score.
        cells: counts of the same N images, in the same order.
        clusters: of each image, the sequence or city it is drawn together with; or which
            units are drawn.
        resamples: R.
        seed: another set of resamples for another seed.

    Returns:
        float64 [len(cells), R], column r of every row from the same images.

    Raises:
        ValueError: if the cells hold different numbers of images.
    """
    sizes = {counts.num_images for counts in cells}
    if len(sizes) != 1:
        raise ValueError(f"cells of {sorted(sizes)} images cannot be paired")
    images = sizes.pop()
    plan = _plan(clusters, images)
    parts = np.stack([plan.candidates(metric.parts(counts)) for counts in cells])
    count, units, width = parts.shape
    # float64 holds sums of pixel counts exactly, whatever order a BLAS adds them in
    flat = parts.transpose(1, 0, 2).reshape(units, count * width)
    blocks = ("blocks", plan.drawn) if plan.unit == "block" else ()
    generator = numpy_generator(key("bootstrap", seed, units, resamples, *blocks))
    batch = max(1, _BLOCK_FLOATS // max(units, count * width))
    scores = np.empty((count, resamples))
    for start in range(0, resamples, batch):
        stop = min(start + batch, resamples)
        summed = (_weights(generator, stop - start, units, plan.drawn) @ flat).reshape(
            -1, count, width
        )
        scores[:, start:stop] = metric.of_parts(summed).T
    return scores


def _plan(clusters: Resampling | Sequence[str] | None, images: int) -> Resampling:
    """Return what to draw: whole clusters where they are given by name, images without."""
    if isinstance(clusters, Resampling):
        return clusters
    if clusters is None:
        return Resampling("image", (), images)
    return Resampling("sequence", tuple(clusters), len(set(clusters)))


def _weights(generator: np.random.Generator, rows: int, units: int, drawn: int) -> np.ndarray:
    """Draw how often each unit is in each resample, float64 [rows, units]."""
    chosen = generator.integers(units, size=(rows, drawn)) + units * np.arange(rows)[:, None]
    return np.bincount(chosen.ravel(), minlength=rows * units).reshape(rows, units).astype(float)


def _members(sequences: Sequence[str]) -> list[np.ndarray]:
    """Return the images of each sequence by their numbers, sequences in alphabetic order."""
    names, member = np.unique(np.asarray(sequences), return_inverse=True)
    return [np.flatnonzero(member == index) for index in range(len(names))]


def _circular_sums(parts: np.ndarray, length: int) -> np.ndarray:
    """Sum ``length`` rows from each row on, going on at the first after the last."""
    rows = len(parts)
    repeated = np.tile(parts, (1 + math.ceil(length / rows), 1))
    total = np.concatenate([np.zeros((1, parts.shape[1])), np.cumsum(repeated, axis=0)])
    return np.asarray(total[length : length + rows] - total[:rows])
