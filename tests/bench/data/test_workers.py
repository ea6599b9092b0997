"""Workers: order, errors, one thread each, and how they end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from bench.core.errors import DatasetError, LoadingError
from bench.data.split import CACHE_BYTES
from bench.data.workers import INLINE, Workers
from tests.helpers.drawn import split

ROOT = Path(__file__).parents[3]


@pytest.fixture
def workers():
    with_processes = Workers(2)
    yield with_processes
    with_processes.close()


def load(a_split, index):
    time.sleep(0.02 * (index % 3))
    return a_split.load(index).image


def fail(a_split, index):
    raise DatasetError(f"image {index} is torn\nin two")


def about(a_split, request):
    pools = [pool["num_threads"] for pool in threadpool_info()]
    return os.getpid(), torch.get_num_threads(), cv2.getNumThreads(), pools, a_split.room


def blur(a_split, index):
    return cv2.GaussianBlur(np.full((500, 500), index, np.float32), (0, 0), 5)


def end(a_split, request):
    os.kill(os.getpid(), signal.SIGKILL)


def test_images_come_in_order_from_other_processes(workers):
    a_split = split()
    order = [3, 0, 10, 2, 1, 5]
    loaded = list(workers.map(load, a_split, order, batch=2))
    assert all((a == a_split.load(i).image).all() for a, i in zip(loaded, order, strict=True))
    told = list(workers.map(about, a_split, range(8)))
    assert os.getpid() not in {pid for pid, *_ in told}
    for _, of_torch, of_opencv, pools, room in told:
        assert (of_torch, of_opencv, max(pools)) == (1, 1, 1)
        assert room <= CACHE_BYTES // 2


def test_requests_are_taken_no_further_ahead_than_prefetched(workers):
    taken = []

    def requests():
        for index in range(11):
            taken.append(index)
            yield index

    images = workers.map(load, split(), requests(), batch=3)
    next(images)
    assert len(taken) == 2 * 2 + 3
    images.close()


def test_an_error_of_loading_is_raised_as_it_was(workers):
    for each in (INLINE, workers):
        with pytest.raises(DatasetError, match="image 4 is torn\nin two"):
            list(each.map(fail, split(), [4]))


def test_a_killed_worker_is_one_line_and_others_take_its_place(workers):
    a_split = split()
    with pytest.raises(LoadingError, match="was killed.*there are 2 of them") as raised:
        list(workers.map(end, a_split, range(3)))
    assert "\n" not in str(raised.value)
    assert len(list(workers.map(load, a_split, range(4)))) == 4


def test_workers_start_where_opencv_has_threads(workers):
    """Of which a forked process has none, and must not wait for them."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(4)
    try:
        cv2.GaussianBlur(np.zeros((2000, 2000, 3), np.float32), (0, 0), 5)
        loaded = list(workers.map(blur, split(), range(4)))
        assert all(image.shape == (500, 500) for image in loaded)
    finally:
        cv2.setNumThreads(threads)


def test_another_split_is_told_to_workers_that_run(workers):
    first, second = split(images=2), split(images=3)
    for a_split in (first, second, first):
        loaded = list(workers.map(load, a_split, range(len(a_split))))
        assert np.array_equal(loaded[-1], a_split.load(len(a_split) - 1).image)


def test_the_next_item_is_made_in_a_thread_and_errors_come_through(workers):
    made = []

    def items():
        for item in range(3):
            made.append(item)
            yield item
        raise DatasetError("no more")

    ahead = workers.one_ahead(items())
    assert next(ahead) == 0
    deadline = time.monotonic() + 10
    while made != [0, 1] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert made == [0, 1]
    with pytest.raises(DatasetError, match="no more"):
        list(ahead)
    assert list(INLINE.one_ahead(iter("ab"))) == ["a", "b"]


PROGRAM = """
import os, time
from bench.data.workers import Workers
from tests.helpers.drawn import split

def pid_of(a_split, request):
    time.sleep(0.1)
    return os.getpid()

workers = Workers(2)
pids = set(workers.map(pid_of, split(), range(8)))
print(*pids, flush=True)
try:
    time.sleep(60)
finally:
    workers.close()
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_the_process_that_started_them(number):
    """Killed alone it takes them along; a signal to all of them is its own to handle."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    assert process.stdout is not None
    pids = [int(pid) for pid in process.stdout.readline().split()]
    assert pids
    if number == signal.SIGKILL:
        os.kill(process.pid, number)
    else:
        os.killpg(process.pid, number)
    _, told = process.communicate(timeout=60)
    deadline = time.monotonic() + 20
    while any(map(runs, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(runs, pids))
    assert told.count("Traceback") == (number == signal.SIGINT)  # its own


def runs(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
