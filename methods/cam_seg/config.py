"""Configuration of CAM-Seg."""

from __future__ import annotations

from bench.schema import Frozen, Positive


class Stack(Frozen):
    """One half of the transformer."""

    width: Positive
    depth: Positive
    heads: Positive
