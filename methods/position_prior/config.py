"""Settings of the floor, and its one stage."""

from __future__ import annotations

from typing import ClassVar

from bench import DataSpec, MethodConfig, Stage


class Config(MethodConfig):
    """Nothing to set."""

    version: ClassVar[int] = 1
    floor: ClassVar[bool] = True

    @property
    def gives_probabilities(self) -> bool:
        return True

    def stages(self, data: DataSpec) -> tuple[Stage, ...]:
        return (Stage(name="count", modules=("table",), steps=0),)


PRESETS = {"tiny": Config()}
