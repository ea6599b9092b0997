"""Released tokenizers under this method's names: DALL-E, VQGAN, KL autoencoders.

CompVis/taming-transformers (``vqgan_imagenet_f16_1024``, ``..._16384``), latent diffusion's
kl-f16 (CAM-Seg's ``modelf16.ckpt``) and the first stage of Stable Diffusion, alone or within
the whole checkpoint, hold the discriminator and LPIPS of their training as well: these are
left out.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from bench import Checkpoints, Conversion, DataSpec
from methods._nn.autoencoders.dalle import dvae_name
from methods.codec.coder import DalleCoder, KLCoder, VQGANCoder
from methods.codec.config import Config
from methods.codec.method import Codec

FIRST_STAGE = "first_stage_model."
"""Prefix of the autoencoder in Stable Diffusion's whole checkpoints."""
_CODEBOOK = "quantize.embedding.weight"


def convert(checkpoints: Checkpoints, config: Config) -> Conversion:
    """Name the tensors of one release.

    Args:
        checkpoints: one file of CompVis, or OpenAI's ``encoder.pkl`` and ``decoder.pkl``.
        config: the preset, whose tokenizer says which.
    """
    data = DataSpec(classes=("class 0",), palette=((0, 0, 0),), size=(64, 64))
    with torch.device("meta"):
        method = Codec(config, data)
    expected = method.state_dict()
    mapped: dict[str, Tensor] = {}
    unmapped = []
    for path, tensors in checkpoints.items():
        in_whole_model = any(key.startswith(FIRST_STAGE) for key in tensors)
        for key, tensor in tensors.items():
            inner = key.removeprefix(FIRST_STAGE)
            name, value = _target(method, path, inner, tensor)
            if name in expected and (key != inner or not in_whole_model):
                mapped[name] = value
            else:
                unmapped.append(key)
    return Conversion({config.train_codec.name: mapped}, data, unmapped=tuple(unmapped))


def _target(method: Codec, path: Path, key: str, tensor: Tensor) -> tuple[str, Tensor]:
    """Return a tensor's name in the method, and the tensor as it is shaped there."""
    coder = method.coder
    if isinstance(coder, DalleCoder):
        return f"coder.{path.stem}.{dvae_name(key)}", tensor.float()
    if isinstance(coder, KLCoder):
        ((name, value),) = coder.autoencoder.from_released({key: tensor}).items()
        return f"coder.autoencoder.{name}", value
    if isinstance(coder, VQGANCoder) and key == _CODEBOOK:
        return "coder.bottleneck.quantiser.embedding.weight", tensor
    return f"coder.autoencoder.{key}", tensor
