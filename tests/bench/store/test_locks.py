"""One holder at a time, and which kind of lock a file system asks for."""

import os
import signal

import pytest
from filelock import FileLock, SoftFileLease, Timeout

from bench.store import locks
from bench.store.locks import make_lock

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/local xfs rw 0 0
"""


@pytest.fixture
def mounts(tmp_path, monkeypatch):
    """Have the mounts be read from a file of this text."""

    class Mounts(locks.Path):
        _flavour = getattr(locks.Path(), "_flavour", None)

        def read_text(self, *arguments, **settings):
            return MOUNTS

    monkeypatch.setattr(locks, "Path", Mounts)
    locks._is_network.cache_clear()
    yield
    locks._is_network.cache_clear()


def test_a_lock_that_is_held_is_not_acquired_again(tmp_path):
    path = tmp_path / "locks" / "stage-a.lock"
    first, second = make_lock(path), make_lock(path)
    with first:
        with pytest.raises(Timeout):
            second.acquire(blocking=False)
        with make_lock(path.with_name("stage-b.lock")).acquire(blocking=False):
            pass
    with second.acquire(blocking=False):
        assert second.is_locked


@pytest.mark.parametrize(
    ("folder", "network"),
    [("/home/me/store", True), ("/home", True), ("/home/local/me", False), ("/homes", False)],
)
def test_the_nearest_mount_decides(mounts, folder, network):
    assert locks._is_network(locks.Path(folder)) == network


@pytest.mark.parametrize(("network", "kind"), [(False, FileLock), (True, SoftFileLease)])
def test_network_file_systems_get_locks_with_a_heartbeat(tmp_path, monkeypatch, network, kind):
    monkeypatch.setattr(locks, "_is_network", lambda folder: network)
    lock = make_lock(tmp_path / "a.lock")
    assert isinstance(lock, kind)
    with lock, pytest.raises(Timeout):
        make_lock(tmp_path / "a.lock").acquire(blocking=False)


def test_a_lock_whose_holder_was_killed_is_taken_over_without_its_heartbeat(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "_is_network", lambda folder: True)
    monkeypatch.setattr(locks, "LEASE_SECONDS", 2.0)
    holder = os.fork()
    if not holder:
        make_lock(tmp_path / "a.lock").acquire()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(holder, 0)
    lock = make_lock(tmp_path / "a.lock")
    lock.acquire(timeout=20)
    assert lock.is_locked
    lock.release()
