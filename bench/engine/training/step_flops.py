"""What a training step costs in floating-point operations, counted on one real step.

``torch.utils.flop_counter`` counts matrix products, convolutions and attention, forward and
backward, a multiplication and an addition being two. The count depends on shapes alone: it is
the same on every machine, so that budgets and the keys that follow from them are, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core import seeding
from bench.core.config import MethodConfig
from bench.core.errors import BenchError, PlanError
from bench.core.files import DamagedFile, read_sealed, write_sealed
from bench.core.provenance import version_of
from bench.core.registry import load_method
from bench.core.schema import DataSpec, fingerprint
from bench.core.source import method_digest
from bench.core.stage import Stage
from bench.data.files.cache import cache_folder

if TYPE_CHECKING:
    from torch import Tensor, nn

FEW = 2
"""Images of the step that is tried, in place of a larger batch: batch norms need two."""
DRAWS = 2
"""Steps that are averaged, where a method's draws decide what it computes."""
BLOCKS = 8
"""Side in pixels of the squares that a random label map consists of."""
LIBRARIES = ("torch", "timm", "transformers", "diffusers", "segmentation-models-pytorch")
"""Whose code decides what is computed, beside the method's."""
_COUNTED: dict[str, float] = {}
"""Counts of this process, by the same keys as on disk."""


def step_flops(adapter: str, config: MethodConfig, data: DataSpec, stage: Stage) -> float:
    """Return the floating-point operations of a stage's step, all its images together.

    Counts are kept in the cache folder (``bench.data.files.cache``), by the method's source, so
    that a second plan counts nothing.

    Args:
        adapter: the method's name.
        config: its configuration.
        data: classes and size of the images.
        stage: one of the configuration's, with steps.

    Raises:
        PlanError: if the method cannot be built or take a step, naming it and the stage.
    """
    names = [earlier.name for earlier in config.stages(data)]
    before = names[: names.index(stage.name) + 1]
    depends = [config.depends_on(name) for name in before]
    kept = stage.model_dump(mode="json", exclude={"steps", "warmup_steps"})
    code = (method_digest(adapter), {package: version_of(package) for package in LIBRARIES})
    key = fingerprint("flops", code, data, kept, depends)
    if key not in _COUNTED:
        path = cache_folder() / "flops" / f"{key}.json"
        stored = _stored(path)
        if stored is None:
            stored = _count(adapter, config, data, stage)
            _keep(path, {"method": adapter, "stage": stage.name, "flops": stored})
        _COUNTED[key] = stored
    return _COUNTED[key]


def _stored(path: Path) -> float | None:
    try:
        return float(json.loads(read_sealed(path))["flops"])
    except (FileNotFoundError, DamagedFile):
        return None


def _keep(path: Path, content: dict[str, object]) -> None:
    """Keep a count, if the folder can be written to; without it the next plan counts again."""
    try:
        write_sealed(path, json.dumps(content))
    except OSError:
        return


def _count(adapter: str, config: MethodConfig, data: DataSpec, stage: Stage) -> float:
    """Count steps on random images, in a copy of the method that is thrown away.

    Two images stand for a larger batch, as its operations are so many an image: what a step
    does once, whatever its images, is neither a product of matrices nor a convolution in any
    method here (``tests/bench/engine/training/test_step_flops.py``).
    """
    images = min(FEW, stage.batch_size)
    try:
        with seeding.seeded(seeding.key("flops", adapter)):
            method = load_method(adapter)(config, data)
        with _one_thread():
            counts = [_step(method, stage, data, images, draw) for draw in range(DRAWS)]
    except BenchError:
        raise
    except Exception as error:  # whatever a method raises
        message = f"{adapter}: cannot count the operations of a step of stage {stage.name!r}"
        raise PlanError(f"{message}: {type(error).__name__}: {error}") from error
    return sum(counts) / len(counts) / images * stage.batch_size


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute with one thread: so little work is slower with more where others are busy."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _step(method: nn.Module, stage: Stage, data: DataSpec, images: int, draw: int) -> int:
    """Count the operations of one forward and backward pass.

    Attention is taken apart into its matrix products, as its fused form on a CPU has no count.
    """
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    from bench.core.schema import Batch
    from bench.engine.training.stages import trainable_modules

    trainable_modules(method, stage)  # type: ignore[arg-type]
    seeds = torch.tensor([seeding.key("flops", draw, image) for image in range(images)])
    height, width = data.size
    image = seeding.uniform(seeding.derive(seeds, "image"), 3, height, width)
    batch = Batch(image, _labels(seeds, data), seeds, 0, max(1, stage.steps))
    with (
        seeding.seeded(seeding.key("flops", stage.name, draw)),
        sdpa_kernel(SDPBackend.MATH),
        FlopCounterMode(display=False) as counter,
    ):
        losses: dict[str, Tensor] = method(stage.name, batch)
        sum(losses.values(), torch.zeros(())).backward()  # type: ignore[no-untyped-call]
    method.zero_grad(set_to_none=True)
    return int(counter.get_total_flops())


def _labels(seeds: Tensor, data: DataSpec) -> Tensor:
    """Draw label maps of squares, int64 [B, H, W]: as many components as real ones, not more."""
    rows, columns = (-(-side // BLOCKS) for side in data.size)
    drawn = seeding.uniform(seeding.derive(seeds, "label"), rows, columns) * data.num_classes
    squares = drawn.long().clamp(max=data.num_classes - 1)
    grown = squares.repeat_interleave(BLOCKS, dim=1).repeat_interleave(BLOCKS, dim=2)
    return grown[:, : data.size[0], : data.size[1]]
