"""Settings of segmentation-models-pytorch: an architecture, an encoder, a training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from bench import Augment, DataSpec, MethodConfig, Stage, WeightsError

Architecture = Literal[
    "unet",
    "unetplusplus",
    "manet",
    "linknet",
    "fpn",
    "pspnet",
    "deeplabv3",
    "deeplabv3plus",
    "pan",
    "upernet",
    "segformer",
    "dpt",
]


class Config(MethodConfig):
    """One architecture, trained with cross-entropy per pixel."""

    family: ClassVar[Literal["discriminative"]] = "discriminative"
    citation: ClassVar[str] = """\
@misc{iakubovskii2019smp,
  title = {Segmentation Models {PyTorch}},
  author = {Iakubovskii, Pavel},
  year = {2019},
  howpublished = {github.com/qubvel-org/segmentation_models.pytorch}
}"""

    architecture: Architecture
    encoder: str
    """A model of timm, such as ``resnet101`` or ``hrnet_w48``."""
    encoder_weights: str = ""
    """A safetensors file of the whole timm model, where training starts; empty: drawn."""
    options: Mapping[str, Any] = {}
    """Given to the architecture, such as ``decoder_channels``."""
    train: Stage

    @property
    def gives_probabilities(self) -> bool:
        return True

    def stages(self, data: DataSpec) -> tuple[Stage, ...]:
        return (self.train,)

    def pretraining(self, stage: str) -> str:
        """Say that there is a file; what it was trained on only its name may tell."""
        return "a file" if self.encoder_weights else "random"

    def needs(self, folder: str = "") -> tuple[tuple[str, str], ...]:
        if not self.encoder_weights or Path(self.encoder_weights).is_file():
            return ()
        remedy = (
            f"{self.encoder_weights}: no such file; `hf download timm/{self.encoder} "
            "model.safetensors` fetches it where there is a network, or save a model of timm "
            "with safetensors; leave encoder_weights out to start from drawn weights"
        )
        return ((f"encoder weights {self.encoder_weights}", remedy),)

    def check(self, data: DataSpec) -> None:
        if self.encoder_weights and not self.encoder_weights.endswith(".safetensors"):
            raise WeightsError(
                f"{self.encoder_weights}: not named as a safetensors file; other formats can "
                "run code when they are read"
            )

    def files(self) -> Mapping[str, tuple[Path, ...]]:
        path = Path(self.encoder_weights)
        return {"encoder_weights": (path,)} if self.encoder_weights else {}


def _stage(steps: int, batch_size: int, lr: float, **settings: Any) -> Stage:
    published = {"augment": Augment(scale=(0.5, 2.0)), "power": 0.9, **settings}
    return Stage(
        name="network", modules=("network",), steps=steps, batch_size=batch_size, lr=lr, **published
    )


def _tiny(architecture: Architecture, steps: int, **options: Any) -> Config:
    """Return what trains in a minute or two on two CPU cores, at 96 x 192."""
    augment = Augment(scale=(0.75, 1.5), colour=0.2)
    stage = _stage(steps, 8, 1e-3, weight_decay=0.05, warmup_steps=20, augment=augment)
    return Config(architecture=architecture, encoder="resnet10t", options=options, train=stage)


_POLY = _stage(80_000, 16, 6e-5, warmup_steps=1500)
"""The papers' poly decay and scales; rate and optimiser are AdamW's usual ones."""

PRESETS = {
    "fpn_tiny": _tiny("fpn", 260, decoder_pyramid_channels=64, decoder_segmentation_channels=64),
    "pspnet_tiny": _tiny("pspnet", 260, psp_out_channels=64),
    # arXiv:1612.01105: a dilated encoder of stride 8, which the library's default is not. Its
    # head mixes the pyramid by 1 x 1, the paper's by 3 x 3.
    "pspnet_r101": Config(
        architecture="pspnet",
        encoder="resnet101",
        options={"encoder_depth": 5, "output_stride": 8, "psp_out_channels": 512},
        train=_POLY,
    ),
    # arXiv:1706.05587.
    "deeplabv3_r101": Config(architecture="deeplabv3", encoder="resnet101", train=_POLY),
    # arXiv:1802.02611, output stride 16.
    "deeplabv3plus_r101": Config(architecture="deeplabv3plus", encoder="resnet101", train=_POLY),
    # arXiv:1901.02446.
    "fpn_r101": Config(architecture="fpn", encoder="resnet101", train=_POLY),
    # arXiv:1807.10221, on the transformer of arXiv:2103.14030.
    "upernet_swin_large": Config(
        architecture="upernet",
        encoder="swin_large_patch4_window12_384",
        # A Swin of timm takes images of its own size alone, unless told.
        options={"decoder_channels": 512, "strict_img_size": False, "always_partition": True},
        train=_POLY,
    ),
}
