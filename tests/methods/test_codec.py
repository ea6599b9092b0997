"""Codecs: what must hold of every bottleneck on the shared network."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core import seeding
from bench.core.registry import load_method, resolve_config
from bench.core.schema import IGNORE_INDEX
from bench.corruptions.latents import CODE_FLIPS, LATENT_NOISE
from methods.codec.bottleneck import flip
from methods.codec.config import PRESETS
from methods.codec.moving_average import MovingAverageCodebook, ResidualBottleneck
from tests.helpers.small_methods import CLASSES, DATA, SIZE, draw_batch

SHARED = ("tiny", "tiny_kl", "tiny_rvq", "tiny_var", "tiny_fsq", "tiny_gumbel", "tiny_one_hot")
CODEBOOKS = (256, 1024, 4096, 16384)
CHANNELS = (4, 8, 16, 32)


def build(preset="tiny", **changes):
    config = resolve_config("codec", preset, changes)
    with seeding.seeded(0):
        return load_method("codec")(config, DATA).eval().requires_grad_(False)


def measured(method):
    return method.measure([draw_batch()])


@given(
    label=st.lists(
        st.sampled_from([*range(CLASSES), IGNORE_INDEX]), min_size=6 * 10, max_size=6 * 10
    ),
    colouring=st.sampled_from(["maximin", "dataset", "random", "one_hot"]),
)
@settings(deadline=None, max_examples=30)
def test_identity_keeps_every_label(label, colouring):
    truth = torch.tensor(label).view(1, 6, 10)
    found = build("tiny_identity", colouring=colouring).reconstruct(truth, torch.tensor([3]))
    known = truth != IGNORE_INDEX
    assert torch.equal(found[known], truth[known])


def test_least_squares_cannot_separate_what_the_nearest_colour_can():
    names = tuple(f"class {k}" for k in range(19))
    data = DATA.model_copy(update={"classes": names, "palette": ((0, 0, 0),) * 19})
    truth = torch.arange(19).view(1, 1, 19)
    exact, least = (
        load_method("codec")(resolve_config("codec", "tiny_identity", {"inverse": inverse}), data)
        for inverse in ("nearest", "pseudo_inverse")
    )
    assert torch.equal(exact.reconstruct(truth, torch.tensor([1])), truth)
    assert not torch.equal(least.reconstruct(truth, torch.tensor([1])), truth)


def test_the_rate_rises_with_the_codebook():
    sizes = [measured(build(codebook={"num_codes": codes})) for codes in CODEBOOKS]
    rates = [each["bits_per_pixel"] for each in sizes]
    assert rates == sorted(set(rates))
    assert rates == [math.log2(codes) / 16 for codes in CODEBOOKS]


def test_the_rate_rises_with_the_channels():
    rates = [
        measured(build("tiny_kl", kl={"latent_channels": each}))["bits_per_pixel"]
        for each in CHANNELS
    ]
    assert rates == sorted(set(rates))


@pytest.mark.parametrize("preset", SHARED)
@pytest.mark.parametrize("widths", [(32, 64), (32, 64, 64), (32, 64, 64, 64)])
def test_compared_codecs_have_as_many_parameters(preset, widths):
    sizes = []
    for name in ("tiny", preset):
        method = build(name, widths=widths)
        codebook = method.coder.bottleneck.codebook_parameters()
        sizes.append(sum(p.numel() for p in method.parameters()) - codebook)
    assert abs(sizes[1] / sizes[0] - 1) < 0.02
    assert method.config.stride == 2 ** len(widths)


@pytest.mark.parametrize("changes", [{"kl": {"latent_channels": each}} for each in CHANNELS])
def test_channels_hardly_change_the_parameters(changes):
    sizes = [
        sum(p.numel() for p in method.parameters())
        for method in (build("tiny"), build("tiny_kl", **changes))
    ]
    assert abs(sizes[1] / sizes[0] - 1) < 0.02


@pytest.mark.parametrize("preset", [each for each in SHARED if each != "tiny_one_hot"])
def test_codecs_of_one_seed_start_from_one_network(preset):
    one, other = build("tiny").coder, build(preset).coder
    for part in ("stem", "encoder", "decoder", "head"):
        state = getattr(other, part).state_dict()
        for key, value in getattr(one, part).state_dict().items():
            assert torch.equal(value, state[key])


def test_scalar_codes_stay_spread_when_features_grow():
    features = torch.randn(8, 64, 16, 32, generator=seeding.torch_generator(4))
    bottleneck = build("tiny_fsq").coder.bottleneck.train()
    for scale in (1, 1000):
        latent = bottleneck(scale * features, torch.arange(8)).latent
        assert len(latent.movedim(1, -1).flatten(0, 2).unique(dim=0)) > 300


def test_entries_move_to_the_mean_of_what_chooses_them():
    random = seeding.torch_generator(5)
    latent = torch.cat([torch.full((1, 2, 4, 4), -5.0), torch.full((1, 2, 4, 4), 5.0)])
    latent = latent + torch.randn(latent.shape, generator=random)
    book = MovingAverageCodebook(2, 2, decay=0.5, restart_below=0.0)
    book.vectors.copy_(torch.tensor([[-1.0, -1.0], [1.0, 1.0]]))
    book.uses.fill_(1e-6)
    for step in range(40):
        book.learn(latent, torch.tensor([step]))
    means = torch.stack([latent[0].flatten(1).mean(1), latent[1].flatten(1).mean(1)])
    torch.testing.assert_close(book.vectors, means, atol=1e-4, rtol=1e-4)


def test_several_processes_learn_from_all_their_images(monkeypatch):
    """Another process with the same images counts as if they were in the batch twice."""
    latent = torch.randn(2, 3, 8, 8, generator=seeding.torch_generator(1))
    books = [MovingAverageCodebook(8, 3, decay=0.9, restart_below=0.0) for _ in range(2)]
    books[0].vectors.copy_(torch.randn(8, 3, generator=seeding.torch_generator(2)))
    books[0].uses.fill_(1.0)
    books[1].load_state_dict(books[0].state_dict())
    books[0].learn(torch.cat([latent, latent]), torch.tensor([1]))
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda tensor: tensor.mul_(2))
    books[1].learn(latent, torch.tensor([1]))
    for key, value in books[0].state_dict().items():
        torch.testing.assert_close(books[1].state_dict()[key], value)


def test_dead_entries_restart_on_the_data():
    latent = torch.randn(2, 4, 8, 8, generator=seeding.torch_generator(3))
    book = MovingAverageCodebook(16, 4, decay=0.9, restart_below=0.1)
    book.vectors[:8], book.uses[:8] = 0.0, 1.0
    book.vectors[8:], book.uses[8:] = 1000.0, 0.0
    book.learn(latent, torch.tensor([0]))
    rows = latent.movedim(1, -1).flatten(0, 2)
    for entry in book.vectors[8:]:
        assert (rows == entry).all(1).any()
    for step in range(1, 60):
        book.learn(latent, torch.tensor([step]))
    assert len(book.nearest(latent).unique()) == 16


def test_learning_depends_on_state_and_seeds_alone():
    latent = torch.randn(2, 4, 8, 8, generator=seeding.torch_generator(1))
    books = [MovingAverageCodebook(32, 4, 0.9, 0.1) for _ in range(2)]
    books[1].load_state_dict(books[0].state_dict())
    books[0].learn(latent, torch.tensor([1, 2]))
    torch.manual_seed(99)
    books[1].learn(latent, torch.tensor([1, 2]))
    assert torch.equal(books[0].vectors, books[1].vectors)


def test_more_levels_leave_less_over():
    latent = torch.randn(2, 8, 8, 8, generator=seeding.torch_generator(2))
    left = []
    for levels in (1, 2, 4):
        quantizer = ResidualBottleneck(
            8, 8, 32, levels, commitment=0.25, decay=0.9, restart_below=0.1
        )
        torch.nn.init.dirac_(quantizer.narrow.weight)
        torch.nn.init.zeros_(quantizer.narrow.bias)
        for step in range(20):
            quantizer(latent, torch.tensor([step, 1]))
        left.append(float((quantizer.restore(latent) - latent).square().mean()))
    assert left == sorted(left, reverse=True)
    assert left[2] < 0.5 * left[0]


@given(rate=st.sampled_from([0.0, 0.1, 0.5, 1.0]), size=st.integers(2, 50))
@settings(deadline=None)
def test_flips_are_as_frequent_as_asked_and_each_image_has_its_own(rate, size):
    codes = torch.zeros(2, 40, 40, dtype=torch.int64)
    found = flip(codes, size, rate, torch.tensor([1, 2]))
    assert found.min() >= 0
    assert found.max() < size
    changed = (found != codes).float().mean().item()
    assert changed == pytest.approx(rate * (1 - 1 / size), abs=0.05)
    alone = flip(codes[1:], size, rate, torch.tensor([2]))
    assert torch.equal(found[1:], alone)


def test_noise_is_in_units_of_the_measured_deviation():
    method, batch = build("tiny_kl"), draw_batch()
    latents = method._latent(batch.label, batch.seeds)
    method.fit("statistics", [batch])
    spread = latents.transpose(0, 1).flatten(1).var(1, correction=0).mean().sqrt()
    assert method.deviation.value.item() == pytest.approx(spread.item(), rel=1e-4)


def test_stronger_perturbations_change_more():
    method, batch = build("tiny_identity"), draw_batch()
    method.fit("statistics", [batch])
    changed = [
        (method.reconstruct_perturbed(batch.label, batch.seeds, LATENT_NOISE, s) != batch.label)
        .float()
        .mean()
        for s in (0.1, 0.5, 1.0, 2.0)
    ]
    assert changed == sorted(changed)
    with pytest.raises(TypeError, match=CODE_FLIPS):
        method.reconstruct_perturbed(batch.label, batch.seeds, CODE_FLIPS, 0.1)


def test_a_continuous_reconstruction_decodes_a_sample():
    method, batch = build("tiny_kl"), draw_batch()
    one = method._latent(batch.label, batch.seeds)
    assert torch.equal(one, method._latent(batch.label, batch.seeds))
    assert not torch.equal(one, method._latent(batch.label, batch.seeds + 1))


@pytest.mark.slow
def test_a_little_training_helps_each_bottleneck():
    """The loss of classes falls by a quarter; behind a bottleneck without gradient it would not."""
    batch = draw_batch(rows=2)
    for preset in SHARED:
        with seeding.seeded(0):
            method = build(preset, widths=(16, 16), features=16, codebook={"num_codes": 32})
        method.coder.requires_grad_(True).train()
        optimizer = torch.optim.Adam(method.coder.parameters(), lr=1e-2)
        losses = []
        for step in range(40):
            found = method("codec", batch._replace(seeds=batch.seeds + 10 * step))
            optimizer.zero_grad()
            sum(found.values()).backward()
            optimizer.step()
            losses.append(found["classes"].item())
        assert losses[-1] < 0.75 * losses[0], preset


@pytest.mark.parametrize("preset", [name for name in PRESETS if "tiny" not in name])
def test_released_architectures_are_built_as_configured(preset):
    with torch.device("meta"):
        method = load_method("codec")(PRESETS[preset].model_copy(update={"palette_seed": 0}), DATA)
    assert method.config.stride in (8, 16)
    assert sum(p.numel() for p in method.parameters()) > 5e7


@pytest.mark.parametrize(
    ("preset", "modules"), [("tiny", ("coder", "inverse")), ("tiny_identity", ("inverse",))]
)
def test_a_learned_inverse_is_trained_with_the_codec(preset, modules):
    method, batch = build(preset, inverse="conv"), draw_batch()
    assert [stage.modules for stage in method.config.stages(DATA)] == [modules, ("deviation",)]
    method.inverse.requires_grad_(True)
    sum(method("codec", batch).values()).backward()
    assert all(parameter.grad is not None for parameter in method.inverse.parameters())


@pytest.mark.parametrize("tokenizer", ["dalle", "kl_autoencoder"])
def test_released_architectures_read_no_one_hot_labels(tokenizer):
    with pytest.raises(ValueError, match=f"'{tokenizer}' reads colours"):
        build("tiny", tokenizer=tokenizer, colouring="one_hot")


def test_vqgan_reads_one_hot_labels_too():
    """GSS's table 2 has it on colours and on as many channels as classes."""
    for preset, channels in (("tiny_vqgan", 3), ("tiny_vqgan_one_hot", CLASSES)):
        autoencoder = build(preset).coder.autoencoder
        assert autoencoder.encoder.conv_in.in_channels == channels
        assert autoencoder.decoder.conv_out.out_channels == channels


def test_the_size_of_a_label_need_not_be_a_multiple():
    label = draw_batch(2, (33, 50)).label
    for preset in SHARED:
        assert build(preset).reconstruct(label, torch.arange(2)).shape == (2, 33, 50)
    assert SIZE == (32, 64)
