"""Released weights of GSS and of DALL-E as files that a configuration can name.

A file holds one stage of the method; ``weights: {prior: FILE}`` in a configuration puts it
in the place of training. SyncBN needs no change: BatchNorm has the same parameters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save
from torch import Tensor, nn

from bench.schema import DataSpec
from bench.store import write_atomic
from methods._nn.pickled import read_tensors
from methods._nn.weights import WeightsError, check_fit
from methods.gss.config import PRESETS, Config
from methods.gss.method import GSS
from methods.gss.released import backbone_name, dvae_name, head_name, inverse_name, is_inverse

_RECOMPUTED = "relative_position_index"  # not a weight: follows from the window's size


class Conversion(NamedTuple):
    """What became of a checkpoint."""

    files: dict[str, Path]
    """By stage, the file written."""
    mapped: int
    """Number of tensors that found their place."""
    unmapped: tuple[str, ...]
    """Names in the checkpoint for which the method has no place."""
    config: dict[str, Any]
    """What to set in a method's configuration, over the preset, to use the files."""


def convert(checkpoint: Path, config_name: str, destination: Path) -> Conversion:
    """Convert a checkpoint of the official repositories.

    Args:
        checkpoint: a GSS checkpoint of mmsegmentation (backbone and head; with the learned
            inverse for FT-W), or the folder with OpenAI's ``encoder.pkl`` and ``decoder.pkl``.
        config_name: the preset whose sizes the checkpoint has.
        destination: the folder to write to.

    Raises:
        WeightsError: if the checkpoint lacks what the preset needs, naming it, or there is
            no such preset.
        PickledError: if the file cannot be read.
    """
    if config_name not in PRESETS:
        raise WeightsError(f"gss has no preset {config_name!r}; known are {', '.join(PRESETS)}")
    config = PRESETS[config_name]
    if checkpoint.is_dir():
        return _convert_tokenizer(checkpoint, config, destination)
    return _convert_gss(read_tensors(checkpoint), config, destination)


def _convert_tokenizer(folder: Path, config: Config, destination: Path) -> Conversion:
    tensors = {
        f"{half}.{dvae_name(key)}": tensor.float()
        for half in ("encoder", "decoder")
        for key, tensor in read_tensors(folder / f"{half}.pkl").items()
    }
    config = config.model_copy(update={"tokenizer": "dalle"})
    wanted = _on_meta(config, num_classes=2).codec.tokenizer
    known, unmapped = _split(tensors, wanted)
    file = _write(destination, "tokenizer", "codec.tokenizer", known, wanted)
    settings = {"tokenizer": "dalle", "weights": {"tokenizer": str(file)}}
    return Conversion({"tokenizer": file}, len(known), unmapped, settings)


def _convert_gss(released: Mapping[str, Tensor], config: Config, destination: Path) -> Conversion:
    prior, inverse, unmapped = _rename(released)
    auxiliary = "head.pixels.weight" in prior
    changes: dict[str, Any] = {"head": {"auxiliary": auxiliary}}
    if inverse:
        changes["variant"] = "FT-W"
    built = Config.model_validate(
        config.model_dump() | changes | {"head": config.head.model_dump() | changes["head"]}
    )
    method = _on_meta(built, _num_classes(prior, inverse))
    known, extra = _split(prior, method.prior)
    files = {"prior": _write(destination, "prior", "prior", known, method.prior)}
    mapped = len(known)
    if inverse:
        wanted = method.codec.inverse
        known, more = _split(inverse, wanted)
        files["inverse"] = _write(destination, "inverse", "codec.inverse", known, wanted)
        mapped, extra = mapped + len(known), extra + more
    changes["weights"] = {stage: str(file) for stage, file in files.items()}
    return Conversion(files, mapped, tuple(sorted([*unmapped, *extra])), changes)


def _rename(
    released: Mapping[str, Tensor],
) -> tuple[dict[str, Tensor], dict[str, Tensor], list[str]]:
    """Sort a checkpoint into the prior, the learned inverse, and names without a place."""
    prior, inverse, unmapped = {}, {}, []
    for key, tensor in released.items():
        part, _, name = key.partition(".")
        if name.endswith(_RECOMPUTED):
            continue
        if part == "backbone":
            prior[f"backbone.{backbone_name(name)}"] = _patch_order(name, tensor)
        elif part == "decode_head" and is_inverse(name):
            inverse[inverse_name(name)] = tensor
        elif part == "decode_head":
            prior[f"head.{head_name(name)}"] = tensor
        else:
            unmapped.append(key)
    return prior, inverse, unmapped


def _patch_order(name: str, tensor: Tensor) -> Tensor:
    """Reorder what follows the merging of 2 x 2 patches in a Swin.

    mmsegmentation unfolds to (channel, row, column), the original and timm stack (column,
    row, channel).
    """
    if "downsample" not in name or not name.startswith("stages."):
        return tensor
    *lead, last = tensor.shape
    patches = tensor.reshape(*lead, last // 4, 2, 2)
    return patches.transpose(-1, -3).reshape(tensor.shape)


def _num_classes(prior: Mapping[str, Tensor], inverse: Mapping[str, Tensor]) -> int:
    """Count the rows of a classifier over classes."""
    for tensors, key in ((prior, "head.pixels.weight"), (inverse, "classify.weight")):
        if key in tensors:
            return len(tensors[key])
    return 1  # only the prior's own classifier, over codes


def _on_meta(config: Config, num_classes: int) -> GSS:
    """Build a method without memory for weights, for its names and shapes."""
    backbone = config.backbone.model_copy(update={"pretrained": False})
    changes = {"backbone": backbone, "colouring": "maximin"}
    names = tuple(f"class {k}" for k in range(num_classes))
    data = DataSpec(classes=names, palette=((0, 0, 0),) * num_classes, size=(64, 64))
    with torch.device("meta"):
        return GSS(config.model_copy(update=changes), data)


def _split(
    tensors: Mapping[str, Tensor], module: nn.Module
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Part tensors into those that a module has a place for, and the names of the rest."""
    places = module.state_dict()
    known = {key: tensor for key, tensor in tensors.items() if key in places}
    return known, tuple(key for key in tensors if key not in places)


def _write(
    destination: Path, stage: str, name: str, tensors: Mapping[str, Tensor], module: nn.Module
) -> Path:
    """Write one stage's file, named by its content so that another is never taken for it."""
    named = {f"{name}.{key}": tensor.contiguous() for key, tensor in tensors.items()}
    check_fit(f"the checkpoint's {stage}", named, {name: module})
    content = save(named)
    path = destination / f"gss-{stage}-{hashlib.sha256(content).hexdigest()[:12]}.safetensors"
    write_atomic(path, lambda file: file.write(content))
    return path
