"""CAM-Seg's behaviour at a size that runs in seconds; weights are random."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.core.registry import merge, resolve_config
from bench.core.schema import IGNORE_INDEX, Batch, DataSpec
from bench.core.seeding import normal, numpy_generator, seeded
from methods.cam_seg.augment import POOL, LabelledImage, augment
from methods.cam_seg.config import PRESETS
from methods.cam_seg.diffusion_head import DiffusionHead
from methods.cam_seg.gaussian_diffusion import (
    GaussianDiffusion,
    cosine_alphas_cumprod,
    respaced_timesteps,
)
from methods.cam_seg.generate import hidden_share, remaining
from methods.cam_seg.palette import RELEASED
from tests.helpers.cam_seg import DATA, SMALL, build


@pytest.fixture(scope="module")
def batch() -> Batch:
    with seeded(1):
        label = torch.randint(0, 3, (3, 16, 32))
        label[:, :4, :4] = IGNORE_INDEX
        return Batch(torch.rand(3, 3, 16, 32), label, torch.tensor([11, 12, 13]))


MODES = [{"mode": "one_shot"}, {"mode": "autoregressive"}]
SAMPLERS = [{"sampler": "ancestral"}, {"sampler": "ddim"}, {"sampler": "dpm_solver"}]


@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
@torch.no_grad()
def test_prediction_depends_on_seeds_only(
    mode: dict[str, str], sampler: dict[str, str], batch: Batch
) -> None:
    method = build(inference={**mode, **sampler})
    first = method.predict(batch.image, batch.seeds)
    torch.rand(5)  # moves the global stream
    assert first.equal(method.predict(batch.image, batch.seeds))
    assert not first.equal(method.predict(batch.image, batch.seeds + 1))
    assert first.shape == batch.label.shape
    assert first.dtype == torch.int64
    assert set(first.unique().tolist()) <= {0, 1, 2}


@pytest.mark.parametrize("mode", MODES, ids=str)
@torch.no_grad()
def test_batch_mates_do_not_matter(mode: dict[str, str], batch: Batch) -> None:
    method = build(inference={**mode, "samples": 2, "aggregate": "vote"})
    order = torch.tensor([2, 0, 1])
    whole = method.predict(batch.image, batch.seeds)
    shuffled = method.predict(batch.image[order], batch.seeds[order])
    assert shuffled.equal(whole[order])


@torch.no_grad()
def test_one_iteration_is_one_shot(batch: Batch) -> None:
    labels = [
        build(inference=mode).predict(batch.image, batch.seeds)
        for mode in (
            {"mode": "one_shot"},
            {"mode": "autoregressive", "iterations": 1},
            {"mode": "autoregressive", "iterations": 2},
        )
    ]
    assert labels[0].equal(labels[1])
    assert not labels[0].equal(labels[2])


@given(length=st.integers(1, 300), data=st.data())
@settings(max_examples=50, deadline=None)
def test_every_token_is_drawn_once(length: int, data: st.DataObject) -> None:
    left = list(remaining(length, data.draw(st.integers(1, length))))
    assert left[-1] == 0
    assert all(now < before for before, now in zip([length, *left], left, strict=False))


def test_hidden_share_is_the_released_truncated_normal() -> None:
    shares = np.array([hidden_share(torch.tensor([seed]), 0.7) for seed in range(2000)])
    assert 0.7 <= shares.min() < 0.71
    assert 0.99 < shares.max() <= 1
    # Mean of a normal around 1 with deviation 0.25, cut to [0.7, 1]: scipy's truncnorm.
    assert abs(shares.mean() - 0.8691) < 0.006


@pytest.mark.parametrize("aggregate", ["first", "vote", "entropy"])
@torch.no_grad()
def test_aggregation_of_samples(aggregate: str, batch: Batch) -> None:
    one = build(inference={"samples": 1}).predict(batch.image, batch.seeds)
    several = build(inference={"samples": 5, "aggregate": aggregate})
    labels = several.predict(batch.image, batch.seeds)
    assert labels.equal(one) == (aggregate == "first")


@torch.no_grad()
def test_void_is_painted_or_filled(batch: Batch) -> None:
    painted = build(void="paint").reconstruct(batch.label, batch.seeds)
    filled = build(void="fill").reconstruct(batch.label, batch.seeds)
    assert set(painted.unique().tolist()) <= {0, 1, 2, IGNORE_INDEX}
    assert set(filled.unique().tolist()) <= {0, 1, 2}
    method = build(void="paint")
    black = torch.full((1, 3, 16, 32), -1.0)
    assert method._labels(method._scores(black).argmax(dim=1)).eq(IGNORE_INDEX).all()


def test_released_palette_is_cityscapes_but_for_the_sky() -> None:
    cityscapes_sky = (70, 130, 180)
    data = DataSpec(classes=[f"c{i}" for i in range(19)], palette=RELEASED, size=(16, 32))
    method = build(data, colouring="released", void="paint")
    assert RELEASED[10] == (0, 130, 180)
    assert cityscapes_sky not in RELEASED
    expected = torch.tensor([*RELEASED, (0, 0, 0)]) / 127.5 - 1
    torch.testing.assert_close(method.palette, expected)


@pytest.mark.parametrize("stage", ["autoencoder", "prior"])
def test_losses_are_finite_and_reach_what_the_stage_trains(stage: str, batch: Batch) -> None:
    method = build(autoencoder={"adversarial_weight": 0.5})
    losses = method(stage, batch)
    assert all(loss.ndim == 0 and loss.isfinite() for loss in losses.values())
    sum(losses.values()).backward()
    trained = next(s.modules for s in method.config.stages(DATA) if s.name == stage)
    for name, parameter in method.named_parameters():
        assert (parameter.grad is not None) == name.startswith(trained), name


@pytest.mark.parametrize("stage", ["autoencoder", "prior"])
def test_losses_in_mixed_precision(stage: str, batch: Batch) -> None:
    method = build()
    exact = sum(method(stage, batch).values())
    with torch.autocast("cpu", torch.bfloat16):
        mixed = sum(method(stage, batch).values())
    assert isinstance(mixed, torch.Tensor)
    mixed.backward()
    torch.testing.assert_close(mixed.float(), exact, rtol=0.05, atol=0)


def test_adversary_and_decoder_get_their_own_gradient(batch: Batch) -> None:
    method = build(autoencoder={"adversarial_weight": 0.5})
    assert method.adversary is not None
    decoded = batch.image.clone().requires_grad_()
    method.adversary.decoder_loss(decoded).backward()
    assert decoded.grad is not None
    assert all(parameter.grad is None for parameter in method.adversary.parameters())
    decoded.grad = None
    method.adversary.discriminator_loss(batch.image, decoded).backward()
    assert decoded.grad is None
    assert all(parameter.grad is not None for parameter in method.adversary.parameters())


@torch.no_grad()
def test_statistics_normalise_latents(batch: Batch) -> None:
    method = build()
    method.fit("statistics", [batch])
    for tokens in (
        method._image_tokens(batch.image, batch.seeds, "mode"),
        method._mask_tokens(batch.label, batch.seeds),
    ):
        torch.testing.assert_close(tokens.mean((0, 1)), torch.zeros(4), atol=1e-4, rtol=0)
        torch.testing.assert_close(tokens.std((0, 1)), torch.ones(4), atol=1e-3, rtol=0)


def test_released_scale_needs_no_statistics() -> None:
    names = [stage.name for stage in PRESETS["paper"].stages(DATA)]
    assert names == ["autoencoder", "prior"]
    method = build(latent_scale=0.2325)
    assert method.mask_scale.factor.eq(torch.tensor(0.2325)).all()


@pytest.mark.parametrize("member", POOL, ids=lambda member: member.__name__.strip("_"))
def test_pool_keeps_image_and_label_together(member: Any) -> None:
    """A label that repeats the image's red channel must still do so away from edges."""
    label = torch.zeros(24, 48, dtype=torch.int64)
    label[6:18, 10:30] = 1
    pair = LabelledImage(label.float().expand(3, -1, -1).clone(), label)
    for seed in range(3):
        image, moved = member(pair, numpy_generator(seed))
        assert image.shape == pair.image.shape
        assert moved.shape == label.shape
        assert moved.dtype == torch.int64
        assert set(moved.unique().tolist()) <= {0, 1, IGNORE_INDEX}
        assert image.isfinite().all()
        known = moved != IGNORE_INDEX
        agreement = ((image[0] > 0.5).long() == moved)[known].float().mean()
        assert agreement > (0.3 if member.__name__ == "_hide_and_seek" else 0.85)


def test_pool_draws_by_the_images_own_seed(batch: Batch) -> None:
    order = torch.tensor([2, 0, 1])
    many = Batch(*(torch.cat([part] * 4) for part in batch[:2]), torch.arange(12))
    once, again = augment(many), augment(many)
    assert once.image.equal(again.image)
    mixed = augment(Batch(*(part[order] for part in many)))
    assert mixed.image.equal(once.image[order])
    assert mixed.label.equal(once.label[order])
    assert not once.image.equal(many.image)


class Ideal(torch.nn.Module):
    """Knows the noise in a token drawn from a normal of the condition's mean and deviation."""

    def __init__(self, process: GaussianDiffusion, target: str) -> None:
        super().__init__()
        self.process, self.target = process, target

    def forward(self, x: torch.Tensor, time: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        mean, deviation = condition.chunk(2, dim=1)
        signal, noise = self.process.signal[time, None], self.process.noise[time, None]
        variance = (signal * deviation) ** 2 + noise**2
        epsilon = noise * (x - signal * mean) / variance
        clean = mean + signal * deviation**2 * (x - signal * mean) / variance
        estimate = epsilon if self.target == "noise" else signal * epsilon - noise * clean
        return torch.cat([estimate, -torch.ones_like(epsilon)], dim=1)


@pytest.mark.parametrize(
    ("sampler", "steps"), [("ancestral", 200), ("ddim", 200), ("dpm_solver", 60)]
)
@pytest.mark.parametrize("target", ["noise", "velocity"])
@torch.no_grad()
def test_samplers_reach_the_distribution(sampler: Any, steps: int, target: Any) -> None:
    head = DiffusionHead(1, 2, 8, 1, target)
    process = GaussianDiffusion(cosine_alphas_cumprod())
    head.net = Ideal(process, target)  # type: ignore[assignment]
    condition = torch.tensor([[0.7, 0.2]]).expand(4000, 2)
    drawn = head.sample(
        condition,
        lambda draw: normal(torch.tensor([draw]), 4000, 1)[0],
        steps=steps,
        sampler=sampler,
    )
    assert abs(drawn.mean().item() - 0.7) < 0.02
    assert abs(drawn.std().item() - 0.2) < 0.02


@pytest.mark.filterwarnings("ignore::DeprecationWarning:diffusers.*")
@pytest.mark.parametrize(("sampler", "order"), [("ddim", 1), ("dpm_solver", 2)])
@torch.no_grad()
def test_solvers_agree_with_diffusers(sampler: Any, order: int) -> None:
    from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler

    head = DiffusionHead(2, 3, 8, 1)
    with seeded(5):
        for parameter in head.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
        condition, start = torch.randn(5, 3), torch.randn(5, 2)
    alphas = cosine_alphas_cumprod()
    betas = 1 - alphas / torch.cat([torch.ones(1), alphas[:-1]])
    solver = DPMSolverMultistepScheduler(trained_betas=betas.numpy(), solver_order=order)
    solver.set_timesteps(timesteps=respaced_timesteps(20).flip(0).tolist())
    x = start
    for time in solver.timesteps:
        epsilon = head.net(x, time.expand(5), condition)[:, :2]
        x = solver.step(epsilon, time, x).prev_sample
    drawn = head.sample(condition, lambda draw: start, steps=20, sampler=sampler)
    torch.testing.assert_close(drawn, x, atol=1e-2, rtol=1e-2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inference": {"steps": 0}}, "steps"),
        ({"inference": {"sampler": "euler"}}, "sampler"),
        ({"inference": {"samples": 0}}, "samples"),
        ({"encoder": {"heads": 3}}, "3 heads do not divide a width of 16"),
    ],
)
def test_bad_settings_are_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        resolve_config("cam_seg", "tiny", merge(SMALL, changes))


def test_bad_sizes_are_refused_by_name(batch: Batch) -> None:
    with pytest.raises(ValueError, match="16x32 pixels; square ones are required"):
        build(square=True)
    with pytest.raises(ValueError, match="16x30 pixels; sides must be multiples of 8"):
        build(DATA.model_copy(update={"size": (16, 30)}))
    with pytest.raises(ValueError, match="16x16 pixels; this model was built for 16x32"):
        build().predict(batch.image[..., :16], batch.seeds)
    with pytest.raises(ValueError, match="19 colours, the data have 3 classes"):
        build(colouring="released")


def test_wrong_latents_are_refused_by_name(batch: Batch) -> None:
    method = build()
    with pytest.raises(ValueError, match="latent of 3 channels; the autoencoder has 4"):
        method.autoencoder.decode(torch.zeros(1, 3, 2, 4))
    tokens, hidden = torch.zeros(1, 8, 3), torch.ones(1, 8, dtype=torch.bool)
    with pytest.raises(ValueError, match="8 tokens of 3 channels; the transformer was built for"):
        method.transformer(tokens, tokens, hidden)
