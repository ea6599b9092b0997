"""Weights from a file in place of a training stage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor, nn


class WeightsError(ValueError):
    """A file of weights does not fit its modules."""


def load_weights(path: str | Path, modules: Mapping[str, nn.Module]) -> None:
    """Load a safetensors file whose keys start with the names of modules.

    Raises:
        WeightsError: if the file is absent or does not fit.
    """
    if not Path(path).is_file():
        raise WeightsError(f"{path}: no such file; `python -m bench weights convert` makes one")
    tensors = load_file(path)
    check_fit(str(path), tensors, modules)
    for name, module in modules.items():
        start = f"{name}."
        own = {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}
        module.load_state_dict(own)


def check_fit(source: str, tensors: Mapping[str, Tensor], modules: Mapping[str, nn.Module]) -> None:
    """Compare tensors with what modules need, key by key.

    Raises:
        WeightsError: if keys are missing, left over or of another shape, naming some.
    """
    wanted = {
        f"{name}.{key}": list(value.shape)
        for name, module in modules.items()
        for key, value in module.state_dict().items()
    }
    faults = []
    if missing := set(wanted) - set(tensors):
        faults.append(f"lacks {_some(missing)}")
    if extra := set(tensors) - set(wanted):
        faults.append(f"has {_some(extra)} beside")
    for key in sorted(set(tensors) & set(wanted)):
        if list(tensors[key].shape) != wanted[key]:
            faults.append(f"{key} is {list(tensors[key].shape)}, not {wanted[key]}")
    if faults:
        raise WeightsError(f"{source} does not fit {', '.join(modules)}: {'; '.join(faults[:5])}")


def _some(keys: set[str]) -> str:
    """Name the first few of many keys."""
    named = ", ".join(sorted(keys)[:3])
    return named if len(keys) <= 3 else f"{named} and {len(keys) - 3} more"
