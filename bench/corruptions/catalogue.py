"""What corruptions there are, with their published parameters.

Data only. An entry's function is found by family (the module) and name, and gets one
row of the grid as its arguments.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Family = Literal["noise", "blur", "weather", "digital", "colour"]
Grid = tuple[tuple[float, ...], ...]

IMAGECORRUPTIONS = "imagecorruptions (bethgelab/imagecorruptions@c959e65), arXiv:1907.07484"
CAMSEG = "CAM-Seg (arXiv:2503.15617), grid read from its published curves"
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
        "salt_pepper",
        "noise",
        "pixels replaced by black or white, half each",
        ("fraction of pixels",),
        _column(0.02, 0.05, 0.1, 0.25, 0.5),
        OWN,
        random=True,
    ),
    # Blur
    Corruption(
        "motion_blur",
        "blur",
        "one-sided blur along a random direction within 45 degrees of horizontal",
        ("radius, px", "sigma, px"),
        ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
        IMAGECORRUPTIONS,
        random=True,
    ),
    Corruption(
        "gaussian_blur",
        "blur",
        "isotropic Gaussian blur",
        ("sigma, px",),
        _column(1, 2, 3, 4, 6),
        IMAGECORRUPTIONS,
    ),
    # Weather
    Corruption(
        "fog",
        "weather",
        "flat fog of fractal density, whatever the depth",
        ("amount", "decay of detail"),
        ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
        IMAGECORRUPTIONS,
        random=True,
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
)

CATALOGUE = {entry.name: entry for entry in _ENTRIES}
NAMES = tuple(CATALOGUE)
SEVERITIES = {entry.name: range(1, len(entry.grid) + 1) for entry in _ENTRIES}
GROUPS: dict[str, tuple[str, ...]] = {
    family: tuple(entry.name for entry in _ENTRIES if entry.family == family)
    for family in ("noise", "blur", "weather", "digital", "colour")
}
