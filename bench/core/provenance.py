"""What a number depended on beside its configuration."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.record import Provenance

if TYPE_CHECKING:
    import torch

PACKAGES = (
    "accelerate",
    "datasets",
    "diffusers",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "scipy",
    "segmentation-models-pytorch",
    "timm",
    "torch",
    "transformers",
)


@cache
def provenance(device: torch.device, processes: int) -> Provenance:
    """Describe the code, the packages, the device of this process and how many there are."""
    import torch

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    commit, dirty = _revision(Path(__file__).parent)
    return Provenance(
        commit=commit,
        dirty=dirty,
        packages={package: version_of(package) for package in PACKAGES},
        device=f"{device.type}: {name}",
        threads=torch.get_num_threads(),
        processes=processes,
        platform=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    )


def version_of(package: str) -> str:
    """Return an installed package's version, or ``absent``."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _processor() -> str:
    """Name the processor as the kernel does; ``platform.processor`` is empty on Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _revision(folder: Path) -> tuple[str, bool]:
    """Return the commit of this source tree, not of the folder the user stands in."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return commit, bool(_git(folder, "status", "--porcelain"))
    except (OSError, subprocess.CalledProcessError):
        return f"release {version_of('generative-segmentation-bench')}", False


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
