"""Read the outputs of official code, and fill modules with the weights behind them.

A fixture is ``<name>.json`` with its source, config and parameter shapes, and
``<name>.npz`` with its arrays. ``BENCH_PARITY_FIXTURES`` names another directory of such
files, so nothing here or in the tests may assume a size, a seed or a name.
"""

import json
import math
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

DIRECTORY = Path(
    os.environ.get("BENCH_PARITY_FIXTURES", Path(__file__).parents[1] / "parity" / "fixtures")
)


class Fixture(NamedTuple):
    config: dict[str, Any]
    arrays: dict[str, np.ndarray]
    parameters: dict[str, list[int]]

    def tensor(self, name: str) -> Tensor:
        return torch.from_numpy(self.arrays[name])


def load(name: str) -> Fixture:
    description = json.loads((DIRECTORY / f"{name}.json").read_text())
    with np.load(DIRECTORY / f"{name}.npz", allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    return Fixture(description["config"], arrays, description["parameters"] or {})


def draw(key: str, shape: list[int]) -> Tensor:
    """Draw one parameter from its released key, by the rule of the fixtures' README."""
    generator = torch.Generator().manual_seed(zlib.crc32(key.encode()))
    value = torch.randn(shape, generator=generator)
    if key.endswith("running_var"):
        return value.abs() + 0.5
    if "embedding" in key or "pos_embed" in key:
        return value
    if len(shape) >= 2:
        return value * math.sqrt(2 / math.prod(shape[1:]))
    if key.endswith("weight"):
        return 1 + 0.1 * value
    return 0.1 * value


def fill(
    module: nn.Module,
    parameters: dict[str, list[int]],
    rename: Callable[[str], str] = lambda key: key,
) -> None:
    """Load a module with the drawn parameters; every floating-point entry must be met."""
    drawn = {rename(key): draw(key, shape) for key, shape in parameters.items()}
    state = module.state_dict()
    floating = {key for key, value in state.items() if value.is_floating_point()}
    assert floating == set(drawn), sorted(floating ^ set(drawn))
    module.load_state_dict({**state, **drawn})
