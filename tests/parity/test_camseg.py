"""CAM-Seg's transformer and diffusion head against the outputs of the released code."""

from typing import Any

import pytest
import torch

from methods.cam_seg.config import StackSettings
from methods.cam_seg.diffusion_head import DiffusionHead
from methods.cam_seg.gaussian_diffusion import (
    GaussianDiffusion,
    cosine_alphas_cumprod,
    respaced_timesteps,
)
from methods.cam_seg.transformer import MaskTransformer, to_tokens
from tests.helpers.parity import Fixture, fill, load

TOLERANCE: dict[str, float] = {"rtol": 1e-4, "atol": 1e-4}
HEAD = "diffloss."


@pytest.fixture(scope="module")
def fixture() -> Fixture:
    return load("camseg_mar")


def token_channels(config: dict[str, Any]) -> int:
    return int(config["vae_embed_dim"] * config["patch_size"] ** 2)


@pytest.fixture(scope="module")
def transformer(fixture: Fixture) -> MaskTransformer:
    config = fixture.config
    side = config["img_size"] // config["vae_stride"] // config["patch_size"]
    stacks = [
        StackSettings(
            width=config[f"{half}_embed_dim"],
            depth=config[f"{half}_depth"],
            heads=config[f"{half}_num_heads"],
        )
        for half in ("encoder", "decoder")
    ]
    module = MaskTransformer(
        (side, side), token_channels(config), *stacks, mlp_ratio=config["mlp_ratio"]
    )
    fill(module, {k: v for k, v in fixture.parameters.items() if not k.startswith(HEAD)})
    return module.eval()


@pytest.fixture(scope="module")
def head(fixture: Fixture) -> DiffusionHead:
    config = fixture.config
    module = DiffusionHead(
        token_channels(config),
        config["decoder_embed_dim"],
        config["diffloss_w"],
        config["diffloss_d"],
    )
    drawn = {key: shape for key, shape in fixture.parameters.items() if key.startswith(HEAD)}
    # The fixture draws each value from its whole released key, so the prefix stays.
    fill(torch.nn.ModuleDict({"diffloss": module}), drawn)
    return module.eval()


@pytest.mark.parametrize("case", ["all", "partly"])
@torch.no_grad()
def test_camseg_transformer(case: str, fixture: Fixture, transformer: MaskTransformer) -> None:
    patch = fixture.config["patch_size"]
    image = to_tokens(fixture.tensor("image_latent"), patch)
    mask = to_tokens(fixture.tensor("mask_latent"), patch)
    hidden = torch.ones(mask.shape[:2], dtype=torch.bool)
    if case == "partly":
        hidden = fixture.tensor("partly_hidden").bool()
    torch.testing.assert_close(
        transformer(image, mask, hidden), fixture.tensor(f"z_{case}_masked"), **TOLERANCE
    )


@torch.no_grad()
def test_camseg_denoiser(fixture: Fixture, head: DiffusionHead) -> None:
    output = head.net(*(fixture.tensor(name) for name in ("x_t", "t", "condition")))
    torch.testing.assert_close(output, fixture.tensor("denoiser_output"), **TOLERANCE)


@torch.no_grad()
def test_camseg_loss(fixture: Fixture, head: DiffusionHead) -> None:
    loss = head.loss(*(fixture.tensor(name) for name in ("x_0", "condition", "t", "noise")))
    torch.testing.assert_close(loss.mse, fixture.tensor("loss_mse"), **TOLERANCE)
    torch.testing.assert_close(loss.vlb, fixture.tensor("loss_vb"), **TOLERANCE)
    torch.testing.assert_close(loss.mse + loss.vlb, fixture.tensor("loss"), **TOLERANCE)


def test_camseg_schedule(fixture: Fixture) -> None:
    alphas = fixture.tensor("alphas_cumprod")
    torch.testing.assert_close(cosine_alphas_cumprod(len(alphas)), alphas, rtol=1e-9, atol=0)
    steps = int(fixture.config["num_sampling_steps"])
    assert respaced_timesteps(steps).equal(fixture.tensor("respaced_timesteps"))


@torch.no_grad()
def test_camseg_ancestral_steps(fixture: Fixture, head: DiffusionHead) -> None:
    timesteps = fixture.tensor("respaced_timesteps")
    process = GaussianDiffusion(cosine_alphas_cumprod(), timesteps)
    x_t, condition = fixture.tensor("x_t"), fixture.tensor("condition")
    means, logvars = fixture.tensor("posterior_mean"), fixture.tensor("posterior_log_variance")
    for i in range(len(timesteps)):
        index = torch.full((len(x_t),), i)
        step = process.reverse(x_t, index, head.net(x_t, timesteps[index], condition))
        torch.testing.assert_close(step.mean, means[i], **TOLERANCE)
        torch.testing.assert_close(step.logvar, logvars[i], **TOLERANCE)


def test_camseg_base_size() -> None:
    stack = StackSettings(width=768, depth=12, heads=12)
    with torch.device("meta"):
        transformer = MaskTransformer((48, 48), 16, stack, stack)
        head = torch.nn.Module()
        head.net = DiffusionHead(16, 768, width=1024, depth=6).net
    sizes = [sum(p.numel() for p in module.parameters()) for module in (transformer, head)]
    assert sizes[1] == 35_749_920
    assert sum(sizes) == 217_097_760
