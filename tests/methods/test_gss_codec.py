"""The codec of GSS: its tokenizer learns colours, and codes can be put on those of the truth."""

import pytest
import torch

from bench.core import seeding
from bench.core.registry import resolve_config
from bench.core.schema import Batch
from methods._nn.inverse import NearestColour
from methods.gss.maskige_codec import MaskigeCodec, MaskigeCodecSettings, Palette
from methods.gss.method import make_codec, make_tokenizer
from tests.helpers.small_methods import DATA
from tests.helpers.tokenizers import tokenizers


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_a_tokenizer_learns_to_tell_two_colours(kind):
    """The same data again and again: losses must fall by half."""
    codec = MaskigeCodec(
        Palette(torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, 1, 0]]), learned=False),
        tokenizers()[kind],
        NearestColour(),
        MaskigeCodecSettings(),
    )
    label = torch.zeros(2, 16, 16, dtype=torch.int64)
    label[:, 8:] = 1
    batch = Batch(torch.zeros(2, 3, 16, 16), label, torch.arange(2))
    optimizer = torch.optim.Adam(codec.tokenizer.parameters(), lr=1e-2)
    history = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = sum(codec.tokenizer_losses(batch).values())
        loss.backward()
        optimizer.step()
        history.append(float(loss.detach()))
    assert history[-1] < history[0] / 2


def test_codes_are_put_on_the_nearest_of_the_truth():
    """With vectors of small integers, so that no distance is rounded."""
    dalle = {"width": 8, "first_width": 8, "num_codes": 64}
    config = resolve_config("gss", "tiny", {"tokenizer": "dalle", "dalle": dalle})
    codec = make_codec(config, DATA, make_tokenizer(config)).requires_grad_(False)
    first = codec.tokenizer.decoder.blocks[0]
    generator = seeding.torch_generator(0)
    first.weight.copy_(torch.randint(-8, 9, first.weight.shape, generator=generator))
    first.bias.zero_()
    vectors = codec.tokenizer.vectors().long()
    assert len(vectors.unique(dim=0)) == 64
    codes = torch.randint(64, (2, 6, 8), generator=generator)
    truth = torch.randint(4, (2, 6, 8), generator=generator) + 2
    truth[1] += 7
    assert torch.equal(codec.nearest(truth, truth), truth)
    replaced = codec.nearest(codes, truth)
    for image in range(2):
        candidates = truth[image].unique()
        assert set(replaced[image].unique().tolist()) <= set(candidates.tolist())
        predicted = vectors[codes[image].flatten()]
        distance = (predicted[:, None] - vectors[candidates]).square().sum(2)
        chosen = (predicted - vectors[replaced[image].flatten()]).square().sum(1)
        assert torch.equal(chosen, distance.min(1).values)
