"""Every method at its tiny size, on a batch of drawn images; built, or with one step learnt."""

from functools import cache

import pytest
import torch

from bench.core import seeding
from bench.core.registry import load_config, load_method, method_modules
from bench.core.schema import IGNORE_INDEX, Batch, DataSpec
from bench.engine.training.stages import trainable_modules

SIZE = (32, 64)
CLASSES = 5
DATA = DataSpec(
    classes=tuple(f"class {k}" for k in range(CLASSES)),
    palette=tuple((40 * k, 255 - 30 * k, 10 * k * k) for k in range(CLASSES)),
    size=SIZE,
)
CASES = [
    pytest.param(name, preset, id=f"{name}-{preset}")
    for name in method_modules()
    for preset in load_config(name)[1]
    if "tiny" in preset
]
every_method = pytest.mark.parametrize(("name", "preset"), CASES)


def build(name, preset, seed):
    config = load_config(name)[1][preset]
    with seeding.seeded(seed):
        return load_method(name)(config, DATA)


def draw_batch(rows=4, size=SIZE, seed=0):
    """Blocks of classes with a void corner, and images that show them under noise."""
    generator = seeding.torch_generator(seed)
    coarse = torch.randint(CLASSES, (rows, -(-size[0] // 8), -(-size[1] // 8)), generator=generator)
    label = coarse.repeat_interleave(8, 1).repeat_interleave(8, 2)[:, : size[0], : size[1]]
    image = label[:, None].expand(-1, 3, -1, -1) / CLASSES
    image = (image + 0.1 * torch.rand(image.shape, generator=generator)).clamp(0, 1)
    label = label.clone()
    label[:, :10, :10] = IGNORE_INDEX
    return Batch(image, label, torch.arange(rows) + 100)


def learned(name, preset):
    """A method each of whose stages took one step; evaluation mode, as the harness leaves it."""
    return learned_in(name, preset, torch.is_autocast_enabled("cpu"))


@cache
def learned_in(name, preset, mixed, seed=0):
    """Do what :func:`learned` says, once for each precision."""
    method = build(name, preset, seed)
    for stage in method.config.stages(DATA):
        modules = trainable_modules(method, stage)
        if stage.steps == 0:
            method.fit(stage.name, [draw_batch(seed=1), draw_batch(seed=2)])
            continue
        optimizer = torch.optim.SGD(modules.parameters(), lr=1e-3)
        with seeding.seeded(seed):
            sum(method(stage.name, draw_batch(seed=1)).values()).backward()
        optimizer.step()
        optimizer.zero_grad()
    return method.requires_grad_(False).eval()
