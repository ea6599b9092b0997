"""Settings of the discriminative baselines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from bench import Augment, DataSpec, Fraction, Frozen, MethodConfig, Positive, Stage
from methods._nn.pretrained import find, weights_needs

FourSizes = tuple[Positive, Positive, Positive, Positive]


class SegformerSettings(Frozen):
    """Mix transformer and all-MLP decoder (Xie et al., arXiv:2105.15203, Table 6)."""

    widths: FourSizes = (64, 128, 320, 512)
    depths: FourSizes = (3, 6, 40, 3)
    heads: FourSizes = (1, 2, 5, 8)
    first_stride: Positive = 4
    """Of the first patch embedding; the others halve the map."""
    decoder_width: Positive = 768
    drop_path: Fraction = 0.1
    dropout: Fraction = 0.1
    """Before the classifier."""


class DeepLabV3PlusSettings(Frozen):
    """Atrous encoder-decoder (Chen et al., arXiv:1802.02611)."""

    backbone: str = "resnet101"
    """An encoder of segmentation-models-pytorch; ``tu-`` names a timm model."""
    output_stride: Literal[8, 16] = 16
    atrous_rates: tuple[Positive, Positive, Positive] = (6, 12, 18)
    decoder_width: Positive = 256
    dropout: Fraction = 0.1
    """After the pyramid pooling."""


class Config(MethodConfig):
    """One architecture, trained with cross-entropy per pixel."""

    version: ClassVar[int] = 1
    family: ClassVar[Literal["discriminative"]] = "discriminative"
    citation: ClassVar[str] = """\
@inproceedings{xie2021segformer,
  title = {{SegFormer}: Simple and Efficient Design for Semantic Segmentation with Transformers},
  author = {Xie, Enze and Wang, Wenhai and Yu, Zhiding and Anandkumar, Anima and
    Alvarez, Jose M. and Luo, Ping},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2021}
}
@inproceedings{chen2018deeplabv3plus,
  title = {Encoder-Decoder with Atrous Separable Convolution for Semantic Image Segmentation},
  author = {Chen, Liang-Chieh and Zhu, Yukun and Papandreou, George and Schroff, Florian and
    Adam, Hartwig},
  booktitle = {European Conference on Computer Vision},
  year = {2018}
}"""

    architecture: Literal["segformer", "deeplabv3plus"]
    segformer: SegformerSettings = SegformerSettings()
    deeplabv3plus: DeepLabV3PlusSettings = DeepLabV3PlusSettings()
    train_network: Stage
    pretrained: str = ""
    """The encoder's weights, where training starts: a repository of the Hub, or a folder with its
    file. Empty: drawn."""
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    """Of ImageNet, as torchvision's pre-trained models expect; subtracted from images."""
    std: tuple[Annotated[float, Field(gt=0)], float, float] = (0.229, 0.224, 0.225)

    @property
    def gives_probabilities(self) -> bool:
        return True

    def stages(self, data: DataSpec) -> tuple[Stage, ...]:
        return (self.train_network,)

    @model_serializer(mode="wrap")
    def _as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave an empty ``pretrained`` out, so that keys of before there was one stand."""
        fields: dict[str, Any] = handler(self)
        if not fields.get("pretrained"):
            fields.pop("pretrained", None)
        return fields

    def needs(self, folder: str = "") -> tuple[tuple[str, str], ...]:
        if self.weights or not self.pretrained:
            return ()
        return weights_needs(self.pretrained, "pretrained: ''")

    def files(self) -> Mapping[str, tuple[Path, ...]]:
        path = find(self.pretrained) if self.pretrained and not self.weights else None
        return {} if path is None else {"pretrained": (path,)}

    def pretraining(self, stage: str) -> str:
        return "imagenet-1k" if self.pretrained else "random"


def _stage(steps: int, batch_size: int, lr: float, **settings: Any) -> Stage:
    return Stage(
        name="network", modules=("network",), steps=steps, batch_size=batch_size, lr=lr, **settings
    )


PRESETS = {
    # About a minute and a half each on two CPU cores, at 96 x 192.
    "segformer_tiny": Config(
        architecture="segformer",
        segformer=SegformerSettings(
            widths=(32, 64, 96, 128),
            depths=(1, 1, 1, 1),
            heads=(1, 2, 3, 4),
            decoder_width=96,
            drop_path=0,
            dropout=0,
        ),
        train_network=_stage(
            500,
            8,
            2e-3,
            weight_decay=0.05,
            warmup_steps=20,
            power=0.9,
            augment=Augment(scale=(0.75, 1.5), colour=0.2),
        ),
    ),
    "deeplabv3plus_tiny": Config(
        architecture="deeplabv3plus",
        deeplabv3plus=DeepLabV3PlusSettings(backbone="tu-resnet10t", decoder_width=64),
        train_network=_stage(
            260,
            8,
            1e-3,
            weight_decay=0.05,
            warmup_steps=20,
            power=0.9,
            augment=Augment(scale=(0.75, 1.5), colour=0.2),
        ),
    ),
    # arXiv:2105.15203, section 4.1, for Cityscapes at crops of 1024 x 1024, from its encoder's
    # ImageNet-1k weights. The paper trains the decoder at ten times the rate; a stage here has
    # one: `hf` of preset `segformer_b5` has both.
    "segformer_b5": Config(
        architecture="segformer",
        pretrained="nvidia/mit-b5",
        train_network=_stage(
            160_000, 8, 6e-5, warmup_steps=1500, augment=Augment(scale=(0.5, 2.0))
        ),
    ),
    # arXiv:1802.02611, section 4: 90k steps on Cityscapes, batch 16, poly decay of power 0.9,
    # output stride 16, from ImageNet-1k weights. The paper uses SGD at 0.007; here is AdamW, whose
    # rate and warm-up are those of segformer_b5.
    "deeplabv3plus_r101": Config(
        architecture="deeplabv3plus",
        deeplabv3plus=DeepLabV3PlusSettings(backbone="resnet101"),
        pretrained="timm/resnet101.a1h_in1k",
        train_network=_stage(
            90_000, 16, 6e-5, warmup_steps=1500, power=0.9, augment=Augment(scale=(0.5, 2.0))
        ),
    ),
}
