"""The published sets: imagecorruptions' and CAM-Seg's, with their parameters.

CAM-Seg (arXiv:2503.15617) published no code for its corruptions, only curves: the grids
are the positions of their markers, without the clean point. Where a curve leaves open
what was done, each reading is an entry. Widths in pixels are meant at the 768 x 768 that
CAM-Seg resizes to beforehand.
"""

from __future__ import annotations

from functools import partial

from bench.corruptions.entry import Corruption, Curve, column

IMAGECORRUPTIONS = "imagecorruptions (bethgelab/imagecorruptions@c959e65), arXiv:1907.07484"
CAMSEG = "CAM-Seg (arXiv:2503.15617), grid of its published curves"
CAMSS = "CAM-Seg's training augmentation (mahmed10/CAMSS@b7363a8), grid of the curves"

COMMON = (
    Corruption(
        "gaussian_noise",
        "noise",
        "normal noise on every channel",
        ("std, fraction of full scale",),
        column(0.08, 0.12, 0.18, 0.26, 0.38),
        IMAGECORRUPTIONS,
        random=True,
    ),
    Corruption(
        "shot_noise",
        "noise",
        "Poisson counts of light",
        ("photons at full scale",),
        column(60, 25, 12, 5, 3),
        IMAGECORRUPTIONS,
        random=True,
    ),
    Corruption(
        "impulse_noise",
        "noise",
        "channel values replaced by 0 or 255, half each",
        ("fraction of values",),
        column(0.03, 0.06, 0.09, 0.17, 0.27),
        IMAGECORRUPTIONS,
        random=True,
    ),
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
        "fog",
        "weather",
        "flat fog of fractal density, whatever the depth",
        ("amount", "decay of detail"),
        ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
        IMAGECORRUPTIONS,
        random=True,
    ),
    Corruption(
        "brightness",
        "colour",
        "HSV value raised",
        ("added value",),
        column(0.1, 0.2, 0.3, 0.4, 0.5),
        IMAGECORRUPTIONS,
    ),
    Corruption(
        "contrast",
        "colour",
        "contrast about each channel's mean lowered",
        ("factor",),
        column(0.4, 0.3, 0.2, 0.1, 0.05),
        IMAGECORRUPTIONS,
    ),
    Corruption(
        "elastic_transform",
        "digital",
        "smooth random displacements",
        ("alpha",),
        column(12.5, 16.25, 21.25, 25.0, 30.0),
        IMAGECORRUPTIONS,
        random=True,
    ),
    Corruption(
        "pixelate",
        "digital",
        "shrunk by averaging, enlarged by repeating",
        ("scale",),
        column(0.6, 0.5, 0.4, 0.3, 0.25),
        IMAGECORRUPTIONS,
    ),
    Corruption(
        "jpeg_compression",
        "digital",
        "stored as JPEG",
        ("quality",),
        column(25, 18, 15, 10, 7),
        IMAGECORRUPTIONS,
    ),
)
"""The fifteen that imagecorruptions counts in its benchmarks, in its order."""

VALIDATION = (
    Corruption(
        "speckle_noise",
        "noise",
        "normal noise in proportion to the value",
        ("std, fraction of the value",),
        column(0.15, 0.2, 0.35, 0.45, 0.6),
        IMAGECORRUPTIONS,
        random=True,
    ),
    Corruption(
        "gaussian_blur",
        "blur",
        "isotropic Gaussian blur",
        ("sigma, px",),
        column(1, 2, 3, 4, 6),
        IMAGECORRUPTIONS,
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
    Corruption(
        "saturate",
        "colour",
        "HSV saturation lowered (severity 1 and 2) or raised",
        ("factor", "added"),
        ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)),
        IMAGECORRUPTIONS,
    ),
)
"""The four it keeps for validation."""

_curve = partial(Curve, "cam_seg")

CAMSEG_SET = (
    Corruption(
        "camseg_gaussian_noise",
        "noise",
        "normal noise on every channel, rounded",
        ("std, of 255",),
        column(5, 10, 20, 30, 50, 100),
        CAMSEG,
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
        CAMSEG,
        random=True,
        function="salt_pepper",
        curve=_curve("salt_pepper", scale=100),
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
        "camseg_motion_blur",
        "blur",
        "horizontal box blur",
        ("width, px",),
        column(3, 9, 15, 21, 35, 51, 75, 105, 151, 221),
        CAMSS,
        function="box_blur",
        curve=_curve("motion_blur"),
    ),
    Corruption(
        "camseg_gaussian_blur",
        "blur",
        "Gaussian blur on a window of 3 sigma to each side",
        ("sigma, px", "window, px"),
        ((1, 7), (5, 31), (11, 67), (25, 151), (50, 301)),
        CAMSEG,
        function="windowed_gaussian_blur",
        curve=_curve("gaussian_blur"),
    ),
    Corruption(
        "camseg_gaussian_blur_k3",
        "blur",
        "Gaussian blur cut to 3 x 3 px, as the published curve suggests",
        ("sigma, px", "window, px"),
        ((1, 3), (5, 3), (11, 3), (25, 3), (50, 3)),
        CAMSEG,
        function="windowed_gaussian_blur",
        curve=_curve("gaussian_blur"),
    ),
    Corruption(
        "camseg_brightness",
        "colour",
        "every channel multiplied",
        ("factor",),
        column(0.5, 0.75, 1.25, 1.5),
        CAMSEG,
        function="gain",
        curve=_curve("brightness", clean=1),
    ),
    Corruption(
        "camseg_contrast",
        "colour",
        "blend with the mean grey",
        ("factor",),
        column(0.5, 0.75, 1.25, 1.5),
        CAMSEG,
        function="grey_contrast",
        curve=_curve("contrast", clean=1),
    ),
    Corruption(
        "camseg_saturation",
        "colour",
        "blend with grey",
        ("factor",),
        column(0, 0.5, 1.5, 2),
        CAMSEG,
        function="saturation",
        curve=_curve("saturation", clean=1),
    ),
    Corruption(
        "camseg_hue",
        "colour",
        "hue turned",
        ("fraction of the circle",),
        column(-0.2, -0.1, 0.1, 0.2),
        CAMSEG,
        function="hue",
        curve=_curve("hue"),
    ),
)
