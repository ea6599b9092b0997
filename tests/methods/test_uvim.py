"""UViM: codes that split and hide, a predictor that looks back only, and the ceiling's image."""

import pytest
import torch

from bench.core import seeding
from bench.core.registry import resolve_config
from bench.core.schema import IGNORE_INDEX
from bench.engine.training.stages import trainable_modules
from methods.uvim.config import PRESETS
from methods.uvim.guiding import SplittingCodebook, hide_codes
from methods.uvim.method import UViM
from methods.uvim.transformer import DecoderBlock, GridPositions, MultiHeadAttention
from tests.helpers.small_methods import DATA, draw_batch

SEEDS = torch.arange(4)


def build(preset="tiny", **changes):
    with seeding.seeded(0):
        return UViM(resolve_config("uvim", preset, changes), DATA).eval()


def noise(*shape):
    return torch.randn(shape, generator=seeding.torch_generator(len(shape)))


def test_predictors_of_any_kind_share_the_first_stage():
    one, two = PRESETS["tiny"], PRESETS["tiny_one_pass"]
    assert one.depends_on("guiding") == two.depends_on("guiding")
    assert one.depends_on("predictor") != two.depends_on("predictor")
    warmer = resolve_config("uvim", "tiny", {"predictor": {"temperature": 1.0}})
    assert one.depends_on("predictor") == warmer.depends_on("predictor")


def test_the_nearest_code_is_nearest():
    book, latent = SplittingCodebook(16, 6, 0.9, 0.1), noise(2, 6, 3, 4)
    rows = latent.permute(0, 2, 3, 1).reshape(-1, 6)
    expected = torch.cdist(rows, book.vectors()).argmin(1).view(2, 3, 4)
    assert torch.equal(book.nearest(latent), expected)
    torch.testing.assert_close(book.vectors().norm(dim=1), torch.ones(16))


def test_codes_follow_the_discounted_mean_of_what_chose_them():
    book = SplittingCodebook(2, 3, 0.5, 1e-6)
    sums = book.sums.clone()
    latent = noise(1, 3, 1, 4)
    codes = torch.tensor([[[0, 1, 1, 0]]])
    book.learn(latent, codes, SEEDS)
    rows = latent[0, :, 0].t()
    torch.testing.assert_close(book.counts, torch.tensor([2.5, 2.5]))
    torch.testing.assert_close(book.sums[0], 0.5 * sums[0] + rows[0] + rows[3])
    torch.testing.assert_close(book.sums[1], 0.5 * sums[1] + rows[1] + rows[2])


def test_a_rare_code_becomes_half_of_the_most_frequent():
    book = SplittingCodebook(3, 4, 0.5, 0.2)
    book.counts.copy_(torch.tensor([8.0, 0.1, 4.0]))
    before = book.vectors().clone()
    book.learn(torch.zeros(1, 4, 1, 0), torch.zeros(1, 1, 0, dtype=torch.int64), SEEDS)
    torch.testing.assert_close(book.counts, torch.tensor([2.0, 2.0, 2.0]))
    after = book.vectors()
    torch.testing.assert_close(after[[0, 2]], before[[0, 2]])
    assert not torch.equal(after[1], after[0])
    torch.testing.assert_close(after[1], after[0], atol=2e-3, rtol=0)


def test_any_share_of_the_codes_is_hidden_and_the_rest_left_alone():
    seeds = torch.arange(400)
    guide = torch.ones(400, 2, 2, 4)
    hidden = hide_codes(guide, seeds)
    assert set(hidden.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(hidden[:, 0], hidden[:, 1])
    shares = hidden[:, 0].flatten(1).sum(1)
    # Nine numbers of codes, each as likely as the other.
    counts = torch.bincount(shares.long(), minlength=9)
    assert len(counts) == 9
    assert (counts > 400 / 9 / 2).all()
    places = hidden[:, 0].mean(0)
    assert (places > 0.35).all()
    assert (places < 0.65).all()


@torch.no_grad()
def test_attention_is_softmax_of_products():
    with seeding.seeded(0):
        module = MultiHeadAttention(8, 2)
    x, other = noise(1, 3, 8), noise(1, 5, 8) + 1
    query, (key, value) = module.query(x), module.key_value(other).chunk(2, 2)
    parts = []
    for head in range(2):
        part = slice(4 * head, 4 * head + 4)
        weights = (query[..., part] @ key[..., part].transpose(1, 2) / 2).softmax(2)
        parts.append(weights @ value[..., part])
    expected = module.project(torch.cat(parts, 2))
    torch.testing.assert_close(module(x, module.memorise(other)), expected)


@torch.no_grad()
def test_a_decoder_step_by_step_is_the_decoder_at_once():
    with seeding.seeded(0):
        block, image = DecoderBlock(8, 2), noise(2, 5, 8)
    x, memory = noise(2, 4, 8), block.looking.memorise(image)
    whole, _ = block(x, memory, None)
    past = None
    for place in range(4):
        step, past = block(x[:, place : place + 1], memory, past)
        torch.testing.assert_close(step, whole[:, place : place + 1])


@torch.no_grad()
def test_a_code_depends_on_those_before_it_only():
    method, batch = build(), draw_batch(1)
    codes = torch.zeros(1, 2, 4, dtype=torch.int64)
    changed = codes.clone()
    changed[0, 1, 0] = 5  # the fifth
    one, two = (method.predictor(batch.image, c).flatten(2)[0] for c in (codes, changed))
    same = (one - two).abs().amax(0) < 1e-5
    assert same.tolist() == [True] * 5 + [False] * 3


@torch.no_grad()
def test_the_likeliest_codes_are_drawn_one_after_the_other():
    method, batch = build(), draw_batch(2)
    drawn = method.predictor.draw(batch.image, (2, 4), batch.seeds)
    logits = method.predictor(batch.image, drawn)
    assert torch.equal(logits.argmax(1), drawn)


@torch.no_grad()
@pytest.mark.parametrize("preset", ["tiny", "tiny_one_pass"])
def test_a_temperature_draws_by_the_seed(preset):
    method, batch = build(preset, predictor={"temperature": 1.0}), draw_batch(2)
    first = method.predictor.draw(batch.image, (2, 4), batch.seeds)
    assert torch.equal(first, method.predictor.draw(batch.image, (2, 4), batch.seeds))
    assert not torch.equal(first, method.predictor.draw(batch.image, (2, 4), batch.seeds + 1))


@torch.no_grad()
def test_positions_of_another_grid_are_interpolated():
    positions = GridPositions(4, 2, 3)
    assert torch.equal(positions(2, 3)[0], positions.table[0].flatten(1).t())
    assert positions(4, 6).shape == (1, 24, 4)


def test_the_codebook_learns_in_the_first_stage_alone():
    method, batch = build(), draw_batch(2)
    for stage, moves in zip(method.config.stages(DATA), (True, False), strict=True):
        trainable_modules(method, stage)
        counts = method.oracle.codebook.counts.clone()
        method(stage.name, batch)
        assert torch.equal(counts, method.oracle.codebook.counts) != moves


@torch.no_grad()
def test_the_ceiling_sees_the_image_and_void_is_told_apart():
    method, batch = build(), draw_batch(2)
    with seeding.seeded(1):
        torch.nn.init.normal_(method.base.classify.weight)
    seen = method.reconstruct_with(batch.image, batch.label, batch.seeds)
    assert not torch.equal(seen, method.reconstruct(batch.label, batch.seeds))
    grey = torch.full_like(batch.image, 0.5)
    unseen = method.reconstruct_with(grey, batch.label, batch.seeds)
    assert torch.equal(unseen, method.reconstruct(batch.label, batch.seeds))
    void = torch.full_like(batch.label, IGNORE_INDEX)
    latents = [method.oracle(label, batch.image) for label in (void, void * 0)]
    assert not torch.equal(*latents)
    measured = method.measure([batch])
    assert measured["stride"] == 16
    assert measured["codes_per_pixel"] == pytest.approx(1 / 256)
