"""Seg-VAR's colour mapping: masks to a colour image by where they lie, and back.

The image is split into ``grid`` x ``grid`` cells. Each cell owns a colour, and a mask takes
the colour of the cell that holds its centroid (arXiv:2511.12594, section on the
location-sensitive colour mapping). Colours are those of a cube of equally spaced channel
values, black left out, which stands for no mask; six values a channel give the paper's 215
colours. Which colour belongs to which cell, and what happens when two centroids fall into
one cell, the paper leaves open: see :func:`palette` and :meth:`ColourGrid.cells`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from scipy import ndimage
from torch import Tensor

from bench import IGNORE_INDEX

Order = Literal["cube", "maximin"]


class CapacityError(ValueError):
    """More masks than cells."""


class Masks(NamedTuple):
    """Disjoint regions of one image."""

    ids: Tensor  # int64 [H, W], 0 where there is no mask, else 1..N
    classes: Tensor  # int64 [N], the class of each mask


class ColourMap(NamedTuple):
    """What is generated: the colour map, and the class token of each cell's colour."""

    colours: Tensor  # uint8 [3, H, W]; black where there is no mask
    classes: Tensor  # int64 [cells], IGNORE_INDEX where no mask took the cell


def class_masks(label: Tensor) -> Masks:
    """Make one mask of all pixels of a class; int64 [H, W], IGNORE_INDEX has none."""
    return _number(label, label != IGNORE_INDEX)


def component_masks(label: Tensor, most: int | None = None) -> Masks:
    """Make a mask of each connected component (by edges, not corners) of a class.

    Args:
        label: int64 [H, W], classes or IGNORE_INDEX.
        most: if given, only so many components, the largest, are masks of their own; what
            remains of a class is one mask.
    """
    parts = torch.zeros_like(label)
    total = 0
    for k in torch.unique(label[label != IGNORE_INDEX]).tolist():
        numbered, count = ndimage.label((label == k).cpu().numpy())
        component = torch.from_numpy(numbered).to(label)
        parts += torch.where(component > 0, component + total, 0)
        total += count
    if most is not None and total > most:
        areas = parts.flatten().bincount(minlength=total + 1)
        areas[0] = 0
        kept = areas.argsort(descending=True, stable=True)[:most]
        parts = torch.where(torch.isin(parts, kept), parts, 0)
    return _number(parts * (IGNORE_INDEX + 1) + label, label != IGNORE_INDEX)


def instance_masks(instance: Tensor, label: Tensor) -> Masks:
    """Make a mask of each instance, and of each class's pixels outside all instances.

    Args:
        instance: int64 [H, W], 0 where there is none.
        label: int64 [H, W]. An instance whose pixels have several classes becomes a mask
            for each of them.
    """
    return _number(instance * (IGNORE_INDEX + 1) + label, label != IGNORE_INDEX)


def _number(values: Tensor, valid: Tensor) -> Masks:
    """Number the distinct values of the valid pixels from 1; a value's class is its low byte."""
    distinct = torch.unique(values[valid])
    ids = torch.where(valid, torch.searchsorted(distinct, values.contiguous()) + 1, 0)
    return Masks(ids, distinct % (IGNORE_INDEX + 1))


def palette(levels: int, order: Order, count: int) -> Tensor:
    """List the colours of the cells, cell by cell in row order; uint8 [count, 3].

    ``cube`` counts through the cube, blue fastest. ``maximin`` takes at each step the colour
    farthest from black and all colours taken before, the first in cube order among
    equals, so that colours of neighbouring cells, and the first colours as a set, differ most.

    Raises:
        CapacityError: if the cube has fewer colours.
    """
    axis = torch.arange(levels) * (255 // (levels - 1))
    cube = torch.cartesian_prod(axis, axis, axis)[1:]  # [levels**3 - 1, 3], black left out
    if count > len(cube):
        raise CapacityError(
            f"{count} cells need as many colours; {levels} levels a channel give {len(cube)}"
        )
    if order == "maximin":
        cube = cube[_farthest_first(cube, count)]
    return cube[:count].to(torch.uint8)


def _farthest_first(points: Tensor, count: int) -> list[int]:
    """Order points by their distance from the origin and all before; squared L2."""
    distance = points.square().sum(1)
    taken: list[int] = []
    for _ in range(count):
        taken.append(int(distance.argmax()))
        distance = torch.minimum(distance, (points - points[taken[-1]]).square().sum(1))
    return taken


class ColourGrid:
    """The colour mapping of one grid and palette.

    Args:
        grid: cells along each side.
        levels: values a channel takes, equally spaced from 0 to 255.
        order: which colour belongs to which cell.
    """

    def __init__(self, grid: int, levels: int, order: Order) -> None:
        self.grid = grid
        self.palette = palette(levels, order, grid * grid)

    def cells(self, masks: Masks) -> Tensor:
        """Assign a cell to each mask; int64 [N], all different.

        Masks choose in order of falling area, equal ones in the order of their numbers:
        each takes the cell that holds its centroid or, where that is taken, the free cell
        whose centre is nearest to the centroid, in units of cells, the lowest among equals.

        Raises:
            CapacityError: if there are more masks than cells.
        """
        count, capacity = len(masks.classes), self.grid**2
        if count > capacity:
            raise CapacityError(
                f"{count} masks; a {self.grid} x {self.grid} grid tells {capacity} apart"
            )
        areas = masks.ids.flatten().bincount(minlength=count + 1)[1:].cpu()
        centroids = self._centroids(masks, areas)
        side = torch.arange(self.grid) + 0.5
        centres = torch.cartesian_prod(side, side)  # [cells, 2]
        free = torch.ones(capacity, dtype=torch.bool)
        chosen = torch.zeros(count, dtype=torch.int64)
        for mask in areas.argsort(descending=True, stable=True).tolist():
            row, column = centroids[mask].floor().long().tolist()
            cell = row * self.grid + column
            if not free[cell]:
                distance = (centres - centroids[mask]).square().sum(1)
                cell = int(distance.masked_fill(~free, torch.inf).argmin())
            free[cell] = False
            chosen[mask] = cell
        return chosen.to(masks.ids.device)

    def _centroids(self, masks: Masks, areas: Tensor) -> Tensor:
        """Mean pixel centre of each mask in units of cells, float64 [N, 2]: row, column."""
        ids = masks.ids.cpu()
        axes = [(torch.arange(n) + 0.5).double() * (self.grid / n) for n in ids.shape]
        rows, columns = torch.meshgrid(*axes, indexing="ij")
        sums = [
            ids.flatten().bincount(where.flatten(), minlength=len(areas) + 1)[1:]
            for where in (rows, columns)
        ]
        return torch.stack(sums, 1) / areas[:, None]

    def encode(self, masks: Masks) -> ColourMap:
        """Colour each mask by its position.

        Raises:
            CapacityError: if there are more masks than cells.
        """
        cells = self.cells(masks)
        classes = torch.full((self.grid**2,), IGNORE_INDEX).to(masks.classes)
        classes[cells] = masks.classes
        table = torch.cat([cells.new_full((1,), -1), cells])  # mask 0 is no mask
        return ColourMap(self.paint(table[masks.ids]), classes)

    def paint(self, cells: Tensor) -> Tensor:
        """Colour a map of cells: int64 [..., H, W], -1 for none, to uint8 [..., 3, H, W]."""
        black = self.palette.new_zeros(1, 3)
        colours = torch.cat([self.palette, black]).to(cells.device)
        return colours[cells].movedim(-1, -3)

    def nearest(self, colours: Tensor, used: Tensor) -> Tensor:
        """Find the cell whose colour is nearest among those used and black.

        Args:
            colours: [..., 3, H, W], of any real type, in 0..255.
            used: bool [cells].

        Returns:
            int64 [..., H, W], -1 where black is nearest.
        """
        cells = torch.cat([used.new_zeros(1, dtype=torch.int64) - 1, used.nonzero()[:, 0]])
        candidates = torch.cat([self.palette.new_zeros(1, 3), self.palette[cells[1:].cpu()]])
        points = colours.movedim(-3, -1).float()
        distance = torch.cdist(points.reshape(-1, 3), candidates.to(points))
        return cells[distance.argmin(1)].reshape(points.shape[:-1])

    def decode(self, colour_map: ColourMap) -> Tensor:
        """Return the label map int64 [H, W]; IGNORE_INDEX where there is no mask."""
        cells = self.nearest(colour_map.colours, colour_map.classes != IGNORE_INDEX)
        table = torch.cat([colour_map.classes, colour_map.classes.new_full((1,), IGNORE_INDEX)])
        return table[cells]


def masks_by(rule: Literal["class", "component"], capacity: int) -> Callable[[Tensor], Masks]:
    """Return how a label map is split so that its masks never exceed the cells."""
    if rule == "class":
        return class_masks

    def components(label: Tensor) -> Masks:
        classes = len(torch.unique(label[label != IGNORE_INDEX]))
        return component_masks(label, most=capacity - classes)

    return components
