"""Where a label and a prediction are compared: one file per geometry, found by its name.

Each file defines ``SUMMARY``, ``KEEPS_INSTANCES`` and two functions, as :class:`Geometry` has
them. Predictions follow by nearest neighbour to the size of what ``truth`` returns.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from bench.core.registry import plugins

if TYPE_CHECKING:
    import numpy as np


class Geometry(Protocol):
    """What a file of this folder defines."""

    SUMMARY: str
    KEEPS_INSTANCES: bool
    """Whether instances can be told apart in its truth."""

    def truth(
        self, label: np.ndarray, resized: np.ndarray, palette: Sequence[tuple[int, int, int]]
    ) -> np.ndarray:
        """Return what predictions are compared with, uint8 [h, w].

        Args:
            label: uint8 [H, W], at its own size.
            resized: uint8 [h, w], the same at the method's input size, by nearest neighbour.
            palette: RGB colours of the classes.

        Raises:
            ValueError: if the palette does not allow it.
        """

    def refusal(self, resize: tuple[int, int] | None) -> str:
        """Say why a protocol's resize does not fit; empty if it does."""


def names() -> tuple[str, ...]:
    """Return the names of all geometries, sorted."""
    return tuple(plugins(__name__))


def load_geometry(name: str) -> Geometry:
    """Return a geometry by its name, which must be one of :func:`names`."""
    return cast(Geometry, import_module(plugins(__name__)[name]))
