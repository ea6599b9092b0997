"""SIGTERM and Ctrl-C: what is under way is brought to a point from which it can go on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Terminated(KeyboardInterrupt):
    """The process was asked to end, as by a scheduler that pre-empts it."""


def _raise(number: int, frame: FrameType | None) -> None:
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[None]:
    """Within the block SIGTERM raises :class:`Terminated`, as Ctrl-C raises its exception.

    Outside of the main thread, where Python handles no signals, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _raise) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Pending:
    """A signal that came while it was held back."""

    number: int | None = None

    def release(self) -> None:
        """Raise what the signal stands for, if one came."""
        if self.number is not None:
            _raise(self.number, None)


@contextmanager
def held_back() -> Iterator[Pending]:
    """Hold signals back within the block, whose code calls ``release`` where it can end."""
    pending = Pending()
    if threading.current_thread() is not threading.main_thread():
        yield pending
        return

    def remember(number: int, frame: FrameType | None) -> None:
        pending.number = number

    before = {number: signal.signal(number, remember) for number in SIGNALS}
    try:
        yield pending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    pending.release()
