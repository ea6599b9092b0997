"""The only training loop.

A stage is trained from its key alone: the images of a step, their augmentation and
every draw of the method depend on (seed, stage, step, image), never on how often the
run was interrupted. Resuming from a checkpoint therefore gives the same weights.
"""

from __future__ import annotations

import io
import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from bench.core import seeding
from bench.core.errors import Diverged, StageError
from bench.core.files import write_atomic
from bench.core.method import Method
from bench.core.schema import Batch
from bench.core.stage import Stage
from bench.data.split import Split
from bench.data.workers import INLINE, Workers
from bench.engine.accelerator import agree_on_failure, provenance_of
from bench.engine.interrupt import held_back
from bench.engine.progress import Progress
from bench.engine.training.batches import Share, load_steps, whole_batches
from bench.engine.training.optimiser import learning_rate, make_optimiser
from bench.engine.training.stages import check_finite, save_weights, trainable_modules
from bench.engine.training.weights import load_weights, start_from, submodules
from bench.store.cells import StageFolder

CHECKPOINT_SECONDS = 60.0
Tensors = tuple[Tensor, ...] | list[Tensor]
Result = TypeVar("Result")
logger = logging.getLogger(__name__)

LOG_LINES = 200
"""Lines of a stage's log, whatever its length."""


class TrainingJob(NamedTuple):
    """A stage to train, and on what."""

    adapter: str
    """The method's name."""
    preset: str
    stage: Stage
    split: Split
    seed: int
    """The suite's seed: root of the order of images, of augmentation and of draws."""
    folder: StageFolder
    """Where weights, log and summary go; holds a checkpoint if interrupted."""
    given: Path | None = None
    """A file of weights to load instead of training."""
    start: Path | None = None
    """A file of weights to start training from."""
    step_flops: float | None = None
    """Operations of a step, where they were counted."""


def train_stage(
    method: Method[Any],
    job: TrainingJob,
    accelerator: Accelerator,
    progress: Progress,
    workers: Workers = INLINE,
) -> None:
    """Train one stage, or load what is given for it, and save the weights of its modules.

    Args:
        method: with all earlier stages' weights loaded.
        job: what to train, on what.
        accelerator: the process's device and peers.
        progress: told the loss at every step.
        workers: who loads and augments images.

    Raises:
        LoadingError: if a worker was killed.
        Diverged: if a loss is not finite, naming the step and the term.
        StageError: if the stage names modules that the method lacks, or if its batch has no
            image for some process.
        WeightsError: if the weights given are not those of the stage's modules.
    """
    stage = job.stage
    modules = trainable_modules(method, stage)
    method.to(accelerator.device)
    started, earlier = time.monotonic(), 0.0
    losses: dict[str, float] = {}
    if job.start is not None:
        start_from(job.start, submodules(method, stage.modules))
    if job.given is not None:
        load_weights(job.given, submodules(method, stage.modules))
    elif stage.steps == 0:
        with seeding.seeded(seeding.key("fit", job.seed, stage.name)):
            method.fit(stage.name, _all_batches(job, accelerator, progress))
    else:
        run = _Run(method, job, modules, accelerator)
        earlier = run.seconds
        try:
            losses = run.train(progress, workers)
        finally:
            accelerator.free_memory()
        modules = run.result()
    check_finite(stage, modules)
    if accelerator.is_main_process:
        digest, size = save_weights(modules, job.folder)
        made = provenance_of(accelerator)
        job.folder.finish(
            {
                "method": job.adapter,
                "preset": job.preset,
                "size": method.data.size,
                "stage": stage.model_dump(mode="json"),
                "seed": job.seed,
                "weights": digest,
                "weights_bytes": size,
                "log": job.folder.log_digest(),
                "samples": stage.steps * stage.batch_size,
                "flops": job.step_flops and job.step_flops * stage.steps,
                "parameters_trained": sum(p.numel() for p in modules.parameters()),
                "seconds": earlier + time.monotonic() - started,
                "losses": losses,
                "provenance": made.model_dump(mode="json"),
            }
        )
    accelerator.wait_for_everyone()


class _Run:
    """The state of a stage in training: what a checkpoint holds."""

    def __init__(
        self,
        method: Method[Any],
        job: TrainingJob,
        modules: nn.ModuleDict,
        accelerator: Accelerator,
    ) -> None:
        self.job, self.stage, self.seed = job, job.stage, job.seed
        self.split, self.folder = job.split, job.folder
        self.accelerator = accelerator
        stage = job.stage
        if stage.batch_size < accelerator.num_processes:
            shares = f"{stage.batch_size} image(s) a step for {accelerator.num_processes} processes"
            raise StageError(f"stage {stage.name!r} has {shares}; use fewer processes")
        self.modules = modules
        optimizer = make_optimiser(modules, stage)
        if stage.sync_bn and accelerator.num_processes > 1:
            nn.SyncBatchNorm.convert_sync_batchnorm(method)  # type: ignore[no-untyped-call]
        self.average = _average(modules, stage.ema) if stage.ema else None
        self.model, self.optimizer = accelerator.prepare(method, optimizer)
        self.step = 0
        self.seconds = 0.0
        self._resume()

    def result(self) -> nn.ModuleDict:
        """Return the modules to keep: the averaged ones where there is an average."""
        if self.average is None:
            return self.modules
        kept = self.average.module
        assert isinstance(kept, nn.ModuleDict)
        return kept

    def train(self, progress: Progress, workers: Workers) -> dict[str, float]:
        """Run the remaining steps; return the last losses."""
        stage, shared = self.stage, self.accelerator
        share = Share(self.split, stage, self.seed, shared.process_index, shared.num_processes)
        batches = load_steps(share, self.step, shared.device, workers)
        progress.begin(f"training {stage.name}", stage.steps)
        saved = started = time.monotonic()
        before = self.seconds
        losses: dict[str, float] = {}
        with closing(batches), held_back() as signalled:
            while self.step < stage.steps:
                losses = self._optimise(self._agreed(partial(next, batches)))
                self.step += 1
                self.seconds = before + time.monotonic() - started
                progress.advance(self.step, f"loss {sum(losses.values()):.3f}")
                self._log(losses)
                if signalled.number or time.monotonic() - saved >= CHECKPOINT_SECONDS:
                    self._checkpoint()
                    saved = time.monotonic()
                signalled.release()
        return losses

    def _optimise(self, parts: list[Batch]) -> dict[str, float]:
        """Take one optimiser step, over all accumulated micro-steps and processes."""
        stage, rate = self.stage, learning_rate(self.stage, self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["lr_multiplier"]
        total: dict[str, float] = {}
        with seeding.seeded(seeding.key("step", self.seed, stage.name, self.step)):
            for part in parts:
                more = part is not parts[-1]
                with self.accelerator.no_sync(self.model) if more else nullcontext():
                    losses = self._agreed(partial(self._losses, part))
                    self.accelerator.backward(sum(losses.values()) / len(parts))
                for name, value in losses.items():
                    total[name] = total.get(name, 0.0) + value.item() / len(parts)
            if stage.grad_clip is not None:
                self.accelerator.clip_grad_norm_(self.modules.parameters(), stage.grad_clip)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
        if self.average is not None:
            self.average.update_parameters(self.modules)
        return total

    def _agreed(self, compute: Callable[[], Result]) -> Result:
        """Return what is computed; if it fails in one process, it fails in all."""
        result, error = None, None
        try:
            result = compute()
        except Exception as raised:
            error = raised
        agree_on_failure(self.accelerator, error)
        return cast(Result, result)

    def _losses(self, part: Batch) -> dict[str, Tensor]:
        """Return the losses of a micro-step.

        Raises:
            Diverged: if one is not finite.
        """
        with self.accelerator.autocast():
            losses: dict[str, Tensor] = self.model(self.stage.name, part)
        for name, loss in losses.items():
            if not math.isfinite(loss.item()):
                message = f"stage {self.stage.name!r}, step {self.step}: loss {name!r} is"
                raise Diverged(f"{message} {loss.item()}; a lower lr or grad_clip may help")
        return losses

    def _log(self, losses: dict[str, float]) -> None:
        every = max(1, self.stage.steps // LOG_LINES)
        if not self.accelerator.is_main_process or self.step % every:
            return
        line = {
            "step": self.step,
            "loss": losses,
            "lr": learning_rate(self.stage, self.step - 1),
            "seconds": round(self.seconds, 3),
        }
        self.folder.path.mkdir(parents=True, exist_ok=True)
        with self.folder.log.open("a") as file:
            file.write(json.dumps(line) + "\n")
        name = f"{self.stage.name}/{self.folder.key}"
        tracked = {f"{name}/{term}": value for term, value in losses.items()}
        self.accelerator.log(tracked, step=self.step)

    def _checkpoint(self) -> None:
        if not self.accelerator.is_main_process:
            return
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "modules": self.modules.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.state_dict() if self.average else {},
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        self.folder.write_checkpoint(buffer.getvalue())

    def _resume(self) -> None:
        """Go back to the last checkpoint, or to the start; drop log lines after it."""
        content = self.folder.checkpoint_content()
        if content is None and self.folder.checkpoint.exists():
            logger.warning("%s: damaged; trained from the start", self.folder.checkpoint)
        if content is not None:
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            self.step, self.seconds = state["step"], state["seconds"]
            self.modules.load_state_dict(state["modules"])
            self.optimizer.load_state_dict(state["optimizer"])
            if self.average is not None:
                self.average.load_state_dict(state["average"])
        if self.folder.log.exists() and self.accelerator.is_main_process:
            lines = self.folder.log.read_text().splitlines(keepends=True)
            kept = [line for line in lines if json.loads(line)["step"] <= self.step]
            write_atomic(self.folder.log, lambda file: file.write("".join(kept).encode()))


def _all_batches(job: TrainingJob, accelerator: Accelerator, progress: Progress) -> Iterator[Batch]:
    """Yield every training image once, unchanged and in order."""
    progress.begin(f"fitting {job.stage.name}", len(job.split))
    done = 0
    for batch in whole_batches(job.split, job.stage, job.seed, accelerator.device):
        yield batch
        done += len(batch.seeds)
        progress.advance(done)


def _average(modules: nn.ModuleDict, decay: float) -> AveragedModel:
    """Return an exponential moving average of weights and buffers.

    The decay rises as (1 + n) / (10 + n) at first, as in TensorFlow's
    ``ExponentialMovingAverage``, so that short stages are not averaged with their start.
    """

    @torch.no_grad()
    def update(average: Tensors, current: Tensors, count: Tensor | int) -> None:
        n = int(count)
        kept = min(decay, (1 + n) / (10 + n))
        for old, new in zip(average, current, strict=True):
            if old.is_floating_point():
                old.lerp_(new, 1 - kept)
            else:
                old.copy_(new)

    return AveragedModel(modules, multi_avg_fn=update, use_buffers=True)
