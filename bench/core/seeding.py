"""The only place that makes randomness.

Every draw is keyed by what it is for: ``key("corruption", seed, dataset, image id,
condition)``. So batch size, number of processes, order and resumption change
nothing. Draws for tensors are made on the CPU, one stream an image, and moved, so
that they do not depend on the device either.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor


def key(*parts: str | int | float) -> int:
    """Hash the purpose and circumstances of a draw to an integer in [0, 2**63)."""
    digest = hashlib.blake2b(json.dumps(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def numpy_generator(seed: int) -> np.random.Generator:
    """Return NumPy's current generator (PCG64) for one key."""
    import numpy as np

    return np.random.default_rng(seed)


def legacy_generator(seed: int) -> np.random.RandomState:
    """Return NumPy's frozen legacy stream, for parity with code that used it.

    Seeds below 2**32 give the stream of ``numpy.random.seed(seed)``; wider ones, which
    that function refuses, are spread over the whole state of the Mersenne Twister.
    """
    import numpy as np

    if seed < 2**32:
        return np.random.RandomState(seed)
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))


def torch_generator(seed: int) -> torch.Generator:
    """Return a CPU generator for one key."""
    import torch

    return torch.Generator().manual_seed(seed)


def derive(seeds: Tensor, *purpose: str | int) -> Tensor:
    """Make an independent seed per image for one purpose.

    Args:
        seeds: int64 [B].
        purpose: what the draw is for, such as ``("posterior", step)``.

    Returns:
        int64 [B].
    """
    import torch

    return torch.tensor([key(int(seed), *purpose) for seed in seeds.tolist()])


def normal(seeds: Tensor, *shape: int) -> Tensor:
    """Draw standard normal noise, float32 [B, *shape], one stream per image, on the CPU."""
    import torch

    return torch.stack(
        [torch.randn(shape, generator=torch_generator(seed)) for seed in seeds.tolist()]
    )


def uniform(seeds: Tensor, *shape: int) -> Tensor:
    """Draw uniform noise in [0, 1), float32 [B, *shape], one stream per image, on the CPU."""
    import torch

    return torch.stack(
        [torch.rand(shape, generator=torch_generator(seed)) for seed in seeds.tolist()]
    )


def counter_bits(seeds: Tensor, *shape: int) -> Tensor:
    """Hash (seed, position) to 24 random bits, int64 [B, *shape], on the seeds' device.

    SplitMix64's finaliser over a counter: integer arithmetic only, so every device and
    batch gives the same bits, and megapixels of noise need not be drawn on the CPU.

    Args:
        seeds: int64 [B].
        shape: of one image's draws.
    """
    import torch

    position = torch.arange(1, 1 + math.prod(shape), device=seeds.device)
    start = _mixed(seeds)[:, None]
    return (_mixed(start + position * _WEYL) >> 40 & 0xFFFFFF).view(-1, *shape)


_WEYL = 0x9E3779B97F4A7C15 - 2**64
"""2**64 over the golden ratio, as a signed integer: SplitMix64's step."""


def _mixed(bits: Tensor) -> Tensor:
    bits = (bits ^ (bits >> 30 & 0x3FFFFFFFF)) * (0xBF58476D1CE4E5B9 - 2**64)
    bits = (bits ^ (bits >> 27 & 0x1FFFFFFFFF)) * (0x94D049BB133111EB - 2**64)
    return bits ^ (bits >> 31 & 0x1FFFFFFFF)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the global streams of Python, NumPy and PyTorch within a block.

    For what cannot be handed a generator: weight initialisation and dropout. The
    streams of before are restored on leaving.
    """
    import numpy as np
    import torch

    python_state, numpy_state = random.getstate(), np.random.get_state()
    devices = list(range(torch.cuda.device_count()))
    with torch.random.fork_rng(devices=devices):
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)
