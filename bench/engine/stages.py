"""The weights of a stage: which modules it trains, loading and saving them."""

from __future__ import annotations

import hashlib
from typing import Any

from safetensors.torch import load, save
from torch import nn

from bench.core.errors import Diverged, StageError
from bench.core.files import write_atomic
from bench.core.method import Method
from bench.core.schema import Stage
from bench.store.cells import StageFolder


def trainable_modules(method: Method[Any], stage: Stage) -> nn.ModuleDict:
    """Freeze a method but for a stage's modules, and return these by name.

    Raises:
        StageError: if the method has no such module.
    """
    method.requires_grad_(False).eval()
    chosen = nn.ModuleDict()
    for name in stage.modules:
        try:
            module = method.get_submodule(name)
        except AttributeError:
            has = [child for child, _ in method.named_children()]
            message = f"stage {stage.name!r} trains {name!r}; {type(method).__name__} has {has}"
            raise StageError(message) from None
        chosen[name.replace(".", "/")] = module.requires_grad_(True).train()
    return chosen


def check_finite(stage: Stage, modules: nn.ModuleDict) -> None:
    """Refuse weights that are infinite or undefined, which the last step may leave.

    Raises:
        Diverged: naming the first such tensor.
    """
    for name, value in modules.state_dict().items():
        if value.is_floating_point() and not value.isfinite().all():
            raise Diverged(
                f"stage {stage.name!r}: {name.replace('/', '.')} is not finite at its end"
            )


def load_stage(method: Method[Any], stage: Stage, folder: StageFolder) -> str:
    """Load the weights that a finished stage left; return their SHA-256.

    Raises:
        StageError: if the file is not what the stage's summary says.
    """
    summary = folder.summary() or {}
    content = folder.weights.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != summary.get("weights"):
        message = f"{folder.weights}: not the weights that stage.json beside it records"
        raise StageError(f"{message}; `store check` sets it aside, `run` trains it again")
    trainable_modules(method, stage).load_state_dict(load(content))
    method.requires_grad_(False).eval()
    return digest


def save_weights(modules: nn.ModuleDict, folder: StageFolder) -> tuple[str, int]:
    """Write the modules' state; return the file's SHA-256 and its size in bytes."""
    state = {key: value.cpu().contiguous() for key, value in modules.state_dict().items()}
    content = save(state)
    write_atomic(folder.weights, lambda file: file.write(content))
    return hashlib.sha256(content).hexdigest(), len(content)
