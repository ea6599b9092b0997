"""Colour of batches, by the parent package's tables."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.corruptions import colour
from bench.corruptions.batched.planes import looked_up
from bench.corruptions.pixels import UNIT


def brightness(images: Tensor, added: float) -> Tensor:
    """Raise the HSV value, keeping hue and saturation."""
    table = torch.from_numpy(colour.brightness_table(added)).to(images.device)
    largest = images.amax(dim=1, keepdim=True).int()
    return table.flatten()[largest * 256 + images.int()]


def contrast(images: Tensor, factor: float) -> Tensor:
    """Pull every channel towards its own mean over the image."""
    mean = images.double().mean(dim=(2, 3)).unsqueeze(2) / 255  # [B, 3, 1]
    unit = torch.from_numpy(UNIT).to(images.device)
    table = ((unit - mean) * factor + mean).clamp(0, 1) * 255
    return looked_up(images, table.to(torch.uint8))


def saturate(images: Tensor, factor: float, added: float) -> Tensor:
    """Multiply the HSV saturation and add to it, keeping hue and value."""
    largest = images.amax(dim=1, keepdim=True).float()
    spread = largest - images.amin(dim=1, keepdim=True)
    gain = torch.minimum(largest, spread * factor + largest * added) / spread.clamp(min=1)
    distance = (largest - images) * gain
    distance[:, 1:] += torch.where(spread == 0, largest * added, 0)  # grey has hue red
    return (largest - distance).clamp(min=0).to(torch.uint8)
