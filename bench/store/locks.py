"""Locks by which any number of processes and machines share one store.

On a local file system the kernel holds a lock and frees it when its process ends, however it
ends. On a network file system such locks may mean nothing between machines: there a lock is a
file with its holder's host and process and a heartbeat, and one that has stopped is taken over.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLease, Timeout

LEASE_SECONDS = 60.0
"""After so long without a heartbeat a lock on a network file system is taken over."""
NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "beegfs", "ceph", "fuse.sshfs", "9p"}
)
"""File systems as ``/proc/self/mounts`` names them."""


def make_lock(path: Path) -> BaseFileLock:
    """Return the lock of a path, not yet held.

    Raises:
        OSError: if the folder cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if _is_network(path.parent.resolve()):
        return SoftFileLease(path, lease_duration=LEASE_SECONDS, thread_local=False)
    return FileLock(path, thread_local=False)


def try_to_hold(lock: BaseFileLock) -> bool:
    """Acquire a lock unless another holds it; return whether it is held now."""
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    return True


@cache
def _is_network(folder: Path) -> bool:
    """Whether a folder lies on a file system of another machine."""
    try:
        lines = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return False  # not Linux
    mounts = {fields[1]: fields[2] for line in lines if len(fields := line.split()) > 2}
    for ancestor in (folder, *folder.parents):
        if str(ancestor) in mounts:
            return mounts[str(ancestor)] in NETWORK
    return False
