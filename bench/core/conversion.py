"""What a method makes of released checkpoints: the ``convert`` of its package.

A method package that knows released checkpoints has a ``convert.py`` with::

    def convert(checkpoints: Checkpoints, config: Config) -> Conversion

It gives the released tensors the method's own names; reading, checking and writing are the
same for all methods (``bench.engine.training.weights``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.core.schema import DataSpec

if TYPE_CHECKING:
    from torch import Tensor

Checkpoints = Mapping[Path, Mapping[str, "Tensor"]]
"""Per file, its tensors by their released names."""


class Conversion(NamedTuple):
    """What a method makes of released checkpoints."""

    stages: Mapping[str, Mapping[str, Tensor]]
    """Per stage, the tensors by their names within the method."""
    data: DataSpec
    """The classes and the size of the checkpoints, as far as shapes depend on them."""
    settings: Mapping[str, Any] = {}
    """What to set over the preset for the method to be the one that was released."""
    unmapped: tuple[str, ...] = ()
    """Released names that the method has no place for."""
