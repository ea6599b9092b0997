"""Released CAM-Seg checkpoints under this method's names.

``modelf16.ckpt`` is latent diffusion's kl-f16, with the tensors of its training loss.
``city768.16.pth`` holds transformer and diffusion head: under ``model`` as the released
notebook reads them, and averaged under ``model_ema``.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bench import Checkpoints, Conversion, DataSpec
from methods.cam_seg.config import Config
from methods.cam_seg.method import CamSeg
from methods.cam_seg.palette import RELEASED

SIDE = 768
"""Height and width of the images of the released weights (mahmed10/CAMSS train.py)."""
LOSS = "loss."
"""Prefix of the discriminator, LPIPS and output variance in ``modelf16.ckpt``."""
HEAD = "diffloss."
POSITIONS = "encoder_pos_embed_learned"


def convert(checkpoints: Checkpoints, config: Config) -> Conversion:
    """Name the tensors of the official releases.

    Args:
        checkpoints: ``modelf16.ckpt`` and ``city768.16.pth``, or files of their layouts;
            either or both.
        config: the preset.
    """
    data = _data(checkpoints, config)
    with torch.device("meta"):
        autoencoder = CamSeg(config, data).autoencoder
    stages: dict[str, dict[str, Tensor]] = {"autoencoder": {}, "prior": {}}
    unmapped = []
    for tensors in checkpoints.values():
        if "quant_conv.weight" not in tensors:
            stages["prior"] |= {_prior_name(key): value for key, value in tensors.items()}
            continue
        kept = {key: value for key, value in tensors.items() if not key.startswith(LOSS)}
        unmapped += [key for key in tensors if key.startswith(LOSS)]
        renamed = autoencoder.from_released(kept)
        stages["autoencoder"] |= {f"autoencoder.{key}": value for key, value in renamed.items()}
    return Conversion(stages, data, unmapped=tuple(unmapped))


def _prior_name(key: str) -> str:
    """Tell the head's tensors from the transformer's; names within them stay."""
    return f"head.{key.removeprefix(HEAD)}" if key.startswith(HEAD) else f"transformer.{key}"


def _data(checkpoints: Checkpoints, config: Config) -> DataSpec:
    """Read the size off the learned positions, which are those of image and mask."""
    side = SIDE
    for tensors in checkpoints.values():
        if POSITIONS in tensors:
            tokens = tensors[POSITIONS].shape[1] // 2
            side = math.isqrt(tokens) * config.autoencoder.stride * config.patch
    classes = tuple(f"class {index}" for index in range(len(RELEASED)))
    return DataSpec(classes=classes, palette=RELEASED, size=(side, side))
