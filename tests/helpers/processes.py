"""A small world for whole processes: drawn data, and methods that an installed package offers."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from bench.core.files import read_sealed
from bench.store.cells import CellStore
from bench.store.folders import SuiteFolder
from tests.helpers.camvid_tree import draw_camvid

ROOT = Path(__file__).parents[2]
METHOD = '''\
"""A network of two stages that trains for a second or two, with a checkpoint at every step."""

import os
import time

from torch import nn
from torch.nn import functional

from bench import IGNORE_INDEX, Method, MethodConfig, Stage
from bench.engine.training import train

train.CHECKPOINT_SECONDS = 0.0


class Config(MethodConfig):
    steps: int = 12
    pause: float = 0.05
    width: int = 4
    failing_rank: int = -1

    def stages(self, data):
        return (
            Stage(name="stem", modules=("stem",), steps=self.steps, batch_size=2),
            Stage(name="head", modules=("head",), steps=self.steps, batch_size=2),
        )

    def depends_on(self, stage):
        both = {"width": self.width}
        return both if stage == "stem" else {**both, "pause": self.pause}


PRESETS = {"tiny": Config()}


class Small(Method[Config]):
    def __init__(self, config, data):
        super().__init__(config, data)
        self.stem = nn.Conv2d(3, config.width, 3, padding=1)
        self.head = nn.Conv2d(config.width, data.num_classes, 1)

    def forward(self, stage, batch):
        time.sleep(self.config.pause)
        if self.config.failing_rank == int(os.environ.get("RANK", "0")) and batch.step == 3:
            raise RuntimeError("this rank fails")
        logits = self.head(self.stem(batch.image).relu())
        return {"loss": functional.cross_entropy(logits, batch.label, ignore_index=IGNORE_INDEX)}

    def predict(self, image, seeds):
        time.sleep(self.config.pause)
        return self.head(self.stem(image).relu()).argmax(1)
'''
SUITE = """\
name: small
question: What remains when processes are killed?
methods:
  - {adapter: small, label: One}
  - {adapter: small, label: Two, config: {pause: 0.06}}
  - {adapter: small, label: Three, config: {width: 6}}
  - {adapter: position_prior, label: Floor}
train_on: [camvid]
test_on: [camvid]
conditions:
  - {corruption: gaussian_noise, severities: [1, 3, 5]}
protocol: {resize: [24, 32], eval_at: input, metrics: [mIoU]}
"""


class ProcessWorld(NamedTuple):
    """A folder with data, a suite and a package of methods."""

    folder: Path

    def arguments(self, verb: str, output: str, *options: str) -> list[str]:
        """Return a command line of the harness, without the interpreter."""
        where = ["--data-root", str(self.folder), "--output", str(self.folder / output)]
        suite = str(self.folder / "small.yaml")
        return ["-m", "bench", verb, suite, *where, *options]

    def start(self, verb: str, output: str, *options: str, ranks: int = 1) -> subprocess.Popen[str]:
        """Start it as the leader of a process group of its own, or so many ranks of torchrun."""
        several = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={ranks}"]
        path = os.pathsep.join([str(self.folder / "package"), str(ROOT)])
        return subprocess.Popen(
            [
                sys.executable,
                *(several if ranks > 1 else []),
                *self.arguments(verb, output, *options),
            ],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, verb: str, output: str, *options: str, ranks: int = 1) -> tuple[int, str]:
        """Run it to its end; return its exit status and what it printed."""
        process = self.start(verb, output, *options, ranks=ranks)
        printed, _ = process.communicate(timeout=600)
        return process.returncode, printed

    def results(self, output: str) -> dict[str, object]:
        """Return all that must not depend on how a store was filled."""
        folder = SuiteFolder(self.folder / output / "small")
        cells = {
            str(record.cell): (
                record.key,
                record.status,
                record.weights,
                record.image_ids,
                {
                    name: a.tolist()
                    for name, a in folder.counts(record.key)._asdict().items()
                    if a is not None
                },
            )
            for record in folder.records()
        }
        store = CellStore(self.folder / output)
        weights = {key: store.stage(key).digest() for key in store.stage_keys()}
        steps = {
            key: [line["step"] for line in store.stage(key).log_lines()]
            for key in store.stage_keys()
        }
        return {"cells": cells, "weights": weights, "steps": steps}

    def trained(self, output: str) -> list[str]:
        """Return the seconds that each stage says it took, to see whether it was made anew."""
        paths = sorted((self.folder / output / "stages").glob("*/stage.json"))
        return [json.loads(read_sealed(path))["seconds"] for path in paths]


def make_world(folder: Path) -> ProcessWorld:
    """Draw data and write the suite and the package."""
    draw_camvid(folder / "camvid")
    (folder / "small.yaml").write_text(SUITE)
    package = folder / "package"
    info = package / "small_methods-1.dist-info"
    info.mkdir(parents=True)
    (package / "small_method_of_tests.py").write_text(METHOD)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: small-methods\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[bench.methods]\nsmall = small_method_of_tests\n")
    return ProcessWorld(folder)
