"""The project's own corruptions; their lengths are fractions of the image height."""

from __future__ import annotations

from bench.corruptions.catalogue.entry import Corruption, column

SOURCE = "this project"


OWN = (
    Corruption(
        "salt_pepper",
        "noise",
        "pixels replaced by black or white, half each",
        ("fraction of pixels",),
        column(0.02, 0.05, 0.1, 0.25, 0.5),
        SOURCE,
        random=True,
    ),
    Corruption(
        "frost_procedural",
        "weather",
        "drawn ice crystals laid over",
        ("weight kept", "weight of frost"),
        ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)),
        SOURCE,
        random=True,
    ),
    Corruption(
        "depth_fog",
        "weather",
        "fog that thickens with distance",
        ("visibility, m",),
        column(600, 300, 150, 75, 40),
        SOURCE,
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
        SOURCE,
        random=True,
    ),
    Corruption(
        "night",
        "weather",
        "too little light, bluish, with sensor noise",
        ("stops", "electrons at full scale"),
        ((1, 4000), (1.75, 2000), (2.5, 1000), (3.25, 500), (4, 250)),
        SOURCE,
        random=True,
    ),
    Corruption(
        "saturation",
        "colour",
        "colour faded towards grey",
        ("factor",),
        column(0.8, 0.6, 0.4, 0.2, 0),
        SOURCE,
    ),
    Corruption(
        "hue",
        "colour",
        "hue turned",
        ("fraction of the circle",),
        column(0.04, 0.08, 0.12, 0.16, 0.2),
        SOURCE,
    ),
)
