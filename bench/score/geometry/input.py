"""Predictions are compared at the size of the resized input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

SUMMARY = "at the size of the resized input; the label is resized to it by nearest neighbour"
KEEPS_INSTANCES = True


def truth(
    label: np.ndarray, resized: np.ndarray, palette: Sequence[tuple[int, int, int]]
) -> np.ndarray:
    """Return the resized label."""
    return resized


def refusal(resize: tuple[int, int] | None) -> str:
    """Fit any protocol."""
    return ""
