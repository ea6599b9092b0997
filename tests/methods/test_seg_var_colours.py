import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.schema import IGNORE_INDEX
from bench.core.seeding import numpy_generator
from methods.seg_var.colour_map import (
    CapacityError,
    ColourGrid,
    Masks,
    class_masks,
    component_masks,
    instance_masks,
    masks_by,
    palette,
)


def random_label(seed: int, classes: int, void: bool) -> torch.Tensor:
    """Draw a label map of blobs: class noise on a coarse grid, enlarged and cut."""
    rng = numpy_generator(seed)
    height, width, block = rng.integers(1, 40), rng.integers(1, 40), rng.integers(1, 9)
    coarse = rng.integers(0, classes, (height // block + 1, width // block + 1))
    if void:
        coarse[rng.random(coarse.shape) < 0.2] = IGNORE_INDEX
    label = np.kron(coarse, np.ones((block, block), dtype=np.int64))
    return torch.from_numpy(label[:height, :width].copy())


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    classes=st.integers(1, 30),
    void=st.booleans(),
    grid=st.integers(1, 14),
    order=st.sampled_from(["cube", "maximin"]),
    rule=st.sampled_from(["class", "component"]),
)
def test_round_trip_is_exact_within_capacity_and_refused_beyond(
    seed, classes, void, grid, order, rule
):
    label = random_label(seed, classes, void)
    masks = class_masks(label) if rule == "class" else component_masks(label)
    colouring = ColourGrid(grid, 6, order)
    if len(masks.classes) > grid**2:
        with pytest.raises(CapacityError, match=f"{len(masks.classes)} masks"):
            colouring.encode(masks)
        return
    coloured = colouring.encode(masks)
    assert torch.equal(colouring.decode(coloured), label)
    assert (coloured.classes != IGNORE_INDEX).sum() == len(masks.classes)


def test_a_mask_takes_the_colour_of_the_cell_of_its_centroid():
    ids = torch.zeros(12, 24, dtype=torch.int64)
    ids[0:2, 20:24] = 1  # centroid (1, 22): first row, last column of a 3 x 3 grid
    ids[5:7, 10:14] = 2  # centroid (6, 12): the middle
    cells = ColourGrid(3, 6, "cube").cells(Masks(ids, torch.tensor([4, 7])))
    assert cells.tolist() == [2, 4]


def test_colliding_masks_give_way_by_area_to_the_nearest_free_cell():
    ids = torch.zeros(8, 8, dtype=torch.int64)
    ids[0, 0] = 1
    ids[0, 1:3] = 2  # larger: keeps the first cell, although its number is higher
    cells = ColourGrid(2, 6, "cube").cells(Masks(ids, torch.tensor([0, 0])))
    assert cells.tolist() == [1, 0]


def test_the_paper_palette_has_215_colours_at_least_51_apart():
    colours = palette(6, "cube", 215).float()
    assert len(colours.unique(dim=0)) == 215
    assert not (colours == 0).all(1).any()
    distance = torch.cdist(colours, colours).fill_diagonal_(torch.inf)
    assert distance.min() == 51
    with pytest.raises(CapacityError, match="225 cells"):
        ColourGrid(15, 6, "cube")


def test_maximin_spreads_its_first_colours():
    def closest(order):
        colours = palette(6, order, 11).float()
        return torch.cdist(colours, colours).fill_diagonal_(torch.inf).min()

    assert closest("maximin") > 2 * closest("cube")


def test_small_components_beyond_the_capacity_share_a_mask_of_their_class():
    label = (torch.arange(40)[:, None] + torch.arange(40)) % 2  # 1600 components of a pixel
    label[:10, :10] = 3
    masks = masks_by("component", 9)(label)
    assert len(masks.classes) <= 9
    coloured = ColourGrid(3, 6, "cube").encode(masks)
    assert torch.equal(ColourGrid(3, 6, "cube").decode(coloured), label)


def test_instances_of_a_class_have_colours_of_their_own():
    label = torch.tensor([[0, 0, 1, 1, 1, 1]])
    instance = torch.tensor([[0, 0, 5, 5, 9, 9]])
    coloured = ColourGrid(6, 6, "cube").encode(instance_masks(instance, label))
    columns = [tuple(column) for column in coloured.colours[:, 0].T.tolist()]
    assert len(set(columns)) == 3
    assert columns[2] == columns[3] != columns[4]
