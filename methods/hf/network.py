"""A model and its processor, built by transformers and loaded without unpickling anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
import transformers
from torch import nn
from transformers.utils import logging

from bench import DataSpec, WeightsError, read_tensors
from methods.hf.checkpoint import MASKS, Checkpoint
from methods.hf.config import Config

PROCESSORS = {
    "segformer": "SegformerImageProcessor",
    "upernet": "SegformerImageProcessor",
    "beit": "BeitImageProcessor",
    "dpt": "DPTImageProcessor",
    "maskformer": "MaskFormerImageProcessor",
    "mask2former": "Mask2FormerImageProcessor",
    "eomt": "EomtImageProcessor",
}
"""What stands before and behind a model without a checkpoint, with its default settings."""


class LoadedModel(NamedTuple):
    """What transformers made of a configuration."""

    model: nn.Module
    processor: Any
    """From images to the model's arguments, and from its outputs to scores."""
    family: str


def load(config: Config, data: DataSpec) -> LoadedModel:
    """Build a model with a checkpoint's weights, or with ones that are drawn.

    Raises:
        WeightsError: if the files do not hold all that the model needs.
    """
    checkpoint = config.checkpoint
    with _quiet():
        if checkpoint is not None:
            model = _model(checkpoint, config.new_head, data.num_classes)
            return LoadedModel(model, _processor(checkpoint), checkpoint.family)
        fields = dict(config.architecture)
        family = str(fields.pop("model_type"))
        settings = transformers.AutoConfig.for_model(family, num_labels=data.num_classes, **fields)
        processor = getattr(transformers, PROCESSORS[family])()
        return LoadedModel(_class_of(settings, family)(settings), processor, family)


def _class_of(settings: Any, family: str) -> Any:
    semantic = transformers.MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING
    universal = transformers.MODEL_FOR_UNIVERSAL_SEGMENTATION_MAPPING
    return (universal if family in MASKS else semantic)[type(settings)]


def _model(checkpoint: Checkpoint, new_head: bool, num_classes: int) -> nn.Module:
    folder, changes = checkpoint.folder, {"num_labels": num_classes} if new_head else {}
    try:
        settings = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, **changes)
        arguments = {
            "config": settings,
            "dtype": torch.float32,
            "ignore_mismatched_sizes": new_head,
            "output_loading_info": True,
        }
        network = _class_of(settings, checkpoint.family)
        if checkpoint.pickled:
            tensors = read_tensors(checkpoint.weights[0])
            model, report = network.from_pretrained(None, state_dict=tensors, **arguments)
        else:
            model, report = network.from_pretrained(
                folder, use_safetensors=True, local_files_only=True, **arguments
            )
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise WeightsError(f"{folder}: transformers cannot load it ({reason})") from error
    missing = sorted(report["missing_keys"])
    if missing and (not new_head or len(missing) == len(model.state_dict())):
        some = ", ".join(missing[:3])
        raise WeightsError(f"{checkpoint.weights[0]}: lacks {len(missing)} tensors ({some})")
    loaded: nn.Module = model
    return loaded


def _processor(checkpoint: Checkpoint) -> Any:
    oneformer = checkpoint.family == "oneformer"  # its task is a text
    kind = transformers.AutoProcessor if oneformer else transformers.AutoImageProcessor
    try:
        return kind.from_pretrained(checkpoint.folder, local_files_only=True)
    except (OSError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise WeightsError(f"{checkpoint.folder}: no processor in it ({reason})") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's progress bars and tables of tensors from between the harness's own."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
