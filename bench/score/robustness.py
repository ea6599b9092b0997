"""What a score becomes under corruptions: mPC, rPC, and the share above the floor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bench.score.stats import Estimate, combine, mean


def mpc(scores: Mapping[str, Sequence[Estimate]]) -> Estimate:
    """Return the mean performance under corruption (arXiv:1907.07484 equation 1).

    Args:
        scores: of one method, by corruption, one per severity.
    """
    return mean([mean(severities) for severities in scores.values()])


def rpc(corrupted: Estimate, clean: Estimate) -> Estimate:
    """Return the relative performance under corruption (arXiv:1907.07484 equation 2).

    A method that does not look at the image has 100%: see ``above_floor``.
    """
    return corrupted / clean


def above_floor(corrupted: Estimate, clean: Estimate, floor: Estimate) -> Estimate:
    """Return which share of what a method learnt from images it keeps under corruption.

    ``(corrupted - floor) / (clean - floor)``: 1 if nothing is lost, 0 at the score that is
    reached without an image, and NaN where the clean score is not above it.

    Args:
        corrupted: a score under corruption, such as mPC.
        clean: the score on clean images.
        floor: the score of a method that does not look at the image.
    """
    return combine(_share, [corrupted, clean, floor])


def _share(corrupted: np.ndarray, clean: np.ndarray, floor: np.ndarray) -> np.ndarray:
    learnt = np.asarray(clean - floor, dtype=float)
    share = np.full_like(learnt, np.nan)
    np.divide(corrupted - floor, learnt, out=share, where=learnt > 0)
    return share
