"""The device of this process and its peers, through Accelerate."""

from __future__ import annotations

import os

import torch
from accelerate import Accelerator
from accelerate.utils import (
    DistributedDataParallelKwargs,
    broadcast_object_list,
    gather_object,
)

from bench.core.errors import StageError
from bench.core.provenance import provenance
from bench.core.record import Provenance


def make_accelerator(precision: str = "fp32") -> Accelerator:
    """Return the accelerator of this process.

    Operations are deterministic where the device has such, and products in TensorFloat-32 are
    off. Accelerate joins processes without an accelerator only if told to use the CPU; untold,
    each of them would believe itself alone.
    """
    # Read by cuBLAS when its first handle is made; without it its sums are in any order.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    return Accelerator(
        cpu=not torch.accelerator.is_available(),
        mixed_precision="no" if precision == "fp32" else precision,
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
    )


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
