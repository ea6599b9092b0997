"""DDP: deformable attention against its equation, the schedule, and sampling."""

import math

import pytest
import torch

from bench.core import seeding
from bench.core.registry import resolve_config
from bench.core.schema import DataSpec
from methods.ddp import (
    DDP,
    PRESETS,
    DeformableAttention,
    log_ratio,
    sampling_times,
    signal_and_noise,
)
from tests.helpers.small_methods import DATA, draw_batch


def build(**changes):
    with seeding.seeded(0):
        return DDP(resolve_config("ddp", "tiny", changes), DATA).eval()


def noise(*shape):
    return torch.randn(shape, generator=seeding.torch_generator(len(shape)))


def sample(value, y, x):
    """Bilinear interpolation of [h, w, D] at pixel indices; zero outside."""
    total = torch.zeros(value.shape[2])
    for row in (math.floor(y), math.floor(y) + 1):
        for column in (math.floor(x), math.floor(x) + 1):
            if 0 <= row < value.shape[0] and 0 <= column < value.shape[1]:
                total += (1 - abs(y - row)) * (1 - abs(x - column)) * value[row, column]
    return total


@torch.no_grad()
def test_deformable_attention_is_equation_2():
    with seeding.seeded(0):
        module = DeformableAttention(8, 2, 3)
        torch.nn.init.normal_(module.offsets.weight, std=0.3)
        torch.nn.init.normal_(module.shares.weight)
    query, x = noise(1, 4, 5, 8), noise(1, 4, 5, 8) + 0.5
    value = module.value(x)[0].view(4, 5, 2, 4)
    offsets = module.offsets(query)[0].view(4, 5, 2, 3, 2).tolist()
    shares = module.shares(query)[0].view(4, 5, 2, 3).softmax(3)
    mixed = torch.zeros(4, 5, 2, 4)
    for row in range(4):
        for column in range(5):
            for head in range(2):
                for point in range(3):
                    right, down = offsets[row][column][head][point]
                    seen = sample(value[:, :, head], row + down, column + right)
                    mixed[row, column, head] += shares[row, column, head, point] * seen
    expected = module.project(mixed.flatten(2))[None]
    torch.testing.assert_close(module(query, x), expected)


def test_heads_start_in_directions_of_their_own():
    offsets = DeformableAttention(16, 4, 2).offsets.bias.detach().view(4, 2, 2)
    expected = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    torch.testing.assert_close(offsets[:, 0], expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(offsets[:, 1], 2 * expected, atol=1e-6, rtol=0)


def test_the_schedule_goes_from_signal_to_noise():
    time = torch.linspace(0, 1, 11)
    signal, spread = (part.flatten() for part in signal_and_noise(log_ratio(time)))
    torch.testing.assert_close(signal**2 + spread**2, torch.ones(11))
    assert (signal.diff() < 0).all()
    assert signal[0] > 0.99
    assert signal[-1] < 0.01
    cosine = torch.cos((time + 0.0002) / 1.00025 * math.pi / 2)
    torch.testing.assert_close(signal[1:], cosine[1:], atol=1e-4, rtol=0)


def test_each_step_lowers_the_noise_by_one_more():
    assert sampling_times(3, 1) == [
        (1.0, pytest.approx(1 / 3)),
        (pytest.approx(2 / 3), 0.0),
        (pytest.approx(1 / 3), 0.0),
    ]


def test_steps_of_sampling_share_the_training():
    assert PRESETS["tiny"].depends_on("network") == resolve_config(
        "ddp", "tiny", {"steps": 5, "skip": 0}
    ).depends_on("network")


@torch.no_grad()
def test_embeddings_keep_within_the_scale():
    method = build()
    label = torch.arange(len(DATA.classes) + 1).view(1, 2, 3)
    embedded = method.denoiser.embed(label)
    assert embedded.shape == (1, 64, 2, 3)
    assert embedded.abs().max() < method.config.scale


@torch.no_grad()
def test_a_prediction_starts_from_noise_of_its_seed():
    method, batch = build(), draw_batch(2)
    logits = method.logits(batch.image, batch.seeds)
    assert torch.equal(logits, method.logits(batch.image, batch.seeds))
    assert not torch.equal(logits, method.logits(batch.image, batch.seeds + 1))


def test_convnext_tiny_has_the_published_number_of_parameters():
    """40 million (arXiv:2303.17559, table of Cityscapes)."""
    names = tuple(map(str, range(19)))
    data = DataSpec(classes=names, palette=((0, 0, 0),) * 19, size=(512, 1024))
    drawn = PRESETS["paper"].backbone.model_copy(update={"pretrained": False})
    with torch.device("meta"):
        method = DDP(PRESETS["paper"].model_copy(update={"backbone": drawn}), data)
    assert sum(p.numel() for p in method.parameters()) / 1e6 == pytest.approx(40, abs=0.5)
