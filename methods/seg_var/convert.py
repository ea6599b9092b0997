"""VAR's released tokenizer under this method's names.

The authors of Seg-VAR released nothing; the tokenizer they start from is VAR's,
``vae_ch160v4096z32.pth`` (FoundationVision/VAR).
"""

from __future__ import annotations

import torch

from bench import Checkpoints, Conversion, DataSpec
from methods.seg_var.config import Config

HITS = "quantize.ema_vocab_hit_SV"
"""How often each scale uses each code: statistics, which no prediction reads."""
PREFIX = "tokenizer.autoencoder."


def convert(checkpoints: Checkpoints, config: Config) -> Conversion:
    """Name the tensors of VAR's tokenizer; its parameters have the released names here.

    Args:
        checkpoints: ``vae_ch160v4096z32.pth``.
        config: the preset. With another number of scales than the release, the use of codes
            starts uncounted.
    """
    tensors = {key: value for file in checkpoints.values() for key, value in file.items()}
    scales = len(config.tokenizer.sides)
    if HITS in tensors and len(tensors[HITS]) != scales:
        tensors[HITS] = torch.zeros(scales, tensors[HITS].shape[1])
    named = {f"{PREFIX}{key}": value for key, value in tensors.items()}
    data = DataSpec(classes=("class",), palette=((0, 0, 0),), size=(256, 256))
    return Conversion({"tokenizer": named}, data)
