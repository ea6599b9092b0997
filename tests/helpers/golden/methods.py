"""Probes of a method: its initial weights, two steps of every stage, and what it then says.

Stages take plain gradient steps through the harness's own loop: Adam divides by gradients
that are zero but for rounding, such as those of biases before a norm, and would show noise.
Other optimisers are the training loop's matter.

A tolerance is at least a stated fraction of its number. Where rounding does more, because two
codes are equally near and one of them is taken, it is as much as makes weights that differ
by some roundings pass. Both leave a margin of 10 and more to what processors were seen to do.
"""

import json
import tempfile
from pathlib import Path

import numpy as np
import torch

from bench.core import seeding
from bench.core.registry import load_config
from bench.engine.accelerator import make_accelerator
from bench.engine.training.train import TrainingJob, train_stage
from bench.store.cells import StageFolder
from tests.helpers.drawn import Silent, split
from tests.helpers.golden.numbers import Entry, entry
from tests.helpers.small_methods import CLASSES, DATA, build, draw_batch

INITIAL = 1e-5
"""Of a norm; generators of normal numbers differ in the last of 24 bits, 6e-8."""
LOSS = 1e-4
UPDATE = 1e-3
SCORE = 1e-3
PIXELS = 0.005
"""Fraction of pixels whose two best classes may be as good as each other."""
DISTURBANCE = 1e-6
"""Relative change of weights that stands for another processor's rounding: 16 roundings."""
DISTURBANCES = 3
MARGIN = 20
STEPS = {
    "steps": 2,
    "batch_size": 2,
    "accumulate": 1,
    "optimizer": "sgd",
    "lr": 0.1,
    "weight_decay": 0.0,
    "warmup_steps": 0,
    "schedule": "constant",
    "grad_clip": 1.0,
    "ema": None,
}


def observe(name: str, disturbance: int = 0) -> dict[str, Entry]:
    """Return the numbers of all small presets of a method.

    Args:
        name: of the method.
        disturbance: if not 0, which one its initial weights have.
    """
    return {
        f"{preset} | {key}": numbers
        for preset in load_config(name)[1]
        if "tiny" in preset
        for key, numbers in _observe_preset(name, preset, disturbance).items()
    }


def observe_with_tolerance(name: str) -> dict[str, Entry]:
    """Return the same with tolerances that hold for disturbed weights."""
    numbers = observe(name)
    for disturbance in range(1, DISTURBANCES + 1):
        for key, disturbed in observe(name, disturbance).items():
            spread = np.abs(np.subtract(disturbed.values, numbers[key].values)).max(initial=0)
            tolerance = max(numbers[key].tolerance, float(f"{MARGIN * spread:.2g}"))
            numbers[key] = numbers[key]._replace(tolerance=tolerance)
    return numbers


def _observe_preset(name: str, preset: str, disturbance: int) -> dict[str, Entry]:
    method = build(name, preset, seed=0)
    numbers = {}
    for key, part in _parts(method).items():
        norm = part.norm().item()
        numbers[f"initial {key}: norm"] = entry(norm, INITIAL * norm)
        total = part.abs().sum().item()
        numbers[f"initial {key}: sum"] = entry(part.sum().item(), INITIAL * total / 10)
    if disturbance:
        _disturb(method, disturbance)
    for stage in method.config.stages(DATA):
        numbers |= _observe_stage(method, name, preset, stage)
    return numbers | _observe_outputs(method.requires_grad_(False).eval())


@torch.no_grad()
def _disturb(method, disturbance: int) -> None:
    generator = seeding.torch_generator(disturbance)
    for parameter in method.parameters():
        parameter.mul_(1 + DISTURBANCE * torch.randn(parameter.shape, generator=generator))


def _parts(method) -> dict[str, torch.Tensor]:
    """Gather the weights, and the buffers, of every module at the top, float64 [n]."""
    found: dict[str, list[torch.Tensor]] = {}
    weights = dict(method.named_parameters())
    for key, value in method.state_dict().items():
        part = key.partition(".")[0] + ("" if key in weights else "'s buffers")
        found.setdefault(part, []).append(value.detach().double().ravel())
    return {key: torch.cat(values) for key, values in found.items()}


def _observe_stage(method, name, preset, stage) -> dict[str, Entry]:
    before = _parts(method)
    if stage.steps:
        stage = stage.model_copy(update=STEPS)
    with tempfile.TemporaryDirectory() as folder:
        kept = StageFolder(Path(folder), "stage")
        job = TrainingJob(name, preset, stage, split(images=5), 0, kept)
        train_stage(method, job, make_accelerator(), Silent())
        log = kept.log.read_text() if stage.steps else ""
    numbers = {}
    for line in map(json.loads, log.splitlines()):
        for key, loss in line["loss"].items():
            where = f"{stage.name} step {line['step']}: loss {key}"
            numbers[where] = entry(loss, LOSS * max(abs(loss), 1e-9))
    for key, after in _parts(method).items():
        update = after - before[key]
        if norm := update.norm().item():
            wave = torch.cos(0.7 * torch.arange(len(update), dtype=torch.float64))
            values = [norm, (update @ wave).item()]
            numbers[f"{stage.name}: update of {key}"] = entry(values, UPDATE * norm)
    return numbers


@torch.inference_mode()
def _observe_outputs(method) -> dict[str, Entry]:
    """Return what a method says of some images, after its last step."""
    batch, tasks = draw_batch(seed=3), method.config.tasks
    numbers, labels = {}, {}
    if "predict" in tasks:
        labels["predict"] = method.predict(batch.image, batch.seeds)
        scores = method.logits(batch.image, batch.seeds)
        if scores is not None:
            spread = scores.double().std().item()
            numbers["logits: mean"] = entry(scores.double().mean((0, 2, 3)), SCORE * spread)
        if method.config.gives_probabilities:
            masses = method.probabilities(batch.image, batch.seeds).double()
            numbers["probabilities: mean"] = entry(masses.mean((0, 2, 3)), SCORE)
    if "reconstruct" in tasks:
        labels["reconstruct"] = method.reconstruct(batch.label, batch.seeds)
    if "oracle_codes" in tasks:
        labels["oracle_codes"] = method.oracle_codes(batch.image, batch.label, batch.seeds)
    for task, label in labels.items():
        histogram = torch.bincount(label.clamp(max=CLASSES).ravel(), minlength=CLASSES + 1)
        numbers[f"{task}: pixels"] = entry(histogram.double(), PIXELS * label.numel())
    return numbers
