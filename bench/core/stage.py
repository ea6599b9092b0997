"""A training stage of a method: which modules learn, for how long, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from bench.core.schema import Fraction, Frozen, Positive, Task

if TYPE_CHECKING:
    pass


class Augment(Frozen):
    """Random changes of a training sample, drawn per image and step.

    Labels are resampled by nearest neighbour only.
    """

    flip: bool = True
    """Mirror left to right with probability one half."""
    scale: tuple[float, float] = (1.0, 1.0)
    """Range of the uniform random resize, before cropping to the input size."""
    colour: Fraction = 0.0
    """Strength of random brightness, contrast and saturation factors 1 +- colour."""
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Largest random turn of the hue either way, as a share of the circle."""
    cat_max_ratio: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Largest share of a crop's labelled pixels that one class may have. Crops that exceed it
    are drawn anew, ten in all; of ten such the last is taken, as mmsegmentation does."""


class ParameterGroup(Frozen):
    """Parameters that are optimised otherwise than the rest of their stage."""

    match: Annotated[tuple[str, ...], Field(min_length=1)]
    """Patterns of dotted parameter names within the method, as ``fnmatch`` has them."""
    lr_multiplier: Annotated[float, Field(ge=0)] = 1.0
    weight_decay: Annotated[float, Field(ge=0)] | None = None
    """In place of the stage's; absent: the stage's."""


class LayerDecay(Frozen):
    """Layer-wise decay of the learning rate (Clark et al., ELECTRA, arXiv:2003.10555)."""

    rate: Annotated[float, Field(gt=0, le=1)]
    """Factor per layer, counted from the last one down."""
    layers: Annotated[tuple[str, ...], Field(min_length=1)]
    """Patterns of parameter names, the first layer first; a parameter that matches none is
    taken with the layers after the last."""


class Stage(Frozen):
    """One training step of a method: which submodules learn, for how long, and how.

    All modules not named are frozen and in evaluation mode. ``steps=0`` marks a
    stage in closed form, for which the harness calls ``Method.fit``, or one whose weights
    come from a file.
    """

    name: str
    modules: tuple[str, ...]
    steps: Annotated[int, Field(ge=0)]
    batch_size: Positive = 8
    """Images of one optimiser step, over all processes and accumulated micro-steps."""
    accumulate: Positive = 1
    optimizer: Literal["adamw", "sgd"] = "adamw"
    momentum: Fraction = 0.9
    """Of SGD."""
    lr: Annotated[float, Field(gt=0)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    betas: tuple[float, float] = (0.9, 0.999)
    """Of AdamW."""
    decay_vectors: bool = False
    """Whether biases, norms and other vectors are decayed too."""
    no_decay: tuple[str, ...] = ()
    """Patterns of further parameters that are not decayed, such as position tables."""
    groups: tuple[ParameterGroup, ...] = ()
    """A parameter belongs to the first group that matches it."""
    layer_decay: LayerDecay | None = None
    sync_bn: bool = False
    """Whether batch norms share their statistics over processes."""
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    schedule: Literal["poly", "cosine", "constant"] = "poly"
    power: float = 1.0
    """Exponent of the poly schedule."""
    grad_clip: Annotated[float, Field(gt=0)] | None = 1.0
    """Largest allowed norm of all gradients together."""
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Decay of the weight average that is kept in place of the last weights."""
    augment: Augment = Augment()
    tasks: Annotated[tuple[Task, ...], Field(exclude=True)] = ("predict", "reconstruct")
    """What needs it; a suite with none of these tasks does not train it. Not part of its key."""

    def times(self, factor: float) -> Stage:
        """Return the stage with its steps and its warm-up multiplied by a factor, and rounded.

        A step is left at least; a stage without any stays as it is.
        """
        if not self.steps:
            return self
        steps = max(1, round(self.steps * factor))
        warmup = min(steps, round(self.warmup_steps * factor))
        return self.model_copy(update={"steps": steps, "warmup_steps": warmup})
