"""A drawn photograph."""

import numpy as np


def street(height: int = 96, width: int = 128) -> np.ndarray:
    """Bright sky over a dark, textured, slightly coloured ground, uint8 [H, W, 3]."""
    row = np.linspace(230, 60, height)[:, None, None]
    tint = np.array([1.0, 0.85, 0.7])
    texture = np.random.default_rng(1).normal(0, 12, (height, width, 3))
    return np.clip(row * tint + texture, 0, 255).astype(np.uint8)
