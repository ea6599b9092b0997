"""Settings of shared parts, apart from the parts so that reading them imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bench import Frozen, Positive

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


class ConvTokenizer(Frozen):
    """A small convolutional tokenizer with a learned codebook, trained on label maps."""

    widths: tuple[Positive, ...] = (32, 64)
    """Channels after each halving; their number sets the stride."""
    blocks: Positive = 1
    """Residual blocks on either side of the codebook."""
    num_codes: Positive = 128
    code_dim: Positive = 8


class DalleTokenizer(Frozen):
    """The discrete VAE of DALL-E, by default as OpenAI released it; stride 8."""

    width: Positive = 256
    first_width: Positive = 128
    """Of the decoder's first convolution."""
    num_blocks: Positive = 2
    """In each of the four groups."""
    num_codes: Positive = 8192
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """Of the straight-through Gumbel-softmax when trained from scratch."""
