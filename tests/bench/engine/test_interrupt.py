"""Signals end what is under way at a point from which it can go on."""

import os
import signal
import threading

import pytest

from bench.engine.interrupt import SIGNALS, Terminated, held_back, interruptible


@pytest.fixture(autouse=True)
def handlers_come_back():
    before = [signal.getsignal(number) for number in SIGNALS]
    yield
    assert [signal.getsignal(number) for number in SIGNALS] == before


def kill(number):
    """Send a signal to this process and have its handler run."""
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGTERM, Terminated), (signal.SIGINT, KeyboardInterrupt)]
)
def test_signals_raise_within_the_block(number, kind):
    with pytest.raises(KeyboardInterrupt) as raised, interruptible():
        kill(number)
    assert raised.type is kind


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGTERM, Terminated), (signal.SIGINT, KeyboardInterrupt)]
)
def test_a_signal_is_held_back_to_the_end_of_the_block(number, kind):
    done = []

    def work():
        with held_back():
            kill(number)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt) as raised:
        work()
    assert done == ["all of it"]
    assert raised.type is kind


def test_a_held_signal_is_raised_where_the_block_can_end():
    done = []

    def work():
        with held_back() as pending:
            pending.release()
            done.append("step 1")
            kill(signal.SIGTERM)
            pending.release()
            done.append("step 2")

    with pytest.raises(Terminated):
        work()
    assert done == ["step 1"]


def test_without_a_signal_nothing_is_raised():
    with interruptible(), held_back() as pending:
        pending.release()
    assert pending.number is None


def test_other_threads_leave_the_handlers_alone():
    seen = []

    def enter():
        with interruptible(), held_back():
            seen.append([signal.getsignal(number) for number in SIGNALS])

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [[signal.getsignal(number) for number in SIGNALS]]
