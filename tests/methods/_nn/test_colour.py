"""Painting labels, reading colours back, filling void."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bench.core import seeding
from bench.core.schema import IGNORE_INDEX
from methods._nn.colour import fill_void, nearest_scores, paint
from methods._nn.palettes import make_palette


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
    labelled = label != IGNORE_INDEX
    assert torch.equal(filled[labelled], label[labelled])
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
