"""Released weights of GSS and of DALL-E under this method's names.

SyncBN needs no change: BatchNorm has the same parameters. The released head holds the
discrete VAE as well, so a checkpoint of GSS has the tokenizer's weights in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from bench import Checkpoints, Conversion, DataSpec
from methods._nn.autoencoders.dalle import dvae_name
from methods.gss.config import Config
from methods.gss.released import backbone_name, head_name, inverse_name, is_inverse

_RECOMPUTED = "relative_position_index"  # not a weight: follows from the window's size
_HALVES = ("encoder", "decoder")
_SIZE = (64, 64)  # no shape depends on it


def convert(checkpoints: Checkpoints, config: Config) -> Conversion:
    """Name the tensors of the official releases.

    Args:
        checkpoints: a GSS checkpoint of mmsegmentation (backbone and head; with the learned
            inverse for FT-W), and OpenAI's ``encoder.pkl`` and ``decoder.pkl``; any of them.
        config: the preset.
    """
    stages: dict[str, dict[str, Tensor]] = {"tokenizer": {}, "prior": {}, "inverse": {}}
    unmapped = []
    for path, tensors in checkpoints.items():
        for key, tensor in tensors.items():
            if key.endswith(_RECOMPUTED):
                continue
            target = _target(path, key)
            if target is None:
                unmapped.append(key)
            else:
                stage, name = target
                stages[stage][name] = _patch_order(key, tensor)
    return Conversion(stages, _data(stages), _settings(stages), tuple(unmapped))


def _target(path: Path, key: str) -> tuple[str, str] | None:
    """Return the stage that a tensor belongs to and its name in the method."""
    part, _, name = key.partition(".")
    half, _, inner = name.removeprefix("d_vae.").partition(".")
    if part == "blocks" and path.stem in _HALVES:
        return "tokenizer", f"codec.tokenizer.{path.stem}.{dvae_name(key)}"
    if part == "backbone":
        return "prior", f"prior.backbone.{backbone_name(name)}"
    if part != "decode_head":
        return None
    if name.startswith("d_vae.") and half in _HALVES:
        return "tokenizer", f"codec.tokenizer.{half}.{dvae_name(inner)}"
    if is_inverse(name):
        return "inverse", f"codec.inverse.{inverse_name(name)}"
    renamed = head_name(name)
    return None if renamed is None else ("prior", f"prior.head.{renamed}")


def _settings(stages: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Any]:
    """Return what the checkpoints say of the variant."""
    settings: dict[str, Any] = {}
    if stages["tokenizer"]:
        settings["tokenizer"] = "dalle"
    if stages["prior"]:
        settings["head"] = {"auxiliary": "prior.head.pixels.weight" in stages["prior"]}
    if stages["inverse"]:
        settings["variant"] = "FT-W"
    return settings


def _data(stages: Mapping[str, Mapping[str, Tensor]]) -> DataSpec:
    """Count the classes: the rows of a classifier, if there is one over classes."""
    count = 1
    for stage, key in (
        ("prior", "prior.head.pixels.weight"),
        ("inverse", "codec.inverse.classify.weight"),
    ):
        if key in stages[stage]:
            count = len(stages[stage][key])
    classes = tuple(f"class {k}" for k in range(count))
    return DataSpec(classes=classes, palette=((0, 0, 0),) * count, size=_SIZE)


def _patch_order(key: str, tensor: Tensor) -> Tensor:
    """Reorder what follows the merging of 2 x 2 patches in a Swin.

    mmsegmentation unfolds to (channel, row, column), the original and timm stack (column,
    row, channel).
    """
    if not (key.startswith("backbone.stages.") and ".downsample." in key):
        return tensor
    *lead, last = tensor.shape
    patches = tensor.reshape(*lead, last // 4, 2, 2)
    return patches.transpose(-1, -3).reshape(tensor.shape)
