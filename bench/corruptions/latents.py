"""Perturbations of a codec's latents: conditions of the task ``reconstruct``.

CAM-Seg (arXiv:2503.15617) argues that a continuous latent space forgives a predictor's
errors where a discrete one does not. Here the errors are made by hand, at stated sizes:
a method whose configuration lists a perturbation applies it between encoding and decoding
(``Method.reconstruct_perturbed``). Data only: reading it imports nothing slow.
"""

from __future__ import annotations

from typing import NamedTuple

VERSION = 1
"""Of the specification: raised whenever a perturbation's output would change."""


class Perturbation(NamedTuple):
    """One way to disturb latents, with a strength for each severity."""

    name: str
    summary: str
    parameter: str
    grid: tuple[float, ...]


LATENT_NOISE = "latent_noise"
CODE_FLIPS = "code_flips"

CATALOGUE = {
    entry.name: entry
    for entry in (
        Perturbation(
            LATENT_NOISE,
            "Gaussian noise on latents, before they are quantised where they are",
            "standard deviations of each channel",
            (0.1, 0.25, 0.5, 1.0, 2.0),
        ),
        Perturbation(
            CODE_FLIPS,
            "codes replaced by uniformly drawn ones",
            "fraction of the codes",
            (0.01, 0.03, 0.1, 0.3, 0.6),
        ),
    )
}
SEVERITIES = {name: range(1, len(entry.grid) + 1) for name, entry in CATALOGUE.items()}
