"""Make torchvision importable where its compiled operators cannot be loaded.

The registry's torchvision is built against CUDA. Beside a CPU build of torch its
``_C.so`` does not load, and ``import torchvision`` then fails, because it registers
shape functions for operators that do not exist; timm and
segmentation-models-pytorch fail with it. None of the models here calls those
operators, so it is enough to declare them: a call still raises a clear error.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
"""The operators for which torchvision 0.26 to 0.28 registers shape functions on import."""

_declared: list[object] = []  # a torch.library.Library undoes itself when collected


def ensure_torchvision() -> bool:
    """Declare torchvision's missing operators; call before importing what needs it.

    Returns:
        True if operators had to be declared, False if torchvision works by itself, is
        absent, or was already mended.
    """
    import torch

    found = importlib.util.find_spec("torchvision")
    if _declared or found is None or found.origin is None:
        return False
    if _loads(Path(found.origin).parent):
        return False
    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name, schema in SCHEMAS.items():
        if not hasattr(torch.ops.torchvision, name):
            library.define(schema)
    _declared.append(library)
    return True


def _loads(folder: Path) -> bool:
    """Try to load torchvision's compiled operators, as its own import does."""
    import torch

    for compiled in folder.glob("_C*.so"):
        try:
            torch.ops.load_library(str(compiled))  # type: ignore[no-untyped-call]
        except OSError:
            return False
        return True
    return False
