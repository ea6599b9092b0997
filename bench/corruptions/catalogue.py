"""What corruptions there are, with their published parameters.

Data only. An entry's function is found by family (the module) and name, and gets one
row of the grid as its arguments.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Family = Literal["noise", "blur", "weather", "digital", "colour"]
Grid = tuple[tuple[float, ...], ...]

IMAGECORRUPTIONS = "imagecorruptions (bethgelab/imagecorruptions@c959e65), arXiv:1907.07484"
CAMSEG = "CAM-Seg (arXiv:2503.15617), grid read from its published curves"
CAMSS = "CAM-Seg's training augmentation (mahmed10/CAMSS@b7363a8), at the published grid"
OWN = "this project"


class Corruption(NamedTuple):
    """One entry of the catalogue."""

    name: str
    family: Family
    summary: str
    parameters: tuple[str, ...]
    """Names of the grid's columns, with units where they have one."""
    grid: Grid
    """One row a severity."""
    source: str
    random: bool = False
    depth: bool = False
    """Whether it uses the image's depth where there is one."""
    function: str = ""
    """Of the family's module, where it is not the name."""


def _column(*values: float) -> Grid:
    return tuple((value,) for value in values)


_ENTRIES = (
    # Noise
    Corruption(
        "gaussian_noise",
        "noise",
        "normal noise on every channel",
        ("std, fraction of full scale",),
        _column(0.08, 0.12, 0.18, 0.26, 0.38),
        IMAGECORRUPTIONS,
        random=True,
    ),
    Corruption(
        "shot_noise",
        "noise",
        "Poisson counts of light",
        ("photons at full scale",),
        _column(60, 25, 12, 5, 3),
        IMAGECORRUPTIONS,
        random=True,
    ),
    Corruption(
        "impulse_noise",
        "noise",
        "channel values replaced by 0 or 255, half each",
        ("fraction of values",),
        _column(0.03, 0.06, 0.09, 0.17, 0.27),
        IMAGECORRUPTIONS,
        random=True,
    ),
    Corruption(
        "speckle_noise",
        "noise",
        "normal noise in proportion to the value",
        ("std, fraction of the value",),
        _column(0.15, 0.2, 0.35, 0.45, 0.6),
        IMAGECORRUPTIONS,
        random=True,
    ),
    Corruption(
        "salt_pepper",
        "noise",
        "pixels replaced by black or white, half each",
        ("fraction of pixels",),
        _column(0.02, 0.05, 0.1, 0.25, 0.5),
        OWN,
        random=True,
    ),
    Corruption(
        "camseg_gaussian_noise",
        "noise",
        "normal noise on every channel, rounded",
        ("std, of 255",),
        _column(5, 10, 20, 30, 50, 100),
        CAMSEG,
        random=True,
        function="pixel_noise",
    ),
    Corruption(
        "camseg_salt_pepper",
        "noise",
        "pixels replaced by black or white, half each",
        ("fraction of pixels",),
        _column(0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.6, 0.7, 0.8),
        CAMSEG,
        random=True,
        function="salt_pepper",
    ),
    Corruption(
        "camseg_salt_then_pepper",
        "noise",
        "white pixels, then as many black, drawn independently",
        ("fraction of pixels, each",),
        _column(0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.6, 0.7, 0.8),
        CAMSS,
        random=True,
        function="salt_then_pepper",
    ),
    # Blur
    Corruption(
        "defocus_blur",
        "blur",
        "average over a disk",
        ("radius, px", "sigma of the rim, px"),
        ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
        IMAGECORRUPTIONS,
    ),
    Corruption(
        "glass_blur",
        "blur",
        "near pixels shuffled between two blurs",
        ("sigma, px", "reach, px", "iterations"),
        ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
        IMAGECORRUPTIONS,
        random=True,
    ),
    Corruption(
        "motion_blur",
        "blur",
        "one-sided trail along a random direction within 45 degrees of horizontal",
        ("radius, px", "sigma, px"),
        ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
        IMAGECORRUPTIONS,
        random=True,
    ),
    Corruption(
        "zoom_blur",
        "blur",
        "average of growing magnifications",
        ("stop, factor", "step, factor"),
        ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
        IMAGECORRUPTIONS,
    ),
    Corruption(
        "gaussian_blur",
        "blur",
        "isotropic Gaussian blur",
        ("sigma, px",),
        _column(1, 2, 3, 4, 6),
        IMAGECORRUPTIONS,
    ),
    Corruption(
        "camseg_motion_blur",
        "blur",
        "horizontal box blur",
        ("width, px",),
        _column(3, 9, 15, 21, 35, 51, 75, 105, 151, 221),
        CAMSS,
        function="box_blur",
    ),
    Corruption(
        "camseg_gaussian_blur",
        "blur",
        "Gaussian blur on a window of 3 sigma to each side",
        ("sigma, px", "window, px"),
        ((1, 7), (5, 31), (11, 67), (25, 151), (50, 301)),
        CAMSEG,
        function="windowed_gaussian_blur",
    ),
    Corruption(
        "camseg_gaussian_blur_k3",
        "blur",
        "Gaussian blur cut to 3 x 3 px, as the published curve suggests",
        ("sigma, px", "window, px"),
        ((1, 3), (5, 3), (11, 3), (25, 3), (50, 3)),
        CAMSEG,
        function="windowed_gaussian_blur",
    ),
    # Weather
    Corruption(
        "snow",
        "weather",
        "flakes of magnified noise before a whitened image",
        ("mean", "std", "size, factor", "threshold", "radius, px", "sigma, px", "weight kept"),
        (
            (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
            (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
            (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
            (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
            (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ),
        IMAGECORRUPTIONS,
        random=True,
    ),
    Corruption(
        "frost",
        "weather",
        "a picture of frost laid over (needs the package imagecorruptions)",
        ("weight kept", "weight of frost"),
        ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)),
        IMAGECORRUPTIONS,
        random=True,
    ),
    Corruption(
        "frost_procedural",
        "weather",
        "drawn ice crystals laid over",
        ("weight kept", "weight of frost"),
        ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)),
        OWN,
        random=True,
    ),
    Corruption(
        "fog",
        "weather",
        "flat fog of fractal density, whatever the depth",
        ("amount", "decay of detail"),
        ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
        IMAGECORRUPTIONS,
        random=True,
    ),
    Corruption(
        "depth_fog",
        "weather",
        "fog that thickens with distance",
        ("visibility, m",),
        _column(600, 300, 150, 75, 40),
        OWN,
        depth=True,
    ),
    Corruption(
        "rain",
        "weather",
        "slanted streaks and a veil of spray",
        ("streaks a square", "length, fraction of height", "weight of the veil"),
        (
            (150, 0.04, 0.1),
            (300, 0.05, 0.2),
            (600, 0.06, 0.3),
            (1000, 0.07, 0.4),
            (1600, 0.08, 0.5),
        ),
        OWN,
        random=True,
    ),
    Corruption(
        "night",
        "weather",
        "too little light, bluish, with sensor noise",
        ("stops", "electrons at full scale"),
        ((1.5, 4000), (2.5, 2000), (3.5, 1000), (4.5, 500), (5.5, 250)),
        OWN,
        random=True,
    ),
    Corruption(
        "spatter",
        "weather",
        "water (severity 1 to 3) or mud on the lens",
        ("mean", "std", "sigma, px", "threshold", "strength or sigma, px", "mud"),
        (
            (0.65, 0.3, 4, 0.69, 0.6, 0),
            (0.65, 0.3, 3, 0.68, 0.6, 0),
            (0.65, 0.3, 2, 0.68, 0.5, 0),
            (0.65, 0.3, 1, 0.65, 1.5, 1),
            (0.67, 0.4, 1, 0.65, 1.5, 1),
        ),
        IMAGECORRUPTIONS,
        random=True,
    ),
    # Digital
    Corruption(
        "elastic_transform",
        "digital",
        "smooth random displacements",
        ("alpha",),
        _column(12.5, 16.25, 21.25, 25.0, 30.0),
        IMAGECORRUPTIONS,
        random=True,
    ),
    Corruption(
        "pixelate",
        "digital",
        "shrunk by averaging, enlarged by repeating",
        ("scale",),
        _column(0.6, 0.5, 0.4, 0.3, 0.25),
        IMAGECORRUPTIONS,
    ),
    Corruption(
        "jpeg_compression",
        "digital",
        "stored as JPEG",
        ("quality",),
        _column(25, 18, 15, 10, 7),
        IMAGECORRUPTIONS,
    ),
    # Colour
    Corruption(
        "brightness",
        "colour",
        "HSV value raised",
        ("added value",),
        _column(0.1, 0.2, 0.3, 0.4, 0.5),
        IMAGECORRUPTIONS,
    ),
    Corruption(
        "contrast",
        "colour",
        "contrast about each channel's mean lowered",
        ("factor",),
        _column(0.4, 0.3, 0.2, 0.1, 0.05),
        IMAGECORRUPTIONS,
    ),
    Corruption(
        "saturate",
        "colour",
        "HSV saturation lowered (severity 1 and 2) or raised",
        ("factor", "added"),
        ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)),
        IMAGECORRUPTIONS,
    ),
    Corruption(
        "saturation",
        "colour",
        "colour faded towards grey",
        ("factor",),
        _column(0.8, 0.6, 0.4, 0.2, 0),
        OWN,
    ),
    Corruption(
        "hue",
        "colour",
        "hue turned",
        ("fraction of the circle",),
        _column(0.04, 0.08, 0.12, 0.16, 0.2),
        OWN,
    ),
    Corruption(
        "camseg_brightness",
        "colour",
        "every channel multiplied",
        ("factor",),
        _column(0.5, 0.75, 1.25, 1.5),
        CAMSEG,
        function="gain",
    ),
    Corruption(
        "camseg_contrast",
        "colour",
        "blend with the mean grey",
        ("factor",),
        _column(0.5, 0.75, 1.25, 1.5),
        CAMSEG,
        function="grey_contrast",
    ),
    Corruption(
        "camseg_saturation",
        "colour",
        "blend with grey",
        ("factor",),
        _column(0, 0.5, 1.5, 2),
        CAMSEG,
        function="saturation",
    ),
    Corruption(
        "camseg_hue",
        "colour",
        "hue turned",
        ("fraction of the circle",),
        _column(-0.2, -0.1, 0.1, 0.2),
        CAMSEG,
        function="hue",
    ),
)

CATALOGUE = {entry.name: entry for entry in _ENTRIES}
NAMES = tuple(CATALOGUE)
SEVERITIES = {entry.name: range(1, len(entry.grid) + 1) for entry in _ENTRIES}
FAMILIES: tuple[Family, ...] = get_args(Family)
COMMON = (
    *("gaussian_noise", "shot_noise", "impulse_noise"),
    *("defocus_blur", "glass_blur", "motion_blur", "zoom_blur"),
    *("snow", "frost", "fog", "brightness"),
    *("contrast", "elastic_transform", "pixelate", "jpeg_compression"),
)
VALIDATION = ("speckle_noise", "gaussian_blur", "spatter", "saturate")
GROUPS: dict[str, tuple[str, ...]] = {
    **{f: tuple(entry.name for entry in _ENTRIES if entry.family == f) for f in FAMILIES},
    "common": COMMON,
    "validation": VALIDATION,
    "camseg": tuple(name for name in NAMES if name.startswith("camseg_")),
}
"""Families, imagecorruptions' 15 common and 4 validation corruptions, and CAM-Seg's set."""
