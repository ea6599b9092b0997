"""Settings of torchvision's segmentation networks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from bench import Augment, DataSpec, MethodConfig, Stage

Model = Literal[
    "fcn_resnet50",
    "fcn_resnet101",
    "deeplabv3_resnet50",
    "deeplabv3_resnet101",
    "deeplabv3_mobilenet_v3_large",
    "lraspp_mobilenet_v3_large",
]


class Config(MethodConfig):
    """One network, trained with cross-entropy per pixel."""

    family: ClassVar[Literal["discriminative"]] = "discriminative"
    citation: ClassVar[str] = """\
@misc{torchvision2016,
  title = {{TorchVision}: {PyTorch}'s Computer Vision Library},
  author = {{TorchVision maintainers and contributors}},
  year = {2016},
  howpublished = {github.com/pytorch/vision}
}"""

    model: Model
    auxiliary: bool = True
    """A second head on the backbone's third level, in training; LR-ASPP has none."""
    auxiliary_weight: Annotated[float, Field(ge=0)] = 0.5
    """Of its loss, as in torchvision's ``references/segmentation/train.py``."""
    backbone_weights: str = ""
    """A file of the backbone's classifier, as torchvision releases it or in safetensors, where
    training starts; empty: drawn."""
    train: Stage

    @property
    def gives_probabilities(self) -> bool:
        return True

    def stages(self, data: DataSpec) -> tuple[Stage, ...]:
        return (self.train,)

    def pretraining(self, stage: str) -> str:
        """Say that there is a file; what it was trained on only its name may tell."""
        return "a file" if self.backbone_weights else "random"

    def needs(self, folder: str = "") -> tuple[tuple[str, str], ...]:
        if not self.backbone_weights or Path(self.backbone_weights).is_file():
            return ()
        remedy = (
            f"{self.backbone_weights}: no such file; torchvision's documentation links it, or "
            "save a classifier of torchvision with safetensors; leave backbone_weights out to "
            "start from drawn weights"
        )
        return ((f"backbone weights {self.backbone_weights}", remedy),)

    def files(self) -> Mapping[str, tuple[Path, ...]]:
        path = Path(self.backbone_weights)
        return {"backbone_weights": (path,)} if self.backbone_weights else {}


def _stage(steps: int, batch_size: int, lr: float, **settings: Any) -> Stage:
    usual = {"augment": Augment(scale=(0.5, 2.0)), "power": 0.9, **settings}
    return Stage(
        name="network", modules=("network",), steps=steps, batch_size=batch_size, lr=lr, **usual
    )


_TINY = _stage(
    300, 8, 1e-3, weight_decay=0.05, warmup_steps=20, augment=Augment(scale=(0.75, 1.5), colour=0.2)
)
_USUAL = _stage(80_000, 16, 6e-5, warmup_steps=1500)
"""Poly decay and scales as in torchvision's reference; rate and optimiser are AdamW's usual."""

PRESETS = {
    # About two minutes on two CPU cores, at 96 x 192.
    "lraspp_tiny": Config(model="lraspp_mobilenet_v3_large", train=_TINY),
    "fcn_r50": Config(model="fcn_resnet50", train=_USUAL),
    "fcn_r101": Config(model="fcn_resnet101", train=_USUAL),
    "deeplabv3_r50": Config(model="deeplabv3_resnet50", train=_USUAL),
    "deeplabv3_r101": Config(model="deeplabv3_resnet101", train=_USUAL),
    "deeplabv3_mobilenet": Config(model="deeplabv3_mobilenet_v3_large", train=_USUAL),
    "lraspp": Config(model="lraspp_mobilenet_v3_large", train=_USUAL),
}
