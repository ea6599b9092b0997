"""Released CAM-Seg checkpoints to this project's weights.

``modelf16.ckpt`` is latent diffusion's kl-f16 (tensors under ``state_dict``, with those of
its training loss); ``city768.16.pth`` holds transformer and diffusion head (under
``model``, and averaged under ``model_ema``). Both also carry what training left behind,
as pickled objects of libraries that are neither needed nor trusted here.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from bench.discover import resolve_config
from bench.schema import DataSpec
from methods.cam_seg.config import Config
from methods.cam_seg.method import CamSeg
from methods.cam_seg.palette import RELEASED

STAGES = {"state_dict": "autoencoder", "model": "prior", "model_ema": "prior"}
"""Where a checkpoint keeps its tensors, and the stage they belong to."""
SIDE = 768
"""Height and width of the images of the released weights (mahmed10/CAMSS train.py)."""
LOSS = "loss."
"""Prefix of the discriminator, LPIPS and output variance in ``modelf16.ckpt``."""
HEAD = "diffloss."


class ConversionError(Exception):
    """A checkpoint does not hold what a configuration needs."""


class Report(NamedTuple):
    """What was converted, and what was left behind."""

    stage: str
    tensors: int
    parameters: int
    ignored: tuple[str, ...]
    """Tensors that only the released training needs."""
    inert: tuple[str, ...]
    """Types of pickled objects in the checkpoint, none of which was created."""


class _Inert:
    """Stands in for every foreign object of a checkpoint; takes anything, does nothing."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def convert(
    checkpoint: Path, config_name: str, destination: Path, section: str | None = None
) -> Report:
    """Write a stage's weights, as the harness keeps them, for a preset such as ``paper``.

    Arguments and errors as of :func:`convert_for`.
    """
    config = resolve_config("cam_seg", config_name, {})
    assert isinstance(config, Config)
    classes = tuple(f"class {index}" for index in range(len(RELEASED)))
    data = DataSpec(classes=classes, palette=RELEASED, size=(SIDE, SIDE))
    return convert_for(config, data, checkpoint, destination, section)


def convert_for(
    config: Config, data: DataSpec, checkpoint: Path, destination: Path, section: str | None = None
) -> Report:
    """Write a stage's weights, as the harness keeps them, for any configuration.

    Args:
        config: whose modules the weights fill.
        data: of which the image size must be that of the weights.
        checkpoint: ``modelf16.ckpt`` or ``city768.16.pth``, or a file of either layout.
        destination: safetensors file to write.
        section: part of the checkpoint to read. By default ``state_dict`` or ``model``,
            whichever there is; ``model_ema`` gives the averaged weights, which the
            released notebook does not use.

    Raises:
        ConversionError: if the file is no such checkpoint, or if tensors are missing, left
            over or of another shape than the configuration's.
    """
    content, inert = _read(checkpoint)
    section = section or next((name for name in STAGES if name in content), "state_dict")
    if section not in content:
        raise ConversionError(f"{checkpoint}: no {section!r} in it, only {sorted(content)}")
    with torch.device("meta"):
        method = CamSeg(config, data)
    stage, released = STAGES[section], content[section]
    ignored = tuple(key for key in released if stage == "autoencoder" and key.startswith(LOSS))
    kept = {key: value for key, value in released.items() if key not in ignored}
    if stage == "autoencoder":
        renamed = _prefix("autoencoder", method.autoencoder.from_released(kept))
    else:
        renamed = _rename_prior(kept)
    _check(renamed, _expected(method, stage), checkpoint)
    destination.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: value.contiguous() for key, value in renamed.items()}, destination)
    parameters = sum(value.numel() for value in renamed.values())
    return Report(stage, len(renamed), parameters, ignored, inert)


def _read(checkpoint: Path) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Load tensors and plain containers; every other object becomes an inert one."""
    try:
        foreign = tuple(sorted(get_unsafe_globals_in_checkpoint(checkpoint)))
        with safe_globals([(_Inert, name) for name in foreign]):
            content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError) as error:
        reason = str(error).splitlines()[0]
        raise ConversionError(f"{checkpoint}: not a readable checkpoint ({reason})") from error
    if not isinstance(content, Mapping):
        raise ConversionError(f"{checkpoint}: holds a {type(content).__name__}, not a mapping")
    return content, foreign


def _rename_prior(released: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tell the head's tensors from the transformer's; names within them stay."""
    return {
        f"head.{key.removeprefix(HEAD)}" if key.startswith(HEAD) else f"transformer.{key}": value
        for key, value in released.items()
    }


def _prefix(module: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{module}.{key}": value for key, value in state.items()}


def _expected(method: CamSeg, stage: str) -> dict[str, Tensor]:
    modules = {"autoencoder": ("autoencoder",), "prior": ("transformer", "head")}[stage]
    return {
        key: value
        for name in modules
        for key, value in _prefix(name, method.get_submodule(name).state_dict()).items()
    }


def _check(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], checkpoint: Path) -> None:
    faults = {
        "missing": sorted(set(expected) - set(found)),
        "left over": sorted(set(found) - set(expected)),
        "of another shape": [
            f"{key} {tuple(value.shape)} for {tuple(expected[key].shape)}"
            for key, value in found.items()
            if key in expected and value.shape != expected[key].shape
        ],
    }
    told = [f"{len(keys)} {kind}: {', '.join(keys[:5])}" for kind, keys in faults.items() if keys]
    if told:
        raise ConversionError(f"{checkpoint}: tensors do not fit; {'; '.join(told)}")
