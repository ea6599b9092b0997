"""Loading beside a stand-in model that sleeps 50 ms per image, on 1024 x 2048 images of PNG files.

Wall time, with as many cores as loading needs free: on a busy machine the figures mean little.
By default two workers; BENCH_WORKERS=8 takes eight, as a machine with so many cores would.
"""

import io
import os
import time

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core.config import MethodConfig
from bench.core.method import Method
from bench.core.schema import CLEAN, Condition, DataRef, DataSpec, Protocol
from bench.core.stage import Augment, Stage
from bench.data.dataset import Dataset, LabelSpace, NoOptions, Sample
from bench.data.files.array_cache import ArrayCache
from bench.data.split import Split
from bench.data.workers import INLINE, Workers
from bench.engine.accelerator import make_accelerator
from bench.engine.evaluation.evaluate import evaluate
from bench.engine.evaluation.loading import EvaluationJob
from bench.engine.training.train import TrainingJob, train_stage
from bench.store.cells import StageFolder
from tests.helpers.drawn import Silent
from tests.helpers.measuring import ratio_of

PAUSE = 0.05
WORKERS = int(os.environ.get("BENCH_WORKERS", "2"))
CONDITIONS = [
    Condition(corruption=name, severity=3)
    for name in ("contrast", "jpeg_compression", "pixelate", "brightness")
]
CLASSES = tuple(f"class {k}" for k in range(19))
PALETTE = tuple((k, k, k) for k in range(19))
DIFFERENT = 4
"""Images that the files are copies of."""


class Files(Dataset):
    """Images that are decoded from PNG each time; their bytes are in memory."""

    title, licence, citation = "files", "none", "none"
    splits, needs_root = ("val",), False
    label_space = LabelSpace(name="files", classes=CLASSES, palette=PALETTE)

    def __init__(self, images, size):
        super().__init__("val", "", None, NoOptions())
        self.images, self.size = images, size
        draws = np.random.default_rng(0)
        coarse = [
            draws.integers(0, 256, (size[0] // 16, size[1] // 16, 3)).astype(np.uint8)
            for _ in range(DIFFERENT)
        ]
        smooth = [Image.fromarray(c).resize(size[::-1], Image.Resampling.BICUBIC) for c in coarse]
        labels = [np.asarray(image)[..., 0] // 14 for image in smooth]
        self.files = [_png(image) for image in smooth]
        self.labels = [_png(Image.fromarray(label)) for label in labels]

    def check(self):
        pass

    def __len__(self):
        return self.images

    def __getitem__(self, index):
        content = (self.files[index % DIFFERENT], self.labels[index % DIFFERENT])
        image, label = (np.asarray(Image.open(io.BytesIO(file))) for file in content)
        return Sample(f"{index}", image, label)

    def ids(self):
        return tuple(f"{index}" for index in range(self.images))

    def fingerprint(self):
        return f"files {self.images} {self.size}"


def _png(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


class StandIn(Method):
    """Sleeps, and answers with bands."""

    def __init__(self, size):
        super().__init__(MethodConfig(), DataSpec(classes=CLASSES, palette=PALETTE, size=size))
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.part = torch.nn.ParameterList([self.weight])
        self.busy = 0.0

    def _sleep(self, images):
        started = time.perf_counter()
        time.sleep(PAUSE * images)
        self.busy += time.perf_counter() - started

    def forward(self, stage, batch):
        self._sleep(len(batch.seeds))
        return {"loss": self.weight.square().sum()}

    def predict(self, image, seeds):
        self._sleep(len(image))
        rows = torch.arange(image.shape[2]) // 64 % len(CLASSES)
        return rows[None, :, None].expand(len(image), -1, image.shape[3]).contiguous()


def split_of(dataset, size, cache=None):
    protocol = Protocol(resize=size, micro_batch=1, crop=(size[0] // 2, size[1] // 4))
    split = Split(dataset, DataRef(dataset="files", split="val"), protocol, cache=cache)
    split.room = -1  # so that every image is decoded whenever it is needed
    return split


@pytest.fixture(scope="module")
def sizes(request):
    """How many images, and their height and width."""
    return (12, (256, 512)) if request.config.getoption("--light") else (100, (1024, 2048))


def evaluation(split, workers, condition):
    """Evaluate; return the wall time and the share of it in which the model was busy."""
    method = StandIn(split.protocol.resize)
    job = EvaluationJob(split, condition, "predict", 0)
    started = time.perf_counter()
    evaluate(method, job, make_accelerator(), Silent(), workers)
    wall = time.perf_counter() - started
    return wall, method.busy / wall


def test_evaluation(performance, sizes, tmp_path):
    dataset, size = Files(*sizes), sizes[1]
    workers = Workers(WORKERS)
    try:
        plain = split_of(dataset, size)
        few = split_of(Files(2, size), size)
        evaluation(few, workers, CLEAN)
        rounds = [
            (evaluation(plain, workers, c)[0], evaluation(plain, INLINE, c)[0]) for c in CONDITIONS
        ]
        name = f"evaluation under 4 corruptions, {WORKERS} workers"
        performance.faster(name, "no workers (wall)", ratio_of(rounds), 1.7)
        cached = split_of(dataset, size, ArrayCache(tmp_path / "arrays"))
        first = [evaluation(cached, workers, condition) for condition in CONDITIONS]
        further = [evaluation(cached, workers, condition) for condition in CONDITIONS]
    finally:
        workers.close()
    wall = [sum(w for w, _ in runs) for runs in (first, further)]
    busy = [
        sum(w * share for w, share in runs) / total
        for runs, total in zip((first, further), wall, strict=True)
    ]
    performance.at_least(
        f"model busy in evaluation, {WORKERS} workers, a method after the first",
        busy[1],
        0.9,
        f"{wall[1]:.0f} s of wall; the first method {busy[0]:.0%} of {wall[0]:.0f} s",
    )


def test_training(performance, sizes, tmp_path, light):
    dataset, size = Files(*sizes), sizes[1]
    split = split_of(dataset, size)
    steps = 4 if light else 20
    stage = Stage(
        name="stage", modules=("part",), steps=steps, batch_size=4,
        augment=Augment(scale=(0.5, 1.5), colour=0.2),
    )  # fmt: skip

    def training(workers, name):
        method = StandIn(size)
        job = TrainingJob("stand_in", "tiny", stage, split, 0, StageFolder(tmp_path, name))
        started = time.perf_counter()
        train_stage(method, job, make_accelerator(), Silent(), workers)
        return time.perf_counter() - started

    workers = Workers(WORKERS)
    try:
        training(workers, "first")
        rounds = [
            (training(workers, f"with {n}"), training(INLINE, f"without {n}"))
            for n in range(1 if light else 3)
        ]
    finally:
        workers.close()
    name = f"training on crops of 1024 x 2048, {WORKERS} workers"
    performance.faster(name, "no workers (wall)", ratio_of(rounds), 1.7)
