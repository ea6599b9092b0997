"""Windows: who sees whom, on maps of any size."""

import pytest
import torch

from bench.core import seeding
from methods._nn.windowed_attention import WindowBlock, merge, partition


def block(window, shift):
    with seeding.seeded(0):
        return WindowBlock(dim=8, heads=2, window=window, mlp_width=16, shift=shift).double()


def seen_from(block, height, width, place):
    """Return bool [h, w]: at which places a change is felt at ``place``."""
    x = torch.randn(1, height, width, 8, generator=seeding.torch_generator(0)).double()
    x.requires_grad_(True)
    block(x)[0, place[0], place[1]].sum().backward()
    return x.grad[0].abs().sum(-1) > 1e-12


@pytest.mark.parametrize("size", [(8, 8), (10, 6), (3, 5)])
@pytest.mark.parametrize("place", [(0, 0), (2, 4), (-1, -1)])
def test_a_place_sees_its_window_and_no_more(size, place):
    window = 4
    place = (place[0] % size[0], place[1] % size[1])
    seen = seen_from(block(window, 0), *size, place)
    for y in range(size[0]):
        for x in range(size[1]):
            same = y // window == place[0] // window and x // window == place[1] // window
            assert seen[y, x] == same, (y, x)


@pytest.mark.parametrize("place", [(0, 0), (3, 3), (7, 7), (1, 6)])
def test_a_shifted_place_sees_its_shifted_window_but_not_around_the_border(place):
    window, shift = 4, 2
    seen = seen_from(block(window, shift), 8, 8, place)
    for y in range(8):
        for x in range(8):
            same = (y + shift) // window == (place[0] + shift) // window
            same &= (x + shift) // window == (place[1] + shift) // window
            assert seen[y, x] == same, (y, x)


def test_merging_undoes_partitioning():
    x = torch.rand(2, 6, 9, 5)
    assert torch.equal(merge(partition(x, 3), 3, 6, 9), x)


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="width 8 is no multiple of the number of heads, 3"):
        WindowBlock(dim=8, heads=3, window=4, mlp_width=16, shift=0)
