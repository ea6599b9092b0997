"""Colourings: what each promises, and what it cannot do."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data import taxonomy
from bench.data.dataset import NoOptions
from bench.data.datasets import load_dataset_class
from methods._nn.palettes import (
    PaletteError,
    farthest,
    make_palette,
    maximin,
    minimum_distance,
    refine,
)
from methods._nn.released_palettes import RELEASED
from methods._nn.settings import Colouring

GRID_CAPACITY = 6**3  # 0, 45, .., 225 on each channel
CAPACITY = {
    "arithmetic": GRID_CAPACITY,
    "misaligned": GRID_CAPACITY,
    "additive": GRID_CAPACITY,
    "refined": GRID_CAPACITY,
    "ade20k_grid": 150,
    "mseg_grid": 194,
    "ade20k": 150,
    "mseg": 194,
    "cityscapes": 19,
    "cityscapes_as_mseg": 19,
}
DRAWN = ("random", "additive", "refined", "ade20k_grid", "mseg_grid")


def palette(colouring, num_classes, seed=0):
    names = [f"class {k}" for k in range(num_classes)]
    own = [(k, 255 - k, k * k % 256) for k in range(num_classes)]
    return make_palette(colouring, names, own, seed)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(get_args(Colouring)), st.integers(1, 16), st.integers(0, 5))
def test_a_palette_has_distinct_colours_and_one_for_void(colouring, num_classes, seed):
    num_classes = min(num_classes, CAPACITY.get(colouring, num_classes))
    colours = palette(colouring, num_classes, seed)
    assert colours.shape == (num_classes + 1, 3)
    assert colours.min() >= 0
    assert colours.max() <= 255
    assert (colours == colours.round()).all()
    assert len(np.unique(colours[:-1], axis=0)) == num_classes


@pytest.mark.parametrize(("colouring", "capacity"), CAPACITY.items())
def test_more_classes_than_colours_are_refused_by_name(colouring, capacity):
    with pytest.raises(PaletteError, match=f"{colouring}.* {capacity} colours for {capacity + 1}"):
        palette(colouring, capacity + 1)


def test_two_classes_of_one_colour_are_refused_by_name():
    own = [(1, 2, 3), (4, 5, 6), (1, 2, 3)]
    with pytest.raises(PaletteError, match=r"'road' and 'sky' the same colour, \(1, 2, 3\)"):
        make_palette("dataset", ["road", "car", "sky"], own, 0)


@pytest.mark.parametrize("colouring", get_args(Colouring))
def test_seeds_matter_where_numbers_are_drawn_and_only_there(colouring):
    first, again, other = (palette(colouring, 19, seed) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first == other).all() == (colouring not in DRAWN)


def test_the_arithmetic_grid_is_the_paper_s():
    colours = palette("arithmetic", GRID_CAPACITY)[:-1]
    assert colours[:2].tolist() == [[0, 0, 0], [0, 0, 45]]
    assert colours[-1].tolist() == [225, 225, 225]
    assert palette("misaligned", 1)[0].tolist() == [0, 1, 2]


def test_additions_are_from_zero_to_fifteen():
    change = palette("additive", 200)[:-1] - palette("misaligned", 200)[:-1]
    assert change.min() == 0
    assert change.max() == 15


def test_released_palettes_are_as_close_as_computed_from_the_release():
    assert minimum_distance(palette("cityscapes", 19)[:-1]) == pytest.approx(20.0, abs=0.05)
    assert minimum_distance(palette("ade20k", 150)[:-1]) == pytest.approx(20.0, abs=0.05)
    assert minimum_distance(palette("mseg", 194)[:-1]) == pytest.approx(18.7, abs=0.05)


@pytest.mark.parametrize("num_classes", [2, 8, 11, 19, 150, 194])
def test_maximin_spreads_colours_wider_than_any_other_colouring(num_classes):
    best = minimum_distance(palette("maximin", num_classes)[:-1])
    for colouring in set(get_args(Colouring)) - {"maximin", "refined", "dataset"}:
        if num_classes <= CAPACITY.get(colouring, num_classes):
            assert best > minimum_distance(palette(colouring, num_classes)[:-1]), colouring


def test_maximin_finds_the_corners_of_the_cube():
    assert minimum_distance(maximin(8)) == 255


@pytest.mark.parametrize("num_classes", [19, 60])
def test_refinement_spreads_colours_and_avoids_grey(num_classes):
    before = palette("additive", num_classes)[:-1]
    after = refine(before)
    grey = np.full((1, 3), 128.0)
    with_grey = [minimum_distance(np.concatenate([colours, grey])) for colours in (before, after)]
    assert with_grey[1] > with_grey[0]


def test_void_is_far_from_all_classes():
    colours = palette("random", 19)
    nearest = np.sqrt(((colours[:-1] - colours[-1]) ** 2).sum(1).min())
    lattice = farthest(1, occupied=colours[:-1], step=51)[0]
    assert nearest >= np.sqrt(((colours[:-1] - lattice) ** 2).sum(1).min())


def test_cityscapes_has_the_colours_of_its_universal_classes() -> None:
    """Table 7 of GSS shares the colours of MSeg: held against MSeg's taxonomy."""
    space = load_dataset_class("cityscapes")("val", "", None, NoOptions()).label_space
    universal = taxonomy.of_space("mseg-universal")
    assert universal is not None
    members = [only for (only,) in universal.members(space)]
    own = [(0, 0, 0)] * len(space.classes)
    palette = make_palette("cityscapes_as_mseg", space.classes, own, 0)
    np.testing.assert_array_equal(palette[:-1], RELEASED["mseg"][members])
