"""Settings of UViM: as published, and as the authors of GSS repeated it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from bench import (
    Augment,
    DataSpec,
    Frozen,
    MethodConfig,
    ParameterGroup,
    Positive,
    Stage,
    Task,
)
from methods._nn.settings import AboveZero, BackboneSettings, Weight


class GuidingSettings(Frozen):
    """Oracle, codes and base model; the defaults are the released ones.

    google-research/big_vision big_vision/configs/proj/uvim/vqvae_coco_panoptic.py.
    """

    patch: Positive = 16
    """Side of the squares of pixels that are tokens."""
    patches_per_code: Positive = 2
    """Along a side: 32 x 32 patches of an image of 512 x 512 share 16 x 16 codes."""
    width: Positive = 768
    heads: Positive = 12
    oracle_depth: Positive = 6
    base_depth: Positive = 12
    oracle_sees_image: bool = True
    num_codes: Annotated[int, Field(ge=2)] = 4096
    code_dim: Positive = 768
    decay: Annotated[float, Field(gt=0, lt=1)] = 0.995
    """Of the discounted counts of codes, per step."""
    least_count: AboveZero = 0.1
    """Discounted count below which a code gives way to a half of the most frequent one."""
    code_dropout: bool = True
    """Whether training hides a random share of the codes from the base model."""

    @property
    def stride(self) -> int:
        """Pixels of a label, in each direction, behind one code."""
        return self.patch * self.patches_per_code


class PredictorSettings(Frozen):
    """What predicts the codes from the image."""

    kind: Literal["autoregressive", "one_pass"]
    """A decoder, code after code, as published; or all at once, as GSS repeated it."""
    backbone: BackboneSettings
    blocks: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Of a plain transformer: the blocks that are read, counted from 0."""
    width: Positive = 1024
    depth: Annotated[int, Field(ge=0)] = 24
    """Blocks of the decoder; ``one_pass`` has none."""
    heads: Positive = 16
    aligned: bool = False
    """Add to each token of the decoder the image's features at its place, which attention would
    have to learn to look up; the release does not."""
    temperature: Weight = 0.0
    """Of the draw of each code; 0 takes the likeliest. The release draws at 1."""


class Config(MethodConfig):
    """One size of both stages."""

    version: ClassVar[int] = 1
    tasks: ClassVar[tuple[Task, ...]] = ("predict", "reconstruct", "oracle_codes")
    family: ClassVar[Literal["generative"]] = "generative"
    citation: ClassVar[str] = """\
@inproceedings{kolesnikov2022uvim,
  title = {{UViM}: A Unified Modeling Approach for Vision with Learned Guiding Codes},
  author = {Kolesnikov, Alexander and Susano Pinto, Andr\\'e and Beyer, Lucas and Zhai, Xiaohua and
    Harmsen, Jeremiah and Houlsby, Neil},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2022}
}"""

    guiding: GuidingSettings = GuidingSettings()
    predictor: PredictorSettings
    train_guiding: Stage
    train_predictor: Stage

    def needs(self, folder: str = "") -> tuple[tuple[str, str], ...]:
        return self.predictor.backbone.needs("predictor" in self.weights)

    def files(self) -> Mapping[str, tuple[Path, ...]]:
        return self.predictor.backbone.files("predictor" in self.weights)

    def pretraining(self, stage: str) -> str:
        return self.predictor.backbone.pretraining if stage == "predictor" else "random"

    @property
    def gives_probabilities(self) -> bool:
        return True

    def stages(self, data: DataSpec) -> tuple[Stage, ...]:
        """Return both stages of the paper; what reconstructs needs the first alone."""
        only: dict[str, tuple[Task, ...]] = {"tasks": ("predict", "oracle_codes")}
        return (self.train_guiding, self.train_predictor.model_copy(update=only))

    def depends_on(self, stage: str) -> Mapping[str, Any]:
        """Return what a stage's weights depend on: predictors of any kind share the first."""
        if stage == "guiding":
            return self.model_dump(mode="json", include={"guiding"})
        settings = self.model_dump(mode="json", include={"guiding", "predictor"})
        del settings["predictor"]["temperature"]
        return {**settings, **self.predictor.backbone.content}


def _stages(
    steps: tuple[int, int], batch_size: tuple[int, int], lr: tuple[float, float], **more: Any
) -> dict[str, Stage]:
    guiding, predictor = (
        Stage(name=name, modules=modules, steps=n, batch_size=size, lr=rate, **more)
        for name, modules, n, size, rate in zip(
            ("guiding", "predictor"),
            (("oracle", "base"), ("predictor",)),
            steps,
            batch_size,
            lr,
            strict=True,
        )
    )
    return {"train_guiding": guiding, "train_predictor": predictor}


SWIN_L = BackboneSettings(
    name="swin_large_patch4_window12_384",
    options={"drop_path_rate": 0.3, "strict_img_size": False, "always_partition": True},
    level_norms=True,
)
_TINY_RESNET = BackboneSettings(
    name="resnet10t", options={"channels": (32, 64, 128, 256), "stem_width": 16}
)
_TINY_DILATED = _TINY_RESNET.model_copy(
    update={"options": {**_TINY_RESNET.options, "output_stride": 8}}
)
"""Whose last level, the one that a decoder attends to, is no coarser than the codes."""
_COCO_IMAGES = 118_287 - 4096
"""Of the training set, without what the release holds out."""


def _tiny(kind: Literal["autoregressive", "one_pass"]) -> Config:
    """About three minutes on two CPU cores, at 96 x 192.

    Beside sizes and optimiser, the decoder's tokens are aligned with the image.
    """
    guiding = GuidingSettings(
        patch=8,
        patches_per_code=2,
        width=128,
        heads=4,
        oracle_depth=2,
        base_depth=3,
        num_codes=128,
        code_dim=32,
        decay=0.95,
    )
    backbone = _TINY_DILATED if kind == "autoregressive" else _TINY_RESNET
    predictor = PredictorSettings(
        kind=kind,
        backbone=backbone,
        width=128,
        depth=2,
        heads=4,
        aligned=kind == "autoregressive",
    )
    augment = Augment(scale=(0.75, 1.5), colour=0.2)
    steps = (600, 400 if kind == "autoregressive" else 300)
    stages = _stages(
        steps, (8, 8), (1e-3, 1e-3), weight_decay=0.05, warmup_steps=20, augment=augment
    )
    return Config(guiding=guiding, predictor=predictor, **stages)


def _published() -> Config:
    """As published for COCO's panoptic task.

    The release optimises with Adafactor, for which this has AdamW at the same rates.
    """
    stages = _stages(
        (1000 * _COCO_IMAGES // 1024, 200 * _COCO_IMAGES // 512),
        (1024, 512),
        (4e-4, 1e-3),
        warmup_steps=4000,
        schedule="cosine",
        weight_decay=4e-5,
    )
    slower = ParameterGroup(match=("predictor.backbone.*",), lr_multiplier=0.1)
    second = {"weight_decay": 1e-6, "groups": (slower,)}
    stages["train_predictor"] = stages["train_predictor"].model_copy(update=second)
    backbone = BackboneSettings(name="vit_large_patch16_224")
    predictor = PredictorSettings(kind="autoregressive", backbone=backbone, blocks=(23,))
    return Config(predictor=predictor, **stages)


PRESETS = {
    "tiny": _tiny("autoregressive"),
    "tiny_one_pass": _tiny("one_pass"),
    # Weights are drawn. The published encoders start from ImageNet-22k: `predictor: {backbone:
    # {pretrained: true}}` has timm's, `initialise: {predictor: FILE}` any other.
    "paper": _published(),
    # GSS, appendix H: Swin-L, codes at once, 80k and 160k steps; batch and rate as its own.
    "paper_gss": Config(
        predictor=PredictorSettings(kind="one_pass", backbone=SWIN_L),
        **_stages(
            (80_000, 160_000),
            (16, 16),
            (1.2e-4, 1.2e-4),
            warmup_steps=1500,
            augment=Augment(scale=(0.5, 2.0)),
        ),
    ),
}
