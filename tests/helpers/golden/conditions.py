"""Probes of what disturbs images and latents: every entry of both catalogues on one image."""

from collections.abc import Iterator
from unittest import mock

import numpy as np
import torch

from bench import corruptions
from bench.core import seeding
from bench.core.registry import load_config, load_method
from bench.core.schema import Condition
from bench.corruptions import latents
from bench.corruptions.latents import CODE_FLIPS, LATENT_NOISE
from methods.codec.bottleneck import flip
from tests.helpers.drawn import split
from tests.helpers.golden.numbers import Entry, entry
from tests.helpers.small_methods import DATA, draw_batch

LEVELS = 0.05
"""Of means in levels of 0..255: as if one value in twenty were rounded the other way."""
PROBE = (48, 64)
BLOCK = 16
BACKENDS = ("fast", "torch")
"""Those that are this project's code; what ``reference`` calls has a version of its own."""
SEED = 12
ROUNDING = 1e-5


def observe_corruptions() -> dict[str, Entry]:
    """Return what every corruption does to one image, and the seeds that a split gives it.

    Frost is left out where its pictures are not installed.
    """
    image = probe()
    depth = np.linspace(150, 2, PROBE[0] * PROBE[1]).reshape(PROBE).astype(np.float32)
    numbers = {"seeds of a split": entry(list(_seeds_given()))}
    for name in corruptions.NAMES:
        if corruptions.missing(name):
            continue
        for severity in corruptions.SEVERITIES[name]:
            for backend in BACKENDS:
                out = corruptions.corrupt(image, name, severity, SEED, depth=depth, backend=backend)
                numbers[f"{name} {severity} | {backend}"] = _of_images(out, image)
    return numbers


def probe() -> np.ndarray:
    """Draw ramps, edges and texture, uint8 [48, 64, 3]."""
    row, column = np.mgrid[: PROBE[0], : PROBE[1]]
    ramps = np.stack([row * 5, column * 4, 255 - 2 * (row + column)], axis=2)
    shapes = 70 * ((row - 20) ** 2 + (column - 30) ** 2 < 150) - 50 * (column // 9 % 2)
    texture = seeding.legacy_generator(0).randint(-12, 13, (*PROBE, 3))
    return np.clip(ramps + shapes[..., None] + texture, 0, 255).astype(np.uint8)


def _of_images(out: np.ndarray, image: np.ndarray) -> Entry:
    """Return mean absolute change, deviation, and means of channels and of blocks."""
    values = out.astype(np.float64)
    rows, columns = PROBE[0] // BLOCK, PROBE[1] // BLOCK
    blocks = values.reshape(rows, BLOCK, columns, BLOCK, 3).mean((1, 3, 4))
    means = [np.abs(values - image).mean(), values.std(), *values.mean((0, 1)), *blocks.ravel()]
    return entry(np.round(means, 3), LEVELS)


def _seeds_given() -> Iterator[int]:
    """Yield the seeds that corruptions are called with, in 31 bits."""
    given = []

    def note(image, name, severity, seed, **settings):
        given.append(seed)
        return image

    with mock.patch.object(corruptions, "corrupt", note):
        for name in ("gaussian_noise", "rain"):
            for severity in (1, 2):
                for index in (0, 1):
                    split().load(index, Condition(corruption=name, severity=severity), seed=5)
    yield from (seed % 2**31 for seed in given)


def observe_latents() -> dict[str, Entry]:
    """Return what every perturbation does to latents of known values."""
    numbers = {}
    for severity, deviations in enumerate(latents.CATALOGUE[LATENT_NOISE].grid, 1):
        noise = _latent_noise(deviations)
        means = [noise.abs().mean(), noise.std(), *noise.mean((0, 2, 3))]
        numbers[f"{LATENT_NOISE} {severity}"] = entry(means, ROUNDING * deviations)
    for severity, fraction in enumerate(latents.CATALOGUE[CODE_FLIPS].grid, 1):
        codes = torch.arange(2 * 400).view(2, 20, 20) % 64
        flipped = flip(codes, 64, fraction, torch.tensor([3, 4]))
        place = torch.arange(codes.numel()).view(codes.shape) % 97
        sums = [(flipped != codes).sum(), flipped.sum(), (flipped * place).sum()]
        numbers[f"{CODE_FLIPS} {severity}"] = entry([int(value) for value in sums])
    return numbers


@torch.no_grad()
def _latent_noise(strength: float) -> torch.Tensor:
    """Return what is added to the latents of a codec that passes them on as they are."""
    method = load_method("codec")(load_config("codec")[1]["tiny_identity"], DATA)
    batch, decoded = draw_batch(rows=2), []

    def note(latent, label):
        decoded.append(latent.clone())
        return label

    with mock.patch.object(method, "_decoded", note):
        method.deviation.value.fill_(1.0)
        for deviations in (0.0, strength):
            method.reconstruct_perturbed(batch.label, batch.seeds, LATENT_NOISE, deviations)
    return (decoded[1] - decoded[0]).double()
