"""Rates and codebook use, from counted codes."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from methods._nn.rate import CodeCounter


@given(codes=st.lists(st.integers(0, 7), min_size=1, max_size=64))
@settings(deadline=None)
def test_entropy_is_at_most_the_nominal_rate(codes):
    counter = CodeCounter([8])
    counter.add([torch.tensor(codes).view(1, 1, -1)], pixels=4 * len(codes))
    measured = counter.measured()
    share = np.bincount(codes) / len(codes)
    entropy = -sum(p * math.log2(p) for p in share if p)
    assert measured["bits_per_pixel"] == 3 / 4
    assert measured["entropy_bits_per_pixel"] == pytest.approx(entropy / 4)
    assert measured["entropy_bits_per_pixel"] <= measured["bits_per_pixel"] + 1e-12
    assert measured["perplexity"] == pytest.approx(2**entropy)
    assert measured["codebook_use"] == len(set(codes)) / 8


def test_maps_of_several_sizes_are_paid_for_by_their_codes():
    counter = CodeCounter([4, 4])
    maps = [torch.zeros(1, 1, 1).long(), torch.tensor([[[0, 1], [2, 3]]])]
    counter.add(maps, pixels=16)
    assert counter.measured() == {
        "codes_per_pixel": 5 / 16,
        "bits_per_pixel": 10 / 16,
        "entropy_bits_per_pixel": 8 / 16,
        "codebook_use": (0.25 + 1) / 2,
        "perplexity": (1 + 4) / 2,
    }
