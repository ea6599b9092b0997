"""Decode heads: parity with the papers' equations, and sizes as published."""

import math

import pytest
import torch
from torch.nn import functional as F

from bench.core import seeding
from bench.core.registry import resolve_config
from bench.core.schema import DataSpec
from methods.decode_heads.attention import (
    ChannelAttention,
    CrissCrossAttention,
    NonLocalAttention,
    PositionAttention,
)
from methods.decode_heads.config import PRESETS
from methods.decode_heads.high_resolution import ObjectAttention, gather_regions, stack_levels
from methods.decode_heads.method import DecodeHeads
from methods.decode_heads.setr import AggregationHead, UpsamplingHead
from tests.helpers.small_methods import DATA, draw_batch

WIDTH, HEIGHT, BREADTH = 16, 5, 7


def noise(*shape):
    return torch.randn(shape, generator=seeding.torch_generator(len(shape)))


def make(kind, *arguments):
    """A module in evaluation mode whose learned scales are not at their start, zero."""
    with seeding.seeded(3):
        module = kind(*arguments)
        for name, parameter in module.named_parameters():
            if name == "scale" or "norm" in name:
                torch.nn.init.uniform_(parameter, 0.5, 1.5)
    return module.eval()


def pixels(convolution, x):
    """A 1 x 1 convolution written out: [B, h * w, out]."""
    weight = convolution.weight[:, :, 0, 0]
    mapped = torch.einsum("oc,bchw->bhwo", weight, x)
    if convolution.bias is not None:
        mapped = mapped + convolution.bias
    return mapped.flatten(1, 2)


def attended(module, x, allowed, scale=1.0):
    """Softmax attention of all positions to those allowed, as an ordinary matrix."""
    query, key, value = (pixels(part, x) for part in (module.query, module.key, module.value))
    similarity = scale * torch.einsum("bnc,bmc->bnm", query, key)
    weights = similarity.masked_fill(~allowed, -math.inf).exp()
    weights = weights / weights.sum(2, keepdim=True)
    mixed = torch.einsum("bnm,bmc->bcn", weights, value)
    return mixed.reshape(len(x), -1, *x.shape[2:])


def everywhere():
    return torch.ones(HEIGHT * BREADTH, HEIGHT * BREADTH, dtype=torch.bool)


@torch.no_grad()
def test_criss_cross_attention_is_full_attention_to_row_and_column():
    module, x = make(CrissCrossAttention, WIDTH), noise(2, WIDTH, HEIGHT, BREADTH)
    row, column = (
        torch.arange(HEIGHT * BREADTH) // BREADTH,
        torch.arange(HEIGHT * BREADTH) % BREADTH,
    )
    allowed = (row[:, None] == row) | (column[:, None] == column)
    assert allowed.sum(1).eq(HEIGHT + BREADTH - 1).all()
    expected = x + module.scale * attended(module, x, allowed)
    torch.testing.assert_close(module(x), expected)


@torch.no_grad()
def test_position_attention_is_equation_1_and_2():
    module, x = make(PositionAttention, WIDTH), noise(2, WIDTH, HEIGHT, BREADTH)
    expected = x + module.scale * attended(module, x, everywhere())
    torch.testing.assert_close(module(x), expected)


@torch.no_grad()
def test_channel_attention_is_equation_3_and_4():
    module, x = make(ChannelAttention), 0.3 * noise(2, WIDTH, HEIGHT, BREADTH)
    expected = torch.empty_like(x)
    for image in range(2):
        maps = x[image].flatten(1)  # A, of C rows
        for j in range(WIDTH):
            similarity = torch.stack([(maps[i] * maps[j]).sum() for i in range(WIDTH)]).exp()
            share = similarity / similarity.sum()
            mixed = sum(share[i] * maps[i] for i in range(WIDTH))
            expected[image, j] = (module.scale * mixed + maps[j]).view(HEIGHT, BREADTH)
    torch.testing.assert_close(module(x), expected)


@torch.no_grad()
def test_non_local_attention_is_the_embedded_gaussian():
    module, x = make(NonLocalAttention, WIDTH), noise(2, WIDTH, HEIGHT, BREADTH)
    mixed = attended(module, x, everywhere(), 1 / math.sqrt(WIDTH / 2))
    projected = torch.einsum("oc,bchw->bohw", module.project.weight[:, :, 0, 0], mixed)
    norm = module.norm
    factor = norm.weight / (norm.running_var + norm.eps).sqrt()
    shift = norm.bias - factor * norm.running_mean
    expected = x + factor[:, None, None] * projected + shift[:, None, None]
    torch.testing.assert_close(module(x), expected)


def test_a_non_local_block_starts_as_the_identity():
    x = noise(2, WIDTH, HEIGHT, BREADTH)
    torch.testing.assert_close(NonLocalAttention(WIDTH).eval()(x), x)


def test_criss_cross_attention_twice_sees_every_position():
    module = make(CrissCrossAttention, WIDTH)
    x = noise(1, WIDTH, HEIGHT, BREADTH).requires_grad_()
    for times, reach in ((1, HEIGHT + BREADTH - 1), (2, HEIGHT * BREADTH)):
        y = x
        for _ in range(times):
            y = module(y)
        (gradient,) = torch.autograd.grad(y[0, :, 2, 3].sum(), x)
        assert int((gradient[0].abs().sum(0) > 0).sum()) == reach


@torch.no_grad()
def test_regions_and_their_attention_are_equations_2_to_4():
    module, x = make(ObjectAttention, WIDTH), noise(2, WIDTH, HEIGHT, BREADTH)
    logits = noise(2, 4, HEIGHT, BREADTH)
    regions = gather_regions(x, logits)
    for k in range(4):
        share = logits[:, k].flatten(1).exp()
        share = share / share.sum(1, keepdim=True)
        centre = (share[:, None] * x.flatten(2)).sum(2)
        torch.testing.assert_close(regions[:, :, k, 0], centre)
    query, key, value = module.query(x), module.key(regions), module.value(regions)
    context = torch.zeros(2, WIDTH // 2, HEIGHT, BREADTH)
    for image in range(2):
        for row in range(HEIGHT):
            for column in range(BREADTH):
                pixel = query[image, :, row, column]
                relation = (key[image, :, :, 0].t() @ pixel / math.sqrt(WIDTH / 2)).exp()
                relation = relation / relation.sum()
                context[image, :, row, column] = value[image, :, :, 0] @ relation
    torch.testing.assert_close(module(x, regions), module.project(context))


def test_levels_are_stacked_at_the_size_of_the_first():
    first, second = noise(1, 2, 8, 8), noise(1, 3, 4, 4)
    stacked = stack_levels([first, second])
    assert torch.equal(stacked[:, :2], first)
    expected = F.interpolate(second, (8, 8), mode="bilinear")
    torch.testing.assert_close(stacked[:, 2:], expected)


@torch.no_grad()
def test_aggregation_sums_from_the_last_level_to_the_first():
    head = make(AggregationHead, (6, 6, 6), 8, 5, 0.4, 0.0)
    levels = [noise(1, 6, HEIGHT, BREADTH) + i for i in range(3)]
    lateral = [part(x) for part, x in zip(head.lateral, levels, strict=True)]
    sums = [lateral[0] + lateral[1] + lateral[2], lateral[1] + lateral[2], lateral[2]]
    expected = [smooth(x) for smooth, x in zip(head.smooth, sums, strict=True)]
    torch.testing.assert_close(head.aggregate(levels), expected)


@pytest.mark.parametrize(("progressive", "factor"), [(False, 4), (True, 16)])
def test_upsampling_is_by_four_or_four_times_by_two(progressive, factor):
    head = make(UpsamplingHead, (6, 6), 8, progressive, 5, 0.4, 0.0)
    logits = head([noise(1, 6, HEIGHT, BREADTH)] * 2)
    assert logits["prediction"].shape == (1, 5, factor * HEIGHT, factor * BREADTH)
    assert logits["auxiliary 0"].shape == (1, 5, 16 * HEIGHT, 16 * BREADTH)
    assert set(logits) == set(head.weights) == {"prediction", "auxiliary 0"}


@pytest.mark.parametrize("preset", [name for name in PRESETS if "tiny" in name])
def test_every_map_of_logits_is_trained_with_its_weight(preset):
    config = resolve_config("decode_heads", preset, {})
    with seeding.seeded(0):
        method = DecodeHeads(config, DATA).eval()
        doubled = DecodeHeads(config.model_copy(update={"auxiliary_weight": 0.8}), DATA).eval()
    doubled.load_state_dict(method.state_dict())
    batch = draw_batch(2)
    with torch.no_grad():
        losses, others = method("network", batch), doubled("network", batch)
    for name, loss in losses.items():
        beside = name.startswith("auxiliary") or name == "coarse"
        torch.testing.assert_close(others[name], (2 if beside else 1) * loss)


def data_of(num_classes):
    names = tuple(map(str, range(num_classes)))
    return DataSpec(classes=names, palette=((0, 0, 0),) * num_classes, size=(768, 768))


def millions(module):
    return sum(parameter.numel() for parameter in module.parameters()) / 1e6


def on_meta(preset, num_classes):
    """A published size without its numbers, and so without ImageNet's."""
    config = PRESETS[preset]
    drawn = config.backbone.model_copy(update={"pretrained": False})
    with torch.device("meta"):
        return DecodeHeads(config.model_copy(update={"backbone": drawn}), data_of(num_classes))


@pytest.mark.parametrize(
    ("preset", "num_classes", "published"),
    [
        # arXiv:2105.15203, Table 2, on ADE20K.
        ("ccnet_r101", 150, 68.9),
        ("ocr_hrnet_w48", 150, 70.5),
        # arXiv:1904.04514, Table 3, on Cityscapes.
        ("hrnet_w48", 19, 65.9),
        # arXiv:2012.15840, Table 2, on Cityscapes.
        ("fcn_r101", 19, 68.59),
        ("setr_naive", 19, 305.67),
        ("setr_mla", 19, 310.57),
        ("setr_pup", 19, 318.31),
    ],
)
def test_parameters_are_within_a_hundredth_of_the_published(preset, num_classes, published):
    method = on_meta(preset, num_classes)
    assert millions(method) == pytest.approx(published, rel=0.01)


def test_attention_comes_on_top_of_the_fcn():
    """No paper prints NonLocal's and DANet's own numbers on ResNet-101.

    They are the FCN's, which is printed, and the layers of their attention.
    """
    fcn, non_local, dual = (
        millions(on_meta(f"{head}_r101", 19)) for head in ("fcn", "nonlocal", "danet")
    )
    # Three maps to half the width with biases, one back without, and a norm.
    layers = 3 * (512 * 256 + 256) + 256 * 512 + 2 * 512
    assert non_local == pytest.approx(fcn + layers / 1e6, rel=1e-6)
    # Two branches of two convolutions, in place of three convolutions of the FCN.
    branches = 2 * (9 * 2048 * 512 + 9 * 512 * 512) - 9 * (2048 + 512 + 2560) * 512
    attention = 2 * (512 * 64 + 64) + 512 * 512 + 512
    assert dual == pytest.approx(fcn + (branches + attention) / 1e6, rel=0.001)


def test_a_transformer_s_positions_fit_images_of_other_sizes():
    config = resolve_config("decode_heads", "setr_pup_tiny", {})
    with seeding.seeded(0):
        method = DecodeHeads(config, DATA).eval()
    for size in (DATA.size, (48, 40)):
        batch = draw_batch(1, size)
        with torch.no_grad():
            levels = method.network.backbone(batch.image)
        assert [level.shape for level in levels] == [(1, 128, size[0] // 8, size[1] // 8)] * 2
