"""Where predictions are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from bench import DataSpec, Inputs, MethodConfig, PredictionsError, Stage
from methods.predictions.folder import MANIFEST, Predictions


class Config(MethodConfig):
    """A folder of predictions with its manifest."""

    reads_predictions: ClassVar[bool] = True

    folder: str = ""

    @property
    def predictions(self) -> Predictions:
        """The folder's content.

        Raises:
            PredictionsError: if its manifest is missing or wrong.
        """
        return Predictions(self.root)

    @property
    def root(self) -> Path:
        """The folder."""
        return Path(self.folder).expanduser()

    @property
    def gives_probabilities(self) -> bool:
        return (self.root / MANIFEST).is_file() and self.predictions.manifest.values == "scores"

    def stages(self, data: DataSpec) -> tuple[Stage, ...]:
        return ()

    def needs(self, folder: str = "") -> tuple[tuple[str, str], ...]:
        place = self.root / folder
        if place.is_dir() or (folder and not self.root.is_dir()):
            return ()  # a folder that lacks everything is named once
        images = f"the images of {folder}" if folder else "images"
        remedy = (
            f"{place}: no such folder; predict {images} that `python -m bench export images "
            "SUITE` writes, one file each"
        )
        return ((f"predictions in {place}", remedy),)

    def check(self, data: DataSpec) -> None:
        if not self.folder:
            raise PredictionsError("predictions: give folder, where they are")
        _ = self.predictions

    def check_inputs(self, inputs: Inputs, data: DataSpec) -> None:
        self.predictions.check(inputs, data.classes)

    def files(self) -> Mapping[str, tuple[Path, ...]]:
        return {"folder": self.predictions.files()}


PRESETS = {"folder": Config()}
