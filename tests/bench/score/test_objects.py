"""Objects of a truth and their sizes, against labelling of each class by SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from bench.score.counts import SIZE_LIMITS
from bench.score.objects import object_sizes

SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14)


def size_of(pixels, total):
    return sum(pixels / total >= limit for limit in SIZE_LIMITS)


def labelled(truth, instance):
    expected = np.zeros(truth.shape, np.uint8)
    for value in np.unique(truth):
        components, count = ndimage.label(truth == value, structure=np.ones((3, 3)))
        for component in range(1, count + 1):
            inside = components == component
            expected[inside] = size_of(inside.sum(), truth.size)
    for number in np.unique(instance) if instance is not None else ():
        inside = (instance == number) & (number > 0)
        expected[inside] = size_of(inside.sum(), truth.size)
    return expected


@given(st.data())
def test_sizes_are_those_of_eight_connected_components(data):
    shape = data.draw(SHAPES)
    truth = data.draw(arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 2, 255])))
    np.testing.assert_array_equal(object_sizes(truth, None), labelled(truth, None))


@given(st.data())
def test_instances_come_before_components(data):
    shape = data.draw(SHAPES)
    truth = data.draw(arrays(np.uint8, shape, elements=st.integers(0, 1)))
    instance = data.draw(arrays(np.uint16, shape, elements=st.integers(0, 3)))
    np.testing.assert_array_equal(object_sizes(truth, instance), labelled(truth, instance))


@pytest.mark.parametrize("size", [0, 1])
def test_an_object_at_a_limit_is_of_the_larger_size(size):
    truth = np.zeros((96, 96), np.uint8)
    at_limit = truth.size * SIZE_LIMITS[size]
    pixels = int(np.ceil(at_limit))
    truth.ravel()[:pixels] = 1  # whole rows and a part: one component
    assert object_sizes(truth, None)[0, 0] == size + 1
    truth.ravel()[pixels - 1 :] = 0
    assert object_sizes(truth, None)[0, 0] == size
