"""Discriminative networks of segmentation-models-pytorch: class scores in one pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from bench import Batch, DataSpec, Method, WeightsError, ensure_torchvision
from methods._nn.loss import cross_entropy
from methods._nn.padding import pad_image
from methods.smp.config import Config

_MULTIPLE = 32  # of the sides that the library accepts


class SegmentationModel(Method[Config]):
    """Cross-entropy per pixel on an architecture of the library."""

    mean: Tensor  # float32 [3, 1, 1]
    std: Tensor  # float32 [3, 1, 1]

    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        ensure_torchvision()
        self.network = _build(config, data.num_classes)
        statistics = _statistics(config.encoder)
        for name in ("mean", "std"):
            value = torch.tensor(statistics[name]).view(3, 1, 1)
            self.register_buffer(name, value, persistent=False)

    def forward(self, stage: str, batch: Batch) -> dict[str, Tensor]:
        return {"cross_entropy": cross_entropy(self.logits(batch.image, batch.seeds), batch.label)}

    def logits(self, image: Tensor, seeds: Tensor) -> Tensor:
        """Return logits at the size of the image, padded to what the library accepts."""
        height, width = image.shape[2:]
        logits: Tensor = self.network(pad_image((image - self.mean) / self.std, _MULTIPLE))
        return logits[:, :, :height, :width]


def _build(config: Config, num_classes: int) -> nn.Module:
    """Make the network, its encoder from a file where one is named.

    Raises:
        WeightsError: if the encoder is unknown, does not fit the architecture or its file.
    """
    import segmentation_models_pytorch as smp

    # With a stage's own weights, what it started from does not matter.
    starts = bool(config.encoder_weights) and not config.weights
    pretrained: dict[str, Any] = {}
    if starts:
        pretrained["pretrained_cfg_overlay"] = {"file": config.encoder_weights}
    try:
        network: nn.Module = smp.create_model(
            config.architecture,
            encoder_name=f"tu-{config.encoder}",
            encoder_weights=True if starts else None,
            classes=num_classes,
            **config.options,
            **pretrained,
        )
    except (KeyError, OSError, RuntimeError, TypeError, ValueError, AssertionError) as error:
        reason = " ".join(str(error).split())[:300]
        source = f" from {config.encoder_weights}" if starts else ""
        raise WeightsError(
            f"smp: {config.architecture} on {config.encoder}{source} cannot be built ({reason})"
        ) from error
    return network


def _statistics(encoder: str) -> dict[str, tuple[float, float, float]]:
    """Return the mean and deviation of images that timm's weights of an encoder expect."""
    import timm

    settings = timm.get_pretrained_cfg(encoder, allow_unregistered=True)
    # Of ImageNet, where timm has no weights of it.
    default = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
    return default if settings is None else {"mean": settings.mean, "std": settings.std}
