"""A Slurm cluster of this machine alone: two cores, and a partition that pre-empts another."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
WAIT_SECONDS = 60.0
CONFIGURATION = """\
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2,batch_sched_delay=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=20
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdSpoolDir={folder}/spool
StateSaveLocation={folder}/state
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPort=16817
SlurmdPort=16818
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=low Nodes={host} Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=high Nodes={host} MaxTime=INFINITE State=UP PriorityTier=2
"""


def missing() -> str:
    """Say why no cluster can be started here; nothing if one can."""
    lacking = [name for name in PROGRAMS if _program(name) is None]
    if lacking:
        return f"needs {', '.join(lacking)} (Debian's slurm-wlm and munge)"
    return "" if os.getuid() == 0 else "Slurm's daemons are started by root alone"


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


@contextmanager
def cluster(folder: Path) -> Iterator[None]:
    """Run a cluster within the block; ``SLURM_CONF`` names its configuration.

    Args:
        folder: new, for all that it keeps.
    """
    for part in ("spool", "state"):
        (folder / part).mkdir()
    host = os.uname().nodename.partition(".")[0]
    configuration = folder / "slurm.conf"
    configuration.write_text(CONFIGURATION.format(host=host, folder=folder))
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(configuration)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    settings = ["--key-file", key, "--socket", folder / "munge.socket"]
    settings += ["--pid-file", folder / "munged.pid", "--log-file", folder / "munged.log"]
    settings += ["--seed-file", folder / "munge.seed"]
    try:
        _start("munged", "--force", *settings)
        _start("slurmctld")
        _start("slurmd")
        _wait_for_node(folder)
        yield
    finally:
        for name in ("slurmd", "slurmctld", "munged"):
            _stop(folder / f"{name}.pid")
        if before is None:
            del os.environ["SLURM_CONF"]
        else:
            os.environ["SLURM_CONF"] = before


def call(*command: str) -> str:
    """Run a command of Slurm; return what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def wait_until(condition, seconds: float) -> None:
    """Wait for a condition, at most so long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.2)


def _start(name: str, *options: object) -> None:
    program = _program(name)
    assert program is not None
    done = subprocess.run([program, *map(str, options)], capture_output=True, text=True)
    assert done.returncode == 0, f"{name}: {done.stderr}"


def _wait_for_node(folder: Path) -> None:
    def is_idle() -> bool:
        done = subprocess.run(["sinfo", "-h", "-o", "%t"], capture_output=True, text=True)
        return "idle" in done.stdout

    try:
        wait_until(is_idle, WAIT_SECONDS)
    except AssertionError:
        logs = "".join(path.read_text()[-2000:] for path in sorted(folder.glob("*.log")))
        raise AssertionError(f"the node is not up: {logs}") from None


def _stop(pid_file: Path) -> None:
    """End a daemon and wait until it has gone."""
    try:
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError):
        return
    deadline = time.monotonic() + WAIT_SECONDS
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
