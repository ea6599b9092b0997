"""Discriminative networks of torchvision: class scores in one pass."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from bench import Batch, DataSpec, Method, ensure_torchvision
from methods._nn.loss import cross_entropy
from methods._nn.pretrained import load_part
from methods.torchvision_models.config import Config

_MEAN = (0.485, 0.456, 0.406)  # of ImageNet, as torchvision's weights expect
_STD = (0.229, 0.224, 0.225)


class TorchvisionModel(Method[Config]):
    """Cross-entropy per pixel on a network of the library."""

    mean: Tensor  # float32 [3, 1, 1]
    std: Tensor  # float32 [3, 1, 1]

    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        ensure_torchvision()
        from torchvision.models import segmentation

        two_heads = config.auxiliary and not config.model.startswith("lraspp")
        arguments = {"aux_loss": True} if two_heads else {}
        self.network: nn.Module = getattr(segmentation, config.model)(
            weights=None, weights_backbone=None, num_classes=data.num_classes, **arguments
        )
        if config.backbone_weights and not config.weights:
            path, features = Path(config.backbone_weights), config.model.endswith("v3_large")
            backbone = self.network.get_submodule("backbone")
            load_part(backbone, path, "features." if features else "")
        for name, values in (("mean", _MEAN), ("std", _STD)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def forward(self, stage: str, batch: Batch) -> dict[str, Tensor]:
        """Return the losses of both heads, where there are two."""
        found = self._outputs(batch.image)
        losses = {"cross_entropy": cross_entropy(found["out"], batch.label)}
        if "aux" in found:
            auxiliary = cross_entropy(found["aux"], batch.label)
            losses["auxiliary"] = self.config.auxiliary_weight * auxiliary
        return losses

    def _outputs(self, image: Tensor) -> dict[str, Tensor]:
        outputs: dict[str, Tensor] = self.network((image - self.mean) / self.std)
        return outputs

    def logits(self, image: Tensor, seeds: Tensor) -> Tensor:
        return self._outputs(image)["out"]
