"""LDMSeg: bits of classes, latents of unit deviation, and a sampler that ends at its estimate."""

import pytest
import torch

from bench.core import seeding
from bench.core.registry import resolve_config
from bench.core.schema import IGNORE_INDEX
from methods.ldmseg import (
    PRESETS,
    DenoiserSettings,
    LabelAutoencoder,
    LabelAutoencoderSettings,
    LDMSeg,
)
from tests.helpers.small_methods import DATA, draw_batch

SMALL = LabelAutoencoderSettings(widths=(4, 8), inner_width=8, doublings=1, groups=4)


def build(**changes):
    with seeding.seeded(0):
        return LDMSeg(resolve_config("ldmseg", "tiny", changes), DATA).eval()


def test_the_published_one_freezes_an_image_autoencoder_that_is_trained_first():
    assert [stage.name for stage in PRESETS["paper"].stages(DATA)] == [
        "image",
        "labels",
        "denoiser",
    ]
    tiny = PRESETS["tiny"].stages(DATA)
    assert [stage.name for stage in tiny] == ["labels", "denoiser"]
    assert tiny[1].modules == ("denoiser", "image_encoder")


def test_steps_of_sampling_share_the_training():
    more = resolve_config("ldmseg", "tiny", {"denoiser": {"steps": 20}})
    for stage in PRESETS["tiny"].stages(DATA):
        assert more.depends_on(stage.name) == PRESETS["tiny"].depends_on(stage.name)


@torch.no_grad()
def test_classes_are_binary_numbers():
    seen = []
    autoencoder = LabelAutoencoder(SMALL, 6).eval()
    autoencoder.encoder[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    label = torch.tensor([[[0, 1], [5, IGNORE_INDEX]]])
    autoencoder.encode(label)
    bits = {tuple(seen[0][0, :, y, x].tolist()) for y in range(2) for x in range(2)}
    assert autoencoder.bits == 3
    assert bits == {(-1, -1, -1), (1, -1, -1), (1, -1, 1), (0, 0, 0)}


@torch.no_grad()
@pytest.mark.parametrize("scale", [None, 0.2])
def test_latents_have_the_deviation_that_is_set(scale):
    settings = SMALL.model_copy(update={"latent_scale": scale})
    with seeding.seeded(0):
        autoencoder = LabelAutoencoder(settings, 6)
    label = draw_batch(4).label.clamp(max=5)
    mean = autoencoder.encode(label).mean
    assert mean.shape == (4, 4, 16, 32)
    if scale is None:
        torch.testing.assert_close(
            mean.std((0, 2, 3), correction=0), torch.ones(4), atol=1e-2, rtol=0
        )
    else:
        raw = autoencoder.encoder[-1].weight
        with_two = LabelAutoencoder(settings.model_copy(update={"latent_scale": 0.4}), 6)
        with_two.load_state_dict(autoencoder.state_dict())
        assert torch.equal(with_two.encoder[-1].weight, raw)
        torch.testing.assert_close(with_two.encode(label).mean, 2 * mean)
    assert autoencoder.decode(mean).shape == (4, 6, 32, 64)


@torch.no_grad()
@pytest.mark.parametrize("target", ["epsilon", "sample", "v_prediction"])
def test_a_denoiser_that_knows_the_truth_draws_its_latent(target):
    """Whatever it estimates, DDIM ends at the clean latent that the estimates imply."""
    method, batch = build(denoiser={"target": target, "steps": 20}), draw_batch(2)
    truth = method.labels.encode(batch.label).mean

    def estimate(noisy, image, time):
        alpha = method.schedule.alphas_cumprod[time][:, None, None, None]
        epsilon = (noisy - alpha.sqrt() * truth) / (1 - alpha).sqrt()
        velocity = alpha.sqrt() * epsilon - (1 - alpha).sqrt() * truth
        return {"epsilon": epsilon, "sample": truth, "v_prediction": velocity}[target]

    drawn = []
    method.labels.decode = lambda latent: drawn.append(latent) or torch.zeros(2, 5, 32, 64)
    method._estimate = estimate
    method.logits(batch.image, batch.seeds)
    # The schedule's last step leaves noise of deviation 0.03, as released.
    remaining = drawn[0] - truth
    assert remaining.std() < 0.05
    assert remaining.abs().max() < 0.2


@torch.no_grad()
def test_a_prediction_depends_on_the_seed():
    method, batch = build(), draw_batch(2)
    logits = method.logits(batch.image, batch.seeds)
    assert torch.equal(logits, method.logits(batch.image, batch.seeds))
    assert not torch.equal(logits, method.logits(batch.image, batch.seeds + 1))


def test_the_u_net_has_stable_diffusion_s_sizes_by_default():
    assert DenoiserSettings().widths == (320, 640, 1280, 1280)
    assert PRESETS["paper"].labels.stride == 8
    assert PRESETS["tiny"].labels.stride == 4
