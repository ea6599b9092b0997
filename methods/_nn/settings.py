"""Settings of shared parts, apart from the parts so that reading them imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from bench import Frozen, Positive
from methods._nn.pretrained import (
    CONTENT,
    repository,
    training_set,
    weights_content,
    weights_needs,
)

AboveZero = Annotated[float, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]
"""Of a term in a loss."""
Colouring = Literal[
    "maximin",
    "random",
    "arithmetic",
    "misaligned",
    "additive",
    "refined",
    "ade20k_grid",
    "mseg_grid",
    "cityscapes",
    "ade20k",
    "mseg",
    "cityscapes_as_mseg",
    "dataset",
]
"""Which colour stands for which class: see ``methods/_nn/palettes.py``."""
Void = Literal["paint", "fill"]
"""What ignored pixels are in a maskige: painted in a colour of their own, or filled with a
label from their surroundings."""


class ConvTokenizerSettings(Frozen):
    """A small convolutional tokenizer with a learned codebook, trained on label maps."""

    widths: tuple[Positive, ...] = (32, 64)
    """Channels after each halving; their number sets the stride."""
    blocks: Positive = 1
    """Residual blocks on either side of the codebook."""
    num_codes: Positive = 128
    code_dim: Positive = 8


class DalleSettings(Frozen):
    """The discrete VAE of DALL-E, by default as OpenAI released it; stride 8."""

    width: Positive = 256
    first_width: Positive = 128
    """Of the decoder's first convolution."""
    blocks: Positive = 2
    """Residual blocks in each of the four groups."""
    num_codes: Positive = 8192
    gumbel_temperature: AboveZero = 1.0
    """Of the straight-through Gumbel-softmax when trained from scratch."""


class BackboneSettings(Frozen):
    """An image encoder of timm: four levels, the first at stride 4, or a plain transformer."""

    name: str
    options: Mapping[str, Any] = {}
    """Given to ``timm.create_model``."""
    level_norms: bool = False
    """A LayerNorm on each level, as mmsegmentation's Swin has."""
    pretrained: bool = False
    """Start from timm's weights, which it downloads."""

    @property
    def pretraining(self) -> str:
        """What it was trained on before (``MethodConfig.pretraining``)."""
        return training_set(self.name) if self.pretrained else "random"

    def needs(self, given: bool) -> tuple[tuple[str, str], ...]:
        """Return the weights that training starts from, if they are not here.

        Args:
            given: whether a file has all weights, so that these are not asked for.
        """
        if given or not self.pretrained:
            return ()
        return weights_needs(repository(self.name), "backbone.pretrained: false")

    def files(self, given: bool) -> dict[str, tuple[Path, ...]]:
        """Return the file of these weights, as ``MethodConfig.files`` has it."""
        if given or not self.pretrained:
            return {}
        return weights_content(repository(self.name))

    @property
    def content(self) -> dict[str, str]:
        """What a stage depends on that starts from these weights; a digest takes its place."""
        return {CONTENT: ""} if self.pretrained else {}
