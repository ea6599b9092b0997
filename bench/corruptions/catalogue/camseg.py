"""CAM-Seg's eight corruptions, with the readings that its publication leaves open.

CAM-Seg (arXiv:2503.15617) published no code for its corruptions, only curves: the grids
are the positions of their markers, without the clean point. Widths in pixels are meant at
the 768 x 768 that CAM-Seg resizes to beforehand. Where a curve leaves open what was done,
``CAMSEG`` has the reading that its text supports and ``OTHER_READINGS`` the other.
"""

from __future__ import annotations

from functools import partial

from bench.corruptions.catalogue.entry import Corruption, Curve, column, length, odd_window

SOURCE = "CAM-Seg (arXiv:2503.15617), grid of its published curves"
CAMSS = "CAM-Seg's training augmentation (mahmed10/CAMSS@b7363a8), grid of the curves"

_curve = partial(Curve, "cam_seg")

CAMSEG = (
    Corruption(
        "camseg_gaussian_noise",
        "noise",
        "normal noise on every channel, rounded",
        ("std, of 255",),
        column(5, 10, 20, 30, 50, 100),
        SOURCE,
        random=True,
        function="pixel_noise",
        curve=_curve("gaussian_noise"),
    ),
    Corruption(
        "camseg_salt_pepper",
        "noise",
        "pixels replaced by black or white, half each",
        ("fraction of pixels",),
        column(0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.6, 0.7, 0.8),
        SOURCE,
        random=True,
        function="salt_pepper",
        curve=_curve("salt_pepper", scale=100),
    ),
    Corruption(
        "camseg_motion_blur",
        "blur",
        "horizontal box blur",
        ("width, px",),
        column(3, 9, 15, 21, 35, 51, 75, 105, 151, 221),
        CAMSS,
        function="box_blur",
        curve=_curve("motion_blur"),
        widths={"width, px": odd_window},
    ),
    Corruption(
        "camseg_gaussian_blur",
        "blur",
        "Gaussian blur on a window of 3 sigma to each side",
        ("sigma, px", "window, px"),
        ((1, 7), (5, 31), (11, 67), (25, 151), (50, 301)),
        SOURCE,
        function="windowed_gaussian_blur",
        curve=_curve("gaussian_blur"),
        widths={"sigma, px": length, "window, px": odd_window},
    ),
    Corruption(
        "camseg_brightness",
        "colour",
        "every channel multiplied",
        ("factor",),
        column(0.5, 0.75, 1.25, 1.5),
        SOURCE,
        function="gain",
        curve=_curve("brightness", clean=1),
    ),
    Corruption(
        "camseg_contrast",
        "colour",
        "blend with the mean grey",
        ("factor",),
        column(0.5, 0.75, 1.25, 1.5),
        SOURCE,
        function="grey_contrast",
        curve=_curve("contrast", clean=1),
    ),
    Corruption(
        "camseg_saturation",
        "colour",
        "blend with grey",
        ("factor",),
        column(0, 0.5, 1.5, 2),
        SOURCE,
        function="saturation",
        curve=_curve("saturation", clean=1),
    ),
    Corruption(
        "camseg_hue",
        "colour",
        "hue turned",
        ("fraction of the circle",),
        column(-0.2, -0.1, 0.1, 0.2),
        SOURCE,
        function="hue",
        curve=_curve("hue"),
    ),
)
"""One entry for each of its eight curves."""

OTHER_READINGS = (
    Corruption(
        "camseg_gaussian_noise_variance",
        "noise",
        "the same with the axis read as the variance, as the flat published curve suggests",
        ("variance, of 255 squared",),
        column(5, 10, 20, 30, 50, 100),
        SOURCE,
        random=True,
        function="pixel_noise_of_variance",
        curve=_curve("gaussian_noise"),
    ),
    Corruption(
        "camseg_salt_then_pepper",
        "noise",
        "white pixels, then as many black, drawn independently",
        ("fraction of pixels, each",),
        column(0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.6, 0.7, 0.8),
        CAMSS,
        random=True,
        function="salt_then_pepper",
        curve=_curve("salt_pepper", scale=100),
    ),
    Corruption(
        "camseg_gaussian_blur_k3",
        "blur",
        "Gaussian blur cut to 3 x 3 px, as the published curve suggests",
        ("sigma, px", "window, px"),
        ((1, 3), (5, 3), (11, 3), (25, 3), (50, 3)),
        SOURCE,
        function="windowed_gaussian_blur",
        curve=_curve("gaussian_blur"),
        widths={"sigma, px": length, "window, px": odd_window},
    ),
)
"""Of its curves for salt and pepper and for Gaussian blur."""
