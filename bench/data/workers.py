"""Processes that load images ahead of what uses them.

What they load depends on the request alone, as every draw is keyed, so their number changes no
result. A worker has one thread, leaves Ctrl-C and SIGTERM to the process that started it, and
ends with that process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.context import BaseContext
from typing import Any, TypeVar

from bench.core.errors import LoadingError
from bench.data.split import Split

Request = TypeVar("Request")
Result = TypeVar("Result")

PREFETCH = 2
"""Images that wait for each worker, besides those of a batch."""
WATCH_SECONDS = 1.0
"""Between two looks at whether the process that started a worker still runs."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Workers:
    """So many processes that load images; with none, images are loaded where they are used.

    They start when first needed, know the splits of that moment, and start anew for another.
    """

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self._splits: list[Split] = []
        self._pool: ProcessPoolExecutor | None = None

    def share(self, split: Split) -> int:
        """Tell the workers of a split; return its number among those that they know."""
        for known, other in enumerate(self._splits):
            if other is split:
                return known
        self.close()
        self._splits.append(split)
        return len(self._splits) - 1

    def map(
        self,
        load: Callable[[Split, Request], Result],
        split: Split,
        requests: Iterable[Request],
        batch: int = 1,
    ) -> Iterator[Result]:
        """Yield what is loaded for each request, in their order.

        Args:
            load: a function of a module.
            split: what it loads from.
            requests: small, as they travel to a worker.
            batch: how many results are used together.

        Raises:
            LoadingError: if a worker was killed.
            Exception: whatever ``load`` raises.
        """
        if not self.number:
            yield from (load(split, request) for request in requests)
            return
        number = self.share(split)
        waiting: deque[Future[Result]] = deque()
        try:
            for request in requests:
                waiting.append(self._submit(load, number, request))
                if len(waiting) >= PREFETCH * self.number + batch:
                    yield self._result(waiting.popleft())
            while waiting:
                yield self._result(waiting.popleft())
        finally:
            for future in waiting:
                future.cancel()

    def beside(self) -> Executor:
        """Return what makes calls in order: a thread if there are workers, or else the caller."""
        return ThreadPoolExecutor(1, "beside") if self.number else _Here()

    def one_ahead(self, items: Iterator[Result]) -> Generator[Result, None, None]:
        """Yield items; if there are workers, a thread makes the next while one is in use."""
        if not self.number:
            yield from items
            return
        end = object()
        with ThreadPoolExecutor(1, "ahead") as thread:
            coming: Future[Any] = thread.submit(next, items, end)
            while (item := coming.result()) is not end:
                coming = thread.submit(next, items, end)
                yield item

    def close(self) -> None:
        """End the processes, after what each of them is at."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _submit(self, load: Callable[..., Result], *request: Any) -> Future[Result]:
        try:
            if self._pool is None:
                _stop_opencv_threads()
                self._pool = ProcessPoolExecutor(
                    self.number, _context(), _begin, (self._splits, self.number, os.getpid())
                )
            with _blocked_signals():  # in which state a process begins that is started here
                return self._pool.submit(_load, load, *request)
        except BrokenProcessPool as error:
            raise self._killed() from error

    def _result(self, future: Future[Result]) -> Result:
        try:
            return future.result()
        except BrokenProcessPool as error:
            raise self._killed() from error

    def _killed(self) -> LoadingError:
        self.close()
        return LoadingError(
            "a process that loads images was killed, perhaps because memory is short; there are "
            f"{self.number} of them, and --workers takes fewer"
        )


class _Here(Executor):
    """Makes calls at once."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(call(*args, **named))
        return future


INLINE = Workers()
"""No workers."""

_splits: list[Split] = []
"""In a worker: those that it loads from."""


def _begin(splits: list[Split], workers: int, parent: int) -> None:
    """Make this process a worker."""
    import torch
    from threadpoolctl import threadpool_limits

    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    torch.set_num_threads(1)
    _stop_opencv_threads()
    threadpool_limits(1)
    for split in splits:
        split.room //= workers
    _splits[:] = splits


def _stop_opencv_threads() -> None:
    """Have OpenCV use the caller's thread alone.

    Before a process is forked too: there OpenCV would wait for its threads, which a fork loses.
    """
    import cv2

    cv2.setNumThreads(1)


def _end_with(parent: int) -> None:
    """End this process soon after the one that started it, which may have been killed."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)


def _load(load: Callable[[Split, Request], Result], split: int, request: Request) -> Result:
    return load(_splits[split], request)


@contextmanager
def _blocked_signals() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


if sys.platform == "linux":

    class _Process(multiprocessing.context.ForkProcess):
        """A process that ignores SIGTERM, and is ended by what cannot be ignored."""

        def terminate(self) -> None:
            self.kill()

    class _Fork(multiprocessing.context.ForkContext):
        """Processes that begin with the memory of this one, decoded images included."""

        Process = _Process

    def _context() -> BaseContext:
        return _Fork()

else:

    def _context() -> BaseContext:
        return multiprocessing.get_context("spawn")
