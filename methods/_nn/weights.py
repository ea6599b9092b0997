"""Weights from a file in place of a training stage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import load_file
from torch import nn


class WeightsError(ValueError):
    """A file of weights does not fit its modules."""


def load_weights(path: str | Path, modules: Mapping[str, nn.Module]) -> None:
    """Load a safetensors file whose keys start with the names of modules.

    Raises:
        WeightsError: if the file is absent, or keys are missing, left over or of another
            shape; it names some of them.
    """
    if not Path(path).is_file():
        raise WeightsError(f"{path}: no such file; `python -m bench weights convert` makes one")
    tensors = load_file(path)
    wanted = {
        f"{name}.{key}": value.shape
        for name, module in modules.items()
        for key, value in module.state_dict().items()
    }
    faults = [f"lacks {_some(set(wanted) - set(tensors))}"] if set(wanted) - set(tensors) else []
    if set(tensors) - set(wanted):
        faults.append(f"has {_some(set(tensors) - set(wanted))} beside")
    for key in sorted(set(tensors) & set(wanted)):
        if tensors[key].shape != wanted[key]:
            found, expected = list(tensors[key].shape), list(wanted[key])
            faults.append(f"{key} is {found}, not {expected}")
    if faults:
        raise WeightsError(f"{path} does not fit {', '.join(modules)}: {'; '.join(faults[:5])}")
    for name, module in modules.items():
        start = f"{name}."
        own = {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}
        module.load_state_dict(own)


def _some(keys: set[str]) -> str:
    """Name the first few of many keys."""
    named = ", ".join(sorted(keys)[:3])
    return named if len(keys) <= 3 else f"{named} and {len(keys) - 3} more"
