"""Probes of the training loop: five steps of a small linear model under each of its options.

In double precision, so that its weights tell any change of the arithmetic from rounding.
"""

import tempfile
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from safetensors.torch import load
from torch import nn

from bench.core import seeding
from bench.core.config import MethodConfig
from bench.core.method import Method
from bench.core.schema import IGNORE_INDEX
from bench.core.stage import LayerDecay, ParameterGroup, Stage
from bench.engine.accelerator import make_accelerator
from bench.engine.training.train import TrainingJob, train_stage
from bench.store.cells import StageFolder
from tests.helpers.drawn import Silent, split
from tests.helpers.golden.numbers import Entry, entry
from tests.helpers.small_methods import CLASSES, DATA

TOLERANCE = 1e-6
"""Of weights between 0.01 and 1; images are float32, whose rounding is the same everywhere."""
JITTERED = 1e-4
"""The same where the colour of some pixels may be rounded the other way, by 1/255."""
SGD = {"optimizer": "sgd", "lr": 0.5}
OPTIONS = {
    "adamw": {},
    "adamw: betas": {"betas": (0.5, 0.9)},
    "sgd": SGD,
    "sgd: momentum": {**SGD, "momentum": 0.5},
    "weight decay": {"weight_decay": 2.0},
    "decay_vectors": {"weight_decay": 2.0, "decay_vectors": True},
    "no_decay": {"weight_decay": 2.0, "no_decay": ("head.weight",)},
    "groups": {
        **SGD,
        "weight_decay": 0.2,
        "groups": (
            ParameterGroup(match=("head.*",), lr_multiplier=3.0),
            ParameterGroup(match=("*.weight",), lr_multiplier=0.5, weight_decay=0.1),
        ),
    },
    "layer_decay": {**SGD, "layer_decay": LayerDecay(rate=0.5, layers=("stem.*", "body.*"))},
    "ema": {"ema": 0.9},
    "warm-up": {**SGD, "warmup_steps": 3},
    "poly": {**SGD, "schedule": "poly", "power": 0.9},
    "cosine": {**SGD, "schedule": "cosine", "warmup_steps": 1},
    "constant": {**SGD, "schedule": "constant"},
    "clipped": {**SGD, "grad_clip": 0.05},
    "not clipped": {**SGD, "grad_clip": None},
    "accumulated": {**SGD, "accumulate": 2},
    "accumulated unevenly": {**SGD, "accumulate": 3, "batch_size": 4},
    "augmented": {**SGD, "augment": {"flip": True, "scale": (0.5, 2.0), "colour": 0.4}},
    "not augmented": {**SGD, "augment": {"flip": False}},
}


class _Settings(MethodConfig):
    tasks: ClassVar = ("predict",)


class Linear(Method):
    """Three linear layers on colour and place; its loss knows seeds, draws and the step."""

    def __init__(self):
        super().__init__(_Settings(), DATA)
        self.stem, self.body = nn.Linear(5, 4), nn.Linear(4, 4)
        self.head = nn.Linear(4, CLASSES)
        for parameter in self.parameters():
            wave = torch.cos(1.3 * torch.arange(1, 1 + parameter.numel(), dtype=torch.float64))
            parameter.data = 0.5 * wave.view(parameter.shape)

    def forward(self, stage, batch):
        rows, columns = (torch.arange(size).double() / size for size in batch.label.shape[1:])
        place = torch.stack(torch.meshgrid(rows, columns, indexing="ij"))
        place = place.expand(len(batch.image), -1, -1, -1)
        features = self.stem(torch.cat([batch.image.double(), place], 1).movedim(1, -1))
        scores = self.head(torch.tanh(self.body(features))).movedim(-1, 1)
        fit = nn.functional.cross_entropy(scores, batch.label, ignore_index=IGNORE_INDEX)
        own = torch.tensor([seeding.key(seed, "own") % 100 for seed in batch.seeds.tolist()])
        drawn = self.stem.bias.sum() * (own.double().mean() / 100 + torch.rand(()).double())
        return {"fit": fit, "drawn": drawn * 0.1 * (1 + batch.step) / max(1, batch.steps)}

    def predict(self, image, seeds):
        raise AssertionError("never asked")


def observe() -> dict[str, Entry]:
    """Return the weights that each option leaves."""
    return {name: _observe_option(settings) for name, settings in OPTIONS.items()}


def _observe_option(settings) -> Entry:
    given = {"lr": 0.05, "steps": 5, "batch_size": 3, **settings}
    stage = Stage.model_validate({"name": "fit", "modules": ("stem", "body", "head"), **given})
    method, images = Linear(), split(images=4, size=(40, 88), crop=(24, 48))
    with tempfile.TemporaryDirectory() as folder:
        job = TrainingJob("linear", "tiny", stage, images, 7, StageFolder(Path(folder), "stage"))
        train_stage(method, job, make_accelerator(), Silent())
        kept = job.folder.weights.read_bytes()
    return entry(_values(kept), JITTERED if stage.augment.colour else TOLERANCE)


def _values(weights: bytes) -> np.ndarray:
    return torch.cat([value.ravel() for _, value in sorted(load(weights).items())]).numpy()
