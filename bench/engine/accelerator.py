"""The device of this process and its peers, through Accelerate."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.tracking import get_available_trackers
from accelerate.utils import (
    DistributedDataParallelKwargs,
    ProjectConfiguration,
    broadcast_object_list,
    gather_object,
)

from bench.core.errors import StageError
from bench.core.provenance import provenance
from bench.core.record import Provenance


def make_accelerator(
    precision: str = "fp32", tracker: str = "", folder: Path | None = None, run: str = ""
) -> Accelerator:
    """Return the accelerator of this process.

    Args:
        precision: of training and prediction.
        tracker: of Accelerate, such as ``tensorboard`` or ``trackio``, that losses go to beside
            the log of each stage; none by default.
        folder: where a tracker that writes files puts them.
        run: what the tracker calls the run.

    Raises:
        StageError: if the tracker's package is not installed.

    Operations are deterministic where the device has such, and products in TensorFloat-32 are
    off. Accelerate joins processes without an accelerator only if told to use the CPU; untold,
    each of them would believe itself alone.
    """
    if tracker and tracker not in map(str, get_available_trackers()):
        raise StageError(f"the tracker {tracker} needs its package: pip install {tracker}")
    # Read by cuBLAS when its first handle is made; without it its sums are in any order.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    accelerator = Accelerator(
        cpu=not torch.accelerator.is_available(),
        mixed_precision="no" if precision == "fp32" else precision,
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        log_with=tracker or None,
        project_config=ProjectConfiguration(logging_dir=str(folder)) if folder else None,
    )
    if tracker:
        accelerator.init_trackers(run)
    return accelerator


def provenance_of(accelerator: Accelerator) -> Provenance:
    """Describe the code, the packages, the device, its precision, and the processes that share."""
    precision = accelerator.mixed_precision
    return provenance(
        accelerator.device,
        accelerator.num_processes,
        "fp32" if precision == "no" else precision,
    )


def agree(accelerator: Accelerator, decision: bool) -> bool:
    """Return the main process's decision in every process."""
    shared = [decision]
    if accelerator.num_processes > 1:
        broadcast_object_list(shared)
    return shared[0]


def agree_on_failure(accelerator: Accelerator, error: Exception | None) -> None:
    """Raise in every process if a step failed in any, so that none waits for it for ever.

    Raises:
        Exception: the process's own error, or a StageError that names the processes that
            failed.
    """
    if accelerator.num_processes > 1:
        told = gather_object([f"{type(error).__name__}: {error}" if error else ""])
        failed = [f"process {rank}: {text}" for rank, text in enumerate(told) if text]
        if failed and error is None:
            raise StageError("; ".join(failed))
    if error is not None:
        raise error
