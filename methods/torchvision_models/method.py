"""Discriminative networks of torchvision: class scores in one pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bench import Batch, DataSpec, Method, WeightsError, ensure_torchvision, read_tensors
from methods._nn.loss import cross_entropy
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
            _load_backbone(self.network.get_submodule("backbone"), Path(config.backbone_weights))
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


def _load_backbone(backbone: nn.Module, path: Path) -> None:
    """Start from a classifier's weights; its last layers have no place.

    Raises:
        WeightsError: if the file cannot be read or is of another network.
    """
    tensors = {name.removeprefix("features."): x for name, x in _read(path).items()}
    places = backbone.state_dict()
    wrong = [k for k, x in places.items() if k not in tensors or tensors[k].shape != x.shape]
    if wrong:
        raise WeightsError(f"{path}: not of this backbone; it lacks {', '.join(wrong[:3])}")
    backbone.load_state_dict({name: tensors[name] for name in places})


def _read(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if path.suffix != ".safetensors":
        return read_tensors(path)
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path}: not a readable safetensors file ({error})") from error
