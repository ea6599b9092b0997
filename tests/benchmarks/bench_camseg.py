"""Cost of drawing masks beside the released procedure, on the same weights.

The released procedure (mahmed10/CAMSS validation.ipynb) draws the image half's tokens
too, and throws them away. By default the transformer and head have a quarter of the
published widths, over 16 x 16 tokens; BENCH_CAMSEG=released times the published size.
"""

import os

import torch

from bench.core.seeding import normal, seeded
from methods.cam_seg.config import PRESETS, InferenceSettings
from methods.cam_seg.diffusion_head import DiffusionHead
from methods.cam_seg.generate import MaskSampler
from methods.cam_seg.transformer import MaskTransformer
from tests.helpers.measuring import compare

RELEASED = os.environ.get("BENCH_CAMSEG") == "released"
SIDE, SHRINK = (48, 1) if RELEASED else (16, 4)
LEAST_RATIO = 1.67
BATCH = 2


def released(
    transformer: MaskTransformer, head: DiffusionHead, image: torch.Tensor, seed: torch.Tensor
) -> torch.Tensor:
    """Draw all tokens from one pass and keep the mask's, as the notebook does."""
    hidden = torch.ones(image.shape[:2], dtype=torch.bool)
    condition = transformer(image, torch.zeros_like(image), hidden).flatten(0, 1)
    drawn = head.sample(
        condition,
        lambda draw: normal(seed + draw, *image.shape[:1], 2 * image.shape[1], image.shape[2])[
            0
        ].flatten(0, 1),
        steps=100,
        sampler="ancestral",
    )
    return drawn.unflatten(0, (len(image), -1))[:, transformer.length :]


def test_sampling_costs_a_part_of_the_released(performance, light) -> None:
    config = PRESETS["paper"]
    channels = config.autoencoder.latent_channels
    with seeded(0), torch.inference_mode():
        stack = config.encoder.model_copy(update={"width": config.encoder.width // SHRINK})
        transformer = MaskTransformer((SIDE, SIDE), channels, stack, stack).eval()
        width = config.head.width // SHRINK
        head = DiffusionHead(channels, stack.width, width, config.head.depth).eval()
        image = torch.randn(BATCH, SIDE**2, channels)
        seeds = torch.arange(BATCH)
        sampler = MaskSampler(transformer, head, InferenceSettings(steps=100))

        def ours() -> torch.Tensor:
            return sampler.draw(image, sampler.first_condition(image), seeds)

        def theirs() -> torch.Tensor:
            return released(transformer, head, image, seeds[:1])

        assert ours().shape == theirs().shape
        ratio = compare(ours, theirs, 1 if light else 5)
    what = f"CAM-Seg's masks drawn, {'released size' if RELEASED else 'a quarter of the widths'}"
    performance.faster(what, "the released procedure", ratio, LEAST_RATIO)
