"""Measures of speed and memory: ratios of calls in one run, which a busy machine bends least."""

import ctypes
import gc
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Ratio(NamedTuple):
    """How many times as long a peer takes as we do, once a round."""

    values: tuple[float, ...]
    ours_s: float
    """Median of the rounds, as is the next."""
    peer_s: float

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        return min(self.values), max(self.values)


def compare(
    ours: Callable[[], object],
    peer: Callable[[], object],
    rounds: int,
    timer: Callable[[], float] = time.process_time,
) -> Ratio:
    """Time two calls in turn, after one of each; the processor's time, unless told otherwise."""
    for call in (ours, peer):
        call()
    pairs = [(seconds(ours, timer), seconds(peer, timer)) for _ in range(rounds)]
    return ratio_of(pairs)


def ratio_of(pairs: list[tuple[float, float]]) -> Ratio:
    """Make a ratio of rounds: our seconds and the peer's in each."""
    ours, theirs = zip(*pairs, strict=True)
    return Ratio(
        tuple(peer / own for own, peer in pairs), statistics.median(ours), statistics.median(theirs)
    )


def seconds(call: Callable[[], object], timer: Callable[[], float] = time.process_time) -> float:
    """Time one call."""
    started = timer()
    call()
    return timer() - started


def peak_bytes(call: Callable[[], object]) -> int:
    """Return by how much this process grew at most within a call, after one to warm up (Linux).

    Freed memory is given back to the system first, so that it cannot be taken again unseen.
    """
    call()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # has the peak begin anew
    before = _kilobytes("VmRSS")
    call()
    return 1024 * max(0, _kilobytes("VmHWM") - before)


def _kilobytes(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))
