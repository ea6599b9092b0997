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
    "pycocotools",
    "scipy",
    "segmentation-models-pytorch",
    "timm",
    "torch",
    "torchmetrics",
    "torchvision",
    "transformers",
)


@cache
def provenance(device: torch.device, processes: int, precision: str = "fp32") -> Provenance:
    """Describe the code, the packages, the device of this process and how many there are.

    Args:
        device: that models are computed on.
        processes: that share the work.
        precision: of the protocol.
    """
    import torch

    commit, dirty = _revision(Path(__file__).parents[2])
    tf32 = torch.backends.cudnn.allow_tf32 or torch.backends.cuda.matmul.allow_tf32
    return Provenance(
        commit=commit,
        dirty=dirty,
        packages={package: version_of(package) for package in PACKAGES},
        device=name_of(device),
        cuda=(torch.version.cuda or "") if device.type == "cuda" else "",
        precision=precision,
        tf32=device.type == "cuda" and tf32,
        level="bitwise" if device.type == "cpu" else "tolerance",
        threads=torch.get_num_threads(),
        processes=processes,
        platform=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    )


def name_of(device: torch.device) -> str:
    """Name a device by its type and model, such as ``cpu: AMD EPYC 9R14``."""
    import torch

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return f"{device.type}: {name}"


def device_here() -> str:
    """Name this machine's device as :func:`name_of` does, without loading PyTorch."""
    for path in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        for line in path.read_text().splitlines():
            if line.startswith("Model:"):
                return f"cuda: {line.partition(':')[2].strip()}"
    return f"cpu: {_processor()}"


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


def _revision(root: Path) -> tuple[str, bool]:
    """Return the commit of this project's own source tree, and whether it was changed.

    An installed copy may lie within the repository of another project, whose commit says
    nothing of it.

    Args:
        root: the folder that holds ``bench``.
    """
    try:
        if Path(_git(root, "rev-parse", "--show-toplevel")).resolve() == root.resolve():
            return _git(root, "rev-parse", "HEAD"), bool(_git(root, "status", "--porcelain"))
    except (OSError, subprocess.CalledProcessError):
        pass
    return f"release {version_of('generative-segmentation-bench')}", False


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
