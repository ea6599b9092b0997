"""Settings of GSS, and the sizes it is known by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from bench.schema import Augment, DataSpec, Fraction, Frozen, MethodConfig, Positive, Stage

Colouring = Literal["maximin", "dataset"]


class Tokenizer(Frozen):
    """A small convolutional tokenizer with a learned codebook, trained on label maps."""

    widths: tuple[Positive, ...] = (32, 64)
    """Channels after each halving; their number sets the stride."""
    blocks: Positive = 1
    """Residual blocks on either side of the codebook."""
    num_codes: Positive = 128
    code_dim: Positive = 8
    temperature: Annotated[float, Field(gt=0)] = 0.1
    """Divides the colour scores in the loss; colours are in [0, 1]."""


class Backbone(Frozen):
    """The image encoder: a timm model with levels at strides 4, 8, 16 and 32."""

    name: str
    options: Mapping[str, Any] = {}
    """Given to ``timm.create_model``."""


class Head(Frozen):
    """Multi-level aggregation and classifiers (appendix C and the released head)."""

    level_width: Positive = 384
    fused_width: Positive = 512
    token_width: Positive = 2048
    heads: Positive = 16
    window: Positive = 7
    depth: Annotated[int, Field(ge=0)] = 2
    """Windowed-attention blocks: 2 on Swin-L, 6 on ResNet-101 and HRNet."""
    dropout: Fraction = 0.1
    auxiliary: bool = True
    """The head for unlabelled areas: its labels replace void before tokenising."""
    shared_fusion: bool = False
    """The auxiliary head reads the fused map of the tokens instead of its own."""


class Config(MethodConfig):
    """One of the method's variants at one size."""

    reconstructs: ClassVar[bool] = True

    colouring: Colouring = "maximin"
    tokenizer: Tokenizer = Tokenizer()
    backbone: Backbone
    head: Head = Head()
    token_weight: Fraction = 0.8
    pixel_weight: Fraction = 0.2
    """Weights of the two losses of the prior, as released; eq. 7 has none."""
    label_scale: Literal[1, 2] = 1
    """2 enlarges labels before tokenising: tokens at 1/4 of the image with stride 8."""
    train_tokenizer: Stage
    train_prior: Stage

    def stages(self, data: DataSpec) -> tuple[Stage, ...]:
        return (self.train_tokenizer, self.train_prior)


def _tiny() -> Config:
    crops = Augment(scale=(0.75, 1.5))
    return Config(
        tokenizer=Tokenizer(),
        backbone=Backbone(name="resnet10t"),
        head=Head(level_width=48, fused_width=96, token_width=128, heads=4, depth=1),
        train_tokenizer=Stage(
            name="tokenizer",
            modules=("tokenizer",),
            steps=300,
            lr=4e-3,
            weight_decay=0.0,
            warmup_steps=20,
            schedule="cosine",
            augment=crops,
        ),
        train_prior=Stage(
            name="prior",
            modules=("prior",),
            steps=300,
            lr=1e-3,
            weight_decay=0.05,
            warmup_steps=20,
            power=0.9,
            augment=Augment(scale=(0.75, 1.5), colour=0.2),
        ),
    )


PRESETS = {"tiny": _tiny()}
