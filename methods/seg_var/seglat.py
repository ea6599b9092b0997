"""Label maps as pictures: the colour mapping for batches."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from bench import IGNORE_INDEX
from methods._nn.colour import fill_void
from methods._nn.settings import Void
from methods.seg_var.colour_map import ColourGrid, masks_by
from methods.seg_var.config import ColourSettings


class PaintedLabels(NamedTuple):
    """A batch of label maps as the latent encoder sees them."""

    masks: Tensor  # float32 [B, K, H, W] in {0, 1}, all zero where there is no class
    colours: Tensor  # float32 [B, 3, H, W] in [-1, 1]


class SeglatPainter:
    """Colour label maps and read classes back from colours.

    Args:
        config: of the colour mapping.
        void: what ignored pixels are.
        num_classes: of the data.

    Raises:
        ValueError: if there are more classes than cells.
    """

    def __init__(self, config: ColourSettings, void: Void, num_classes: int) -> None:
        if num_classes > config.grid**2:
            raise ValueError(
                f"{num_classes} classes; colours.grid {config.grid} has {config.grid**2} cells"
            )
        self.config, self.void = config, void
        self.num_classes = num_classes
        self.grid = ColourGrid(config.grid, config.levels, config.order)
        self.split = masks_by(config.masks, config.grid**2)

    def __call__(self, label: Tensor) -> PaintedLabels:
        """Paint int64 [B, H, W], classes or IGNORE_INDEX."""
        if self.void == "fill":
            label = fill_void(label)
        if self.config.cell == "class":
            colours = self.grid.paint(torch.where(label == IGNORE_INDEX, -1, label))
        else:
            colours = torch.stack([self.grid.encode(self.split(one)).colours for one in label])
        index = torch.where(label == IGNORE_INDEX, self.num_classes, label)
        masks = F.one_hot(index, self.num_classes + 1)[..., :-1].movedim(-1, 1)
        return PaintedLabels(masks.float(), colours.float() / 127.5 - 1)

    def cells(self, seglat: Tensor) -> Tensor:
        """Find the cell of the nearest colour of [B, 3, H, W] in [-1, 1]; -1 for black."""
        every = torch.ones(len(self.grid.palette), dtype=torch.bool, device=seglat.device)
        return self.grid.nearest(127.5 * (seglat + 1), every)

    def class_scores(self, seglat: Tensor) -> Tensor:
        """Score classes by the closeness of their cells' colours to [B, 3, H, W].

        Only where cells stand for classes. Returns float32 [B, K, H, W], the negative
        squared distance.
        """
        palette = self.grid.palette[: self.num_classes].to(seglat) / 127.5 - 1
        distances = [(seglat - colour[:, None, None]).square().sum(1) for colour in palette]
        return -torch.stack(distances, 1)
