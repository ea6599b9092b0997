"""What a failure says: one line for people, the traceback for whoever mends it."""

from __future__ import annotations

import errno
import traceback
from typing import NamedTuple

import torch

from bench.core.errors import BenchError


class Failure(NamedTuple):
    """An exception put into words."""

    line: str
    traceback: str


def describe(error: Exception) -> Failure:
    """Return an error in one line, with where it arose unless its message says that itself."""
    trace = "".join(traceback.format_exception(error))
    text = " ".join(str(error).split()) or "no message"
    if is_out_of_memory(error):
        return Failure(f"out of memory: {text}", trace)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return Failure(f"no space left on the disk of {error.filename or 'the store'}", trace)
    if isinstance(error, BenchError):
        return Failure(text, trace)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return Failure(f"{type(error).__name__}: {text} ({frame.name}, line {frame.lineno})", trace)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory was too short, of a device or of the machine."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
