"""Settings of GSS: its variants, and the sizes it is known by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from bench import Augment, DataSpec, Fraction, Frozen, MethodConfig, Positive, Role, Stage, Task
from methods._nn.settings import (
    AboveZero,
    BackboneSettings,
    Colouring,
    ConvTokenizerSettings,
    DalleSettings,
    Void,
)

Variant = Literal["FF", "FF-R", "FT", "FT-W", "TF", "TT"]
Control = Literal["", "twin", "auxiliary_head"]


class PriorHeadSettings(Frozen):
    """Multi-level aggregation and classifiers, by default as released (appendix C)."""

    level_width: Positive = 384
    fused_width: Positive = 512
    token_width: Positive = 2048
    heads: Positive = 16
    window: Positive = 7
    depth: Annotated[int, Field(ge=0)] = 2
    """Windowed-attention blocks: 2 on Swin-L, 6 on ResNet-101 and HRNet. 0 for Table 3."""
    dropout: Fraction = 0.1
    auxiliary: bool = True
    """The head for unlabelled areas: its labels replace void before encoding."""
    shared_fusion: bool = False
    """The auxiliary head reads the fused map of the tokens instead of its own."""


class LearnedInverseSettings(Frozen):
    """The inverse of FT and TT (width only) and of FT-W; as released for Cityscapes.

    The paper gives no width for FT: it takes FT-W's.
    """

    width: Positive = 128
    heads: Positive = 4
    window: Positive = 7
    depth: Positive = 1
    """Blocks: the release has 1 for Cityscapes and 2 for ADE20K and MSeg."""
    start: Literal["nearest_colour", "random"] = "nearest_colour"
    """Of FT and TT. The nearest colour's own weights agree with FF on nearly all pixels before
    any training, so that they cannot fail as the paper says that TT does; it names no start,
    which is read as random in the suite of its table 1. FT-W starts at random in any case."""


class Config(MethodConfig):
    """One of the method's variants at one size."""

    version: ClassVar[int] = 1
    tasks: ClassVar[tuple[Task, ...]] = ("predict", "reconstruct", "oracle_codes")
    family: ClassVar[Literal["generative"]] = "generative"
    controls: ClassVar[Mapping[str, str]] = {"twin": "twin", "auxiliary_head": "auxiliary head"}
    citation: ClassVar[str] = """\
@inproceedings{chen2023gss,
  title = {Generative Semantic Segmentation},
  author = {Chen, Jiaqi and Lu, Jiachen and Zhu, Xiatian and Zhang, Li},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2023}
}"""

    control: Control = ""
    """What stands beside the method to tell what its codes add. ``twin``: the prior's network
    with logits of pixels in place of codes, trained like the prior by cross-entropy.
    ``auxiliary_head``: the labels of the auxiliary head, of the very same training."""
    variant: Variant = "FF"
    """First letter: is the colouring trained; second: is its inverse. -R colours at random,
    -W learns the inverse with windowed attention (section 3.3)."""
    colouring: Colouring = "maximin"
    """Where training starts, for TF and TT; ``random`` in any case for FF-R."""
    palette_seed: int = 0
    inverse: Literal["nearest", "pseudo_inverse"] = "nearest"
    """Of FF, FF-R and TF: the nearest colour, as released, or least squares, as printed."""
    learned_inverse: LearnedInverseSettings = LearnedInverseSettings()
    predicted_share: Fraction = 1.0
    """Of the maskiges that a learned inverse is trained on, how many are decoded from
    predicted codes: all, as published. The others are decoded from the labels' own; a weak
    prior's mistakes by themselves teach an inverse to do without the rarer classes."""
    tokenizer: Literal["conv", "dalle"] = "conv"
    conv: ConvTokenizerSettings = ConvTokenizerSettings()
    dalle: DalleSettings = DalleSettings()
    label_scale: Literal[1, 2] = 1
    """2 enlarges labels before encoding: codes at 1/4 of the image with stride 8 (d = 1/4)."""
    void: Void = "fill"
    """Ignored pixels that no auxiliary head fills are painted in void's colour, as released,
    or take a label from their surroundings."""
    colour_temperature: AboveZero = 0.1
    """Divides colour scores, in [0, 1], in the losses of tokenizer and colouring; small enough
    that an exact colour has nearly all the probability."""
    recolour: Fraction = 0.2
    """Of TF and TT where the tokenizer is trained here: how far its colours are drawn from
    the palette's, so that it can do with those that are learned after it."""
    gumbel_temperature: AboveZero = 1.0
    """Of TF and TT; the paper has none. 1 is the start of Jang et al., arXiv:1611.01144."""
    backbone: BackboneSettings
    head: PriorHeadSettings = PriorHeadSettings()
    token_weight: Fraction = 0.8
    pixel_weight: Fraction = 0.2
    """Weights of the prior's two losses, as released; eq. 7 has none."""
    train_tokenizer: Stage
    train_colouring: Stage
    train_prior: Stage
    train_inverse: Stage

    @model_validator(mode="after")
    def _part_is_there(self) -> Config:
        if self.control == "auxiliary_head" and not self.head.auxiliary:
            raise ValueError("control: auxiliary_head needs head.auxiliary: true")
        return self

    @property
    def role(self) -> Role:
        """A control classifies pixels, and has no codec of its own."""
        if self.control:
            return Role(("predict",), "discriminative", control=True)
        return super().role

    def needs(self, folder: str = "") -> tuple[tuple[str, str], ...]:
        return self.backbone.needs(bool({"prior", "twin"} & set(self.weights)))

    def files(self) -> Mapping[str, tuple[Path, ...]]:
        return self.backbone.files(bool({"prior", "twin"} & set(self.weights)))

    def pretraining(self, stage: str) -> str:
        return self.backbone.pretraining if stage in ("prior", "twin") else "random"

    @property
    def whole(self) -> Config:
        """The method itself, of a control that is a part of it."""
        is_part = self.control == "auxiliary_head"
        return self.model_copy(update={"control": ""}) if is_part else self

    @property
    def gives_probabilities(self) -> bool:
        """Only a learned inverse and controls have them; others vote for the nearest colour."""
        return bool(self.control) or self.variant in ("FT", "FT-W", "TT")

    @property
    def learns_colouring(self) -> bool:
        """Whether the palette is trained through the tokenizer."""
        return self.variant in ("TF", "TT")

    @property
    def initial_colouring(self) -> Colouring:
        """The colouring that the variant starts from."""
        return "random" if self.variant == "FF-R" else self.colouring

    def stages(self, data: DataSpec) -> tuple[Stage, ...]:
        """Return what the variant needs: FT learns its inverse on the prior's mistakes.

        Without a learned inverse nothing that reconstructs depends on the prior.
        """
        if self.control == "twin":
            alone = {"name": "twin", "tasks": ("predict",)}
            return (self.train_prior.model_copy(update=alone),)
        chosen = [self.train_tokenizer]
        if self.learns_colouring:
            chosen.append(self._colouring_stage())
        learns_inverse = self.variant in ("FT", "FT-W") and not self.control
        tasks: tuple[Task, ...] = ("predict", "reconstruct") if learns_inverse else ("predict",)
        chosen.append(self.train_prior.model_copy(update={"tasks": tasks}))
        if learns_inverse:
            windows = {} if self.variant == "FT-W" else {"no_decay": ()}  # FT has no such weights
            chosen.append(self.train_inverse.model_copy(update=windows))
        return tuple(chosen)

    def depends_on(self, stage: str) -> Mapping[str, Any]:
        """Return what a stage's weights depend on.

        So FF, FT and FT-W share tokenizer and prior, and priors of any size a tokenizer.
        """
        if stage == "inverse":
            return self.model_dump(mode="json", exclude={"weights", "control", *_STAGES})
        if stage == "twin":
            return {**self.model_dump(mode="json", include=_OF_THE_TWIN), **self.backbone.content}
        settings = self.model_dump(mode="json", include=_OF_THE_CODES | _OF_STAGE[stage])
        if stage != "colouring":
            settings["variant"] = "TF" if self.learns_colouring else "FF"
        if stage == "prior":
            settings |= self.backbone.content
        return {**settings, "colouring": self.initial_colouring}

    def _colouring_stage(self) -> Stage:
        """Return the stage of the palette, which in TT trains the inverse with it."""
        stage = self.train_colouring
        more = ("codec.inverse",) if self.variant == "TT" else ()
        return stage.model_copy(update={"modules": (*stage.modules, *more)})


_STAGES = {"train_tokenizer", "train_colouring", "train_prior", "train_inverse"}
_OF_THE_CODES = {
    "colouring",
    "palette_seed",
    "tokenizer",
    "conv",
    "dalle",
    "label_scale",
    "void",
    "colour_temperature",
}
_OF_THE_TWIN = {"backbone", "head", "tokenizer", "conv", "label_scale"}
"""The tokenizer's and the labels' scale give the grid."""
_OF_STAGE: Mapping[str, set[str]] = {
    "tokenizer": {"recolour"},
    "colouring": {"variant", "inverse", "learned_inverse", "gumbel_temperature"},
    "prior": {"backbone", "head", "token_weight", "pixel_weight"},
}
"""Settings behind the weights of a stage, beside those of the stages before it."""


def _stage(name: str, module: str, steps: int, batch_size: int, lr: float, **more: Any) -> Stage:
    settings = {"steps": steps, "batch_size": batch_size, "lr": lr, **more}
    return Stage(name=name, modules=(module,), **settings)


def _tiny() -> Config:
    """About two and a half CPU minutes for FF at 96 x 192; half a minute more for FT and FT-W.

    Steps are many and batches small, which at equal time teaches both networks more. Windows
    of 8 divide maps of such sizes, so that nothing is padded.
    """
    crops: dict[str, Any] = {"warmup_steps": 20, "augment": Augment(scale=(0.75, 1.5))}
    return Config(
        learned_inverse=LearnedInverseSettings(width=16, heads=2, window=8),
        predicted_share=0.5,
        backbone=BackboneSettings(
            name="resnet10t", options={"channels": (32, 64, 128, 256), "stem_width": 16}
        ),
        head=PriorHeadSettings(
            level_width=32,
            fused_width=64,
            token_width=128,
            heads=4,
            window=8,
            depth=1,
            shared_fusion=True,
        ),
        train_tokenizer=_stage(
            "tokenizer", "codec.tokenizer", 400, 4, 4e-3, weight_decay=0, schedule="cosine", **crops
        ),
        train_colouring=_stage("colouring", "codec.colouring", 150, 4, 1e-2, weight_decay=0),
        train_prior=_stage(
            "prior",
            "prior",
            500,
            4,
            2e-3,
            weight_decay=0.05,
            power=0.9,
            warmup_steps=20,
            augment=Augment(scale=(0.75, 1.5), colour=0.2),
        ),
        train_inverse=_stage("inverse", "codec.inverse", 200, 2, 5e-3, **crops),
    )


SWIN_L = BackboneSettings(
    # By its tag: without one timm takes weights that were tuned on ImageNet-1k after that.
    name="swin_large_patch4_window12_384.ms_in22k",
    options={"drop_path_rate": 0.3, "strict_img_size": False, "always_partition": True},
    level_norms=True,
    pretrained=True,
)
RESNET101 = BackboneSettings(name="resnet101c", options={"output_stride": 8}, pretrained=True)
HRNET_W48 = BackboneSettings(name="hrnet_w48", options={"feature_location": ""}, pretrained=True)


def _paper(
    colouring: Colouring, depth: int, steps: int, batch_size: int, lr: float, **more: Any
) -> Config:
    """Settings that the released configurations share (configs/gss, Swin-L).

    Training the tokenizer is not the paper's, which takes DALL-E's weights: give them as
    ``weights: {tokenizer: ...}``. The colouring's 4,000 steps (appendix D) are of SGD at an
    unstated rate.

    As in the released configurations: gradients are not clipped, batch norms are synchronised,
    layer norms and tables of positions are not decayed but biases are, and of a crop at most
    75 % are one class. Deviations: ``PhotoMetricDistortion`` changes brightness (by up to 32 of
    255, added), contrast, saturation and hue each with probability one half and contrast before
    or after the others, where all factors apply here, in one order, and brightness is a factor;
    the norm before the token classifier (``swin_ln``, which no rule of theirs names) is decayed
    there and not here; ResNet-101 starts from Gluon's weights, not OpenMMLab's, of the same
    variant and data.
    """
    released: dict[str, Any] = {
        "warmup_steps": 1500,
        "grad_clip": None,
        "sync_bn": True,
        "decay_vectors": True,
        "no_decay": ("*norm*", "*relative_position_bias_table*"),
        "augment": Augment(scale=(0.5, 2), colour=0.5, hue=0.1, cat_max_ratio=0.75),
    }
    settings: dict[str, Any] = {
        "colouring": colouring,
        "tokenizer": "dalle",
        "label_scale": 2,
        "void": "paint",
        "backbone": SWIN_L,
        "learned_inverse": LearnedInverseSettings(depth=depth),
        "train_tokenizer": _stage("tokenizer", "codec.tokenizer", 80_000, 16, 1e-4),
        "train_colouring": _stage(
            "colouring", "codec.colouring", 4000, 16, 1e-2, weight_decay=0, optimizer="sgd"
        ),
        "train_prior": _stage("prior", "prior", steps, batch_size, lr, **released),
        "train_inverse": _stage("inverse", "codec.inverse", 40_000, 16, 1.5e-3, **released),
    }
    return Config(**{**settings, **more})


PRESETS = {
    "tiny": _tiny(),
    "paper_cityscapes": _paper("cityscapes", 1, 80_000, 16, 1.5e-3),
    "paper_cityscapes_r101": _paper(
        "cityscapes", 1, 80_000, 16, 1.5e-3, backbone=RESNET101, head=PriorHeadSettings(depth=6)
    ),
    "paper_ade20k": _paper("ade20k", 2, 160_000, 32, 1.2e-4),
    # The paper's text says a batch of 16; its configurations have 8 x 4.
    "paper_mseg": _paper(
        "mseg", 2, 160_000, 32, 1.2e-4, head=PriorHeadSettings(shared_fusion=True)
    ),
    "paper_mseg_hrnet": _paper(
        "mseg",
        2,
        160_000,
        32,
        1.2e-4,
        backbone=HRNET_W48,
        head=PriorHeadSettings(depth=6, shared_fusion=True),
    ),
}
