"""Where mixed precision stops: what is rounded, drawn or compared, and frozen tokenizers.

bfloat16 keeps eight bits: nearest neighbours change, and uniform noise rounds to 1.
"""

from __future__ import annotations

import torch
from torch import Tensor


def full_precision(like: Tensor) -> torch.autocast:
    """Switch autocast off on a tensor's device; tensors from outside are to be cast, too."""
    return torch.autocast(like.device.type, enabled=False)
