"""Discriminative baselines: an image goes to class scores in one pass.

SegFormer comes from transformers, DeepLabV3+ from segmentation-models-pytorch. Published sizes
start from weights of ImageNet, the others from drawn ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench import Batch, DataSpec, Method, WeightsError, ensure_torchvision
from methods._nn.loss import cross_entropy
from methods._nn.padding import pad_image
from methods._nn.pretrained import find, load_part, read_weights
from methods.baselines.config import Config, DeepLabV3PlusSettings, SegformerSettings

_MULTIPLE = 32  # the deepest stride of either network


class Baseline(Method[Config]):
    """Cross-entropy per pixel on a network from a library."""

    mean: Tensor  # float32 [3, 1, 1]
    std: Tensor  # float32 [3, 1, 1]

    def __init__(self, config: Config, data: DataSpec) -> None:
        super().__init__(config, data)
        ensure_torchvision()
        self.network: nn.Module
        if config.architecture == "segformer":
            self.network = SegformerLogits(config.segformer, data.num_classes)
        else:
            self.network = _deeplabv3plus(config.deeplabv3plus, data.num_classes)
        if config.pretrained and not config.weights:
            self._start_from(config.pretrained)
        for name in ("mean", "std"):
            value = torch.tensor(getattr(config, name)).view(3, 1, 1)
            self.register_buffer(name, value, persistent=False)

    def _start_from(self, source: str) -> None:
        """Load the encoder's weights.

        Raises:
            WeightsError: if they are not here, or of another encoder.
        """
        path = find(source)
        if path is None:
            raise WeightsError(self.config.needs()[0][1])
        if self.config.architecture == "segformer":
            _load_mix_transformer(self.network.get_submodule("model"), path)
        else:
            timm = self.config.deeplabv3plus.backbone.startswith("tu-")
            load_part(self.network.get_submodule("encoder.model" if timm else "encoder"), path)

    def forward(self, stage: str, batch: Batch) -> dict[str, Tensor]:
        scores = self.logits(batch.image, batch.seeds)
        return {"cross_entropy": cross_entropy(scores, batch.label)}

    def logits(self, image: Tensor, seeds: Tensor) -> Tensor:
        """Return logits at the size of the image."""
        height, width = image.shape[2:]
        padded = pad_image((image - self.mean) / self.std, _MULTIPLE)
        logits: Tensor = self.network(padded).float()
        logits = F.interpolate(logits, padded.shape[2:], mode="bilinear", align_corners=False)
        return logits[:, :, :height, :width]


class SegformerLogits(nn.Module):
    """The library's model with its logits alone: [B, 3, H, W] to [B, K, H/s, W/s]."""

    def __init__(self, config: SegformerSettings, num_classes: int) -> None:
        from transformers import SegformerConfig, SegformerForSemanticSegmentation

        super().__init__()
        self.model = SegformerForSemanticSegmentation(
            SegformerConfig(
                num_labels=num_classes,
                hidden_sizes=list(config.widths),
                depths=list(config.depths),
                num_attention_heads=list(config.heads),
                strides=[config.first_stride, 2, 2, 2],
                decoder_hidden_size=config.decoder_width,
                drop_path_rate=config.drop_path,
                classifier_dropout_prob=config.dropout,
                reshape_last_stage=True,
            )
        )

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.model(pixel_values=image).logits
        return logits


def _load_mix_transformer(model: Any, path: Path) -> None:
    """Load a SegFormer's encoder through the library, which knows its older names too."""
    try:
        loaded, report = type(model).from_pretrained(
            None, state_dict=read_weights(path), config=model.config, output_loading_info=True
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise WeightsError(
            f"{path}: not of this backbone ({' '.join(str(error).split())})"
        ) from error
    missing = [name for name in report["missing_keys"] if not name.startswith("decode_head.")]
    if missing:
        raise WeightsError(f"{path}: not of this backbone; it lacks {', '.join(missing[:3])}")
    model.segformer.load_state_dict(loaded.segformer.state_dict())


def _deeplabv3plus(config: DeepLabV3PlusSettings, num_classes: int) -> nn.Module:
    import segmentation_models_pytorch as smp

    network: nn.Module = smp.DeepLabV3Plus(
        encoder_name=config.backbone,
        encoder_weights=None,
        encoder_output_stride=config.output_stride,
        decoder_channels=config.decoder_width,
        decoder_atrous_rates=config.atrous_rates,
        decoder_aspp_dropout=config.dropout,
        classes=num_classes,
    )
    return network
