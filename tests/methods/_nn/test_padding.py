"""Padding to multiples leaves what was there where it was."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.core.schema import IGNORE_INDEX
from methods._nn.padding import pad_image, pad_label

side, multiple = st.integers(1, 20), st.integers(1, 16)


@given(side, side, multiple)
def test_padding_is_minimal_and_at_the_bottom_and_right(height, width, multiple):
    image = torch.arange(3 * height * width).float().view(1, 3, height, width)
    label = torch.ones(1, height, width, dtype=torch.int64)
    for padded, original in (
        (pad_image(image, multiple), image),
        (pad_label(label, multiple), label),
    ):
        assert torch.equal(padded[..., :height, :width], original)
        for size, before in zip(padded.shape[-2:], (height, width), strict=True):
            assert size % multiple == 0
            assert size - before < multiple
    padded = pad_label(label, multiple)
    assert padded.sum() == label.sum() + IGNORE_INDEX * (padded.numel() - label.numel())
    assert torch.equal(pad_image(image, multiple)[0, 0, -1, -1], image[0, 0, -1, -1])
