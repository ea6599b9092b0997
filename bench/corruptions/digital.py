"""Digital: sampling and coding."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from bench.core.seeding import legacy_generator
from bench.corruptions.filters import gaussian_kernel


def pixelate(image: np.ndarray, scale: float) -> np.ndarray:
    """Shrink by averaging and enlarge by repeating (imagecorruptions; not ImageNet-C's)."""
    height, width = image.shape[:2]
    small = max(1, int(width * scale)), max(1, int(height * scale))
    picture = Image.fromarray(image).resize(small, Image.Resampling.BOX)
    return np.array(picture.resize((width, height), Image.Resampling.NEAREST))


def jpeg_compression(image: np.ndarray, quality: int) -> np.ndarray:
    """Store as JPEG of a quality and read back.

    OpenCV's and Pillow's builds of libjpeg-turbo give the same bytes; OpenCV copies less.
    """
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, file = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings)
    decoded = cv2.imdecode(file, cv2.IMREAD_COLOR)
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB, dst=decoded)


def elastic_transform(image: np.ndarray, alpha: float, *, seed: int) -> np.ndarray:
    """Displace pixels by a smooth random field.

    imagecorruptions': no affine part, and displacements scale with the height in both
    directions.
    """
    import torch
    from torch.nn.functional import grid_sample

    draws = legacy_generator(seed)
    shift_x, shift_y = (displacement(image.shape[:2], alpha, draws) for _ in range(2))
    height, width = image.shape[:2]
    shift_x += np.arange(width, dtype=np.float32)
    shift_y += np.arange(height, dtype=np.float32)[:, None]
    # Positions as grid_sample wants them: -1 and 1 are the outer edges of the border pixels.
    grid = np.stack([(2 * shift_x + 1) / width - 1, (2 * shift_y + 1) / height - 1], axis=2)
    planes = torch.from_numpy(image.astype(np.float32))[None].permute(0, 3, 1, 2)
    moved = grid_sample(
        planes, torch.from_numpy(grid)[None], padding_mode="reflection", align_corners=False
    )
    return np.ascontiguousarray(moved[0].permute(1, 2, 0).numpy().astype(np.uint8))


def displacement(size: tuple[int, int], alpha: float, draws: np.random.RandomState) -> np.ndarray:
    """Draw one component of elastic_transform's field in pixels, float32 [H, W]."""
    height = size[0]
    noise = draws.uniform(-height * 0.005, height * 0.005, size=size).astype(np.float32)
    vertical, horizontal = (
        gaussian_kernel(sigma, int(3 * sigma + 0.5)) for sigma in np.array(size) * 0.01
    )
    smooth = cv2.sepFilter2D(noise, -1, horizontal, vertical, borderType=cv2.BORDER_REFLECT)
    return smooth * np.float32(alpha)
