"""The first layer of DALL-E's decoder on 96 x 96 codes, at the released size."""

import torch
from torch.nn import functional

from bench.core.seeding import torch_generator
from methods._nn.autoencoders.dalle import DalleDecoder
from tests.helpers.measuring import compare

CODES, SIDE = 8192, 96


def test_codes_are_gathered_and_not_multiplied(performance, light):
    decoder = DalleDecoder(256, 128, 2, CODES).eval()
    first = decoder.blocks.input
    codes = torch.randint(CODES, (1, SIDE, SIDE), generator=torch_generator(0))

    def one_hot():
        weights = functional.one_hot(codes, CODES).permute(0, 3, 1, 2).float()
        return first(weights)

    def gathered():
        return decoder.first_layer(codes)

    with torch.inference_mode():
        torch.testing.assert_close(gathered(), one_hot())
        ratio = compare(gathered, one_hot, 2 if light else 5)
    performance.faster(
        "dVAE's first layer on 96 x 96 codes", "a one-hot map of all 8192 codes", ratio, 30
    )
