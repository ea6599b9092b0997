"""ImageNet-C-bar's ten corruptions, which look unlike the fifteen of imagecorruptions.

Mintun et al. (arXiv:2102.11273) chose them to tell whether robustness gained on the fifteen
carries over. Severities: ``imagenet_c_bar/imagenet_c_bar.csv`` of
facebookresearch/augmentation-corruption, each turned into the parameters that its code makes
of it (``imagenet_c_bar/corrupt.py``). Lengths there are fractions of the side of a square
image, here of the image's height, so that they follow it by themselves.
"""

from __future__ import annotations

from bench.corruptions.catalogue.entry import Corruption, column, length

SOURCE = "ImageNet-C-bar (facebookresearch/augmentation-corruption), arXiv:2102.11273"

C_BAR = (
    Corruption(
        "blue_noise_sample",
        "pattern",
        "pixels kept where noise of high spatial frequency exceeds a threshold, else black",
        ("threshold, standard deviations",),
        column(-2.26, -2.02, -1.78, -1.3, -0.82),
        SOURCE,
        random=True,
    ),
    Corruption(
        "brownish_noise",
        "pattern",
        "noise of low spatial frequency on every channel",
        ("std, of 255",),
        column(6.4, 12.8, 19.2, 25.6, 32),
        SOURCE,
        random=True,
    ),
    Corruption(
        "caustic_refraction",
        "pattern",
        "seen through a rippled water surface",
        ("shift, fraction of height", "weight of the light", "softening, px"),
        (
            (0.1175, 0.47, 1),
            (0.16, 0.64, 1),
            (0.245, 0.98, 1),
            (0.33, 1.32, 1),
            (0.4575, 1.83, 1),
        ),
        SOURCE,
        random=True,
        widths={"softening, px": length},
    ),
    Corruption(
        "checkerboard_cutout",
        "pattern",
        "squares of a turned checkerboard cut out, at random and as grey",
        ("fraction of the squares of one colour",),
        column(0.2, 0.3, 0.4, 0.5, 0.6),
        SOURCE,
        random=True,
    ),
    Corruption(
        "cocentric_sine_waves",
        "pattern",
        "rings around a point, with a wavy outline",
        ("amplitude, of 255",),
        column(38.4, 64, 102.4, 115.2, 128),
        SOURCE,
        random=True,
    ),
    Corruption(
        "inverse_sparkles",
        "pattern",
        "white rays from the rim, with a star-shaped hole",
        ("exponent of the fall",),
        column(0.13, 0.26, 0.52, 1.17, 1.3),
        SOURCE,
        random=True,
    ),
    Corruption(
        "perlin_noise",
        "pattern",
        "blend with grey turbulence",
        ("weight of the turbulence",),
        column(0.23, 0.26, 0.29, 0.38, 0.44),
        SOURCE,
        random=True,
    ),
    Corruption(
        "plasma_noise",
        "pattern",
        "swirls of colour",
        ("amplitude, of 255",),
        column(30.4, 44.8, 54.4, 59.2, 64),
        SOURCE,
        random=True,
    ),
    Corruption(
        "single_frequency_greyscale",
        "pattern",
        "one plane wave on all channels",
        ("amplitude, of 255", "shortest wave, px"),
        ((19.6, 2), (29.4, 2), (39.2, 2), (88.2, 2), (98, 2)),
        SOURCE,
        random=True,
        widths={"shortest wave, px": length},
    ),
    Corruption(
        "sparkles",
        "pattern",
        "five white stars",
        ("radius, fraction of height",),
        column(0.01, 0.02, 0.03, 0.05, 0.06),
        SOURCE,
        random=True,
    ),
)
"""In alphabetical order, under the names that were published."""
