"""Colouring, its inverses, and what the printed one cannot do."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bench.core import seeding
from bench.core.schema import IGNORE_INDEX
from methods._nn.colour import fill_void, nearest_scores, paint
from methods._nn.inverse import ConvInverse, NearestColour, PseudoInverse, colours_returned
from methods._nn.palettes import make_palette
from methods._nn.released_palettes import RELEASED


@pytest.mark.parametrize(("name", "found"), [("ade20k", 14), ("mseg", 9), ("cityscapes", 5)])
def test_the_pseudo_inverse_misses_most_noise_free_colours(name, found):
    palette = torch.from_numpy(RELEASED[name][:-1] / 255).float()
    assert colours_returned(PseudoInverse(), palette) == found
    assert colours_returned(NearestColour(), palette) == len(palette)


def test_the_convolutions_start_as_the_nearest_colour():
    generator = seeding.torch_generator(0)
    palette = torch.rand(7, 3, generator=generator)
    maskige = torch.rand(2, 3, 6, 5, generator=generator)
    inverse = ConvInverse(5, 7)
    inverse.start_as_nearest_colour(palette, 0.1)
    want = NearestColour()(maskige, palette) / 0.1
    torch.testing.assert_close(inverse(maskige, palette), want, atol=1e-4, rtol=1e-4)
    with pytest.raises(ValueError, match="width is 2; three colours"):
        ConvInverse(2, 7).start_as_nearest_colour(palette, 0.1)


def test_the_pseudo_inverse_is_the_least_squares_solution():
    palette = make_palette("random", ["a", "b", "c", "d"], [], 0)[:-1] / 255
    gamma = np.linalg.inv(palette.T @ palette) @ palette.T  # eq. 15
    colour = np.array([0.2, 0.5, 0.9])
    scores = PseudoInverse()(
        torch.tensor(colour).float().view(1, 3, 1, 1), torch.from_numpy(palette).float()
    )
    np.testing.assert_allclose(scores.flatten(), colour @ gamma, atol=1e-5)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 30), st.integers(0, 1000))
def test_nearest_colour_is_what_all_distances_say(num_classes, seed):
    generator = seeding.torch_generator(seed)
    palette = torch.rand(num_classes, 3, generator=generator)
    maskige = torch.rand(2, 3, 5, 7, generator=generator)
    distance = (maskige[:, None] - palette[:, :, None, None]).square().sum(2)
    scores = nearest_scores(maskige, palette)
    chosen = distance.gather(1, scores.argmax(1, keepdim=True))[:, 0]
    torch.testing.assert_close(chosen, distance.min(1).values, atol=1e-5, rtol=0)


labels = hnp.arrays(
    np.int64,
    st.tuples(st.just(2), st.integers(1, 17), st.integers(1, 17)),
    elements=st.sampled_from([0, 1, 2, 3, IGNORE_INDEX]),
)


@settings(max_examples=80, deadline=None)
@given(labels)
def test_filled_labels_keep_what_is_labelled_and_leave_no_void(label):
    label = torch.from_numpy(label)
    filled = fill_void(label)
    known = label != IGNORE_INDEX
    assert torch.equal(filled[known], label[known])
    assert ((filled >= 0) & (filled < 4)).all()
    for image, full in zip(label, filled, strict=True):
        present = set(image[image != IGNORE_INDEX].tolist()) or {0}
        assert set(full.unique().tolist()) <= present


def test_filling_one_image_does_not_look_at_another():
    empty = torch.full((1, 8, 8), IGNORE_INDEX)
    other = torch.full((1, 8, 8), 3)
    assert (fill_void(torch.cat([empty, other]))[0] == 0).all()


def test_painting_and_the_nearest_colour_undo_each_other():
    palette = torch.from_numpy(make_palette("maximin", ["a", "b", "c"], [], 0)).float()
    label = torch.tensor([[[0, 1], [2, IGNORE_INDEX]]])
    maskige = paint(label, palette)
    assert maskige[0, :, 1, 1].tolist() == palette[-1].tolist()
    filled = torch.where(label == IGNORE_INDEX, 0, label)
    assert torch.equal(nearest_scores(paint(filled, palette), palette[:-1]).argmax(1), filled)
