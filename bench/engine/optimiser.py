"""From a stage's settings to an optimiser and its learning rates."""

from __future__ import annotations

import math
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import nn

from bench.core.errors import StageError
from bench.core.schema import Stage


def make_optimiser(modules: nn.ModuleDict, stage: Stage) -> torch.optim.Optimizer:
    """Return a stage's optimiser; each group has its ``lr_multiplier``.

    Raises:
        StageError: if a pattern of the stage matches no parameter.
    """
    groups = parameter_groups(modules, stage)
    if stage.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=stage.lr, momentum=stage.momentum)
    return torch.optim.AdamW(groups, lr=stage.lr, betas=stage.betas)


def parameter_groups(modules: nn.ModuleDict, stage: Stage) -> list[dict[str, Any]]:
    """Divide the parameters of modules by learning rate and weight decay.

    Vectors (biases, norms) are not decayed unless the stage says so.

    Raises:
        StageError: if a pattern of the stage matches no parameter.
    """
    named = {
        name.replace("/", "."): parameter
        for name, parameter in modules.named_parameters()
        if parameter.requires_grad
    }
    _check_patterns(stage, list(named))
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in named.items():
        groups.setdefault(_settings_of(name, parameter, stage), []).append(parameter)
    return [
        {"params": parameters, "lr_multiplier": multiplier, "weight_decay": decay}
        for (multiplier, decay), parameters in groups.items()
    ]


def _settings_of(name: str, parameter: nn.Parameter, stage: Stage) -> tuple[float, float]:
    """Return the multiplier of the learning rate and the weight decay of a parameter."""
    multiplier, decay = 1.0, stage.weight_decay
    for group in stage.groups:
        if any(fnmatchcase(name, pattern) for pattern in group.match):
            multiplier = group.lr_multiplier
            decay = stage.weight_decay if group.weight_decay is None else group.weight_decay
            break
    if stage.layer_decay is not None:
        layers = stage.layer_decay.layers
        matching = [i for i, pattern in enumerate(layers) if fnmatchcase(name, pattern)]
        depth = matching[0] if matching else len(layers)
        multiplier *= stage.layer_decay.rate ** (len(layers) - depth)
    exempt = any(fnmatchcase(name, pattern) for pattern in stage.no_decay)
    if exempt or (parameter.ndim <= 1 and not stage.decay_vectors):
        decay = 0.0
    return multiplier, decay


def _check_patterns(stage: Stage, names: list[str]) -> None:
    """Refuse patterns without effect: a misspelt one would train with other settings, silently."""
    layers = stage.layer_decay.layers if stage.layer_decay else ()
    grouped = [pattern for group in stage.groups for pattern in group.match]
    for pattern in (*stage.no_decay, *layers, *grouped):
        if not any(fnmatchcase(name, pattern) for name in names):
            some = ", ".join(names[:3])
            message = f"stage {stage.name!r}: pattern {pattern!r} matches no parameter"
            raise StageError(f"{message}; they are named like {some}")


def learning_rate(stage: Stage, step: int) -> float:
    """Return the learning rate of a step: linear warm-up, then the stage's decay to 0."""
    if step < stage.warmup_steps:
        return stage.lr * (step + 1) / (stage.warmup_steps + 1)
    done = (step - stage.warmup_steps) / max(1, stage.steps - stage.warmup_steps)
    if stage.schedule == "poly":
        return stage.lr * math.pow(1 - done, stage.power)
    if stage.schedule == "cosine":
        return stage.lr * 0.5 * (1 + math.cos(math.pi * done))
    return stage.lr
