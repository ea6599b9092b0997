"""ImageNet-C-bar's corruptions, against the published implementation."""

import csv
import io

import numpy as np
import pytest

from bench.corruptions import CATALOGUE, GROUPS, corrupt
from tests.helpers.pictures import street

SQUARE = street(48, 48)
ORIGINAL = {
    "blue_noise_sample": ((121.274, 49.676), (97.301, 65.777)),
    "brownish_noise": ((126.955, 48.18), (145.597, 55.861)),
    "caustic_refraction": ((122.309, 51.164), (123.714, 69.037)),
    "checkerboard_cutout": ((124.662, 47.18), (120.272, 40.147)),
    "cocentric_sine_waves": ((122.199, 49.043), (122.139, 59.235)),
    "inverse_sparkles": ((150.045, 34.953), (211.554, 39.871)),
    "perlin_noise": ((137.421, 37.682), (151.331, 29.816)),
    "plasma_noise": ((109.434, 55.199), (96.864, 67.923)),
    "single_frequency_greyscale": ((122.179, 50.036), (122.472, 78.535)),
    "sparkles": ((127.211, 49.166), (149.723, 53.235)),
}
"""Mean and standard deviation at severities 1 and 5 of what facebookresearch's own code makes of
``SQUARE`` after ``numpy.random.seed(7)``."""
LEVELS = """\
caustic_refraction,2.35,3.2,4.9,6.6,9.15
inverse_sparkles,1.0,2.0,4.0,9.0,10.0
sparkles,1.0,2.0,3.0,5.0,6.0
perlin_noise,4.6,5.2,5.8,7.6,8.8
blue_noise_sample,0.8,1.6,2.4,4.0,5.6
plasma_noise,4.75,7.0,8.5,9.25,10.0
checkerboard_cutout,2.0,3.0,4.0,5.0,6.0
cocentric_sine_waves,3.0,5.0,8.0,9.0,10.0
single_frequency_greyscale,1.0,1.5,2.0,4.5,5.0
brownish_noise,1.0,2.0,3.0,4.0,5.0
"""
"""The published severities, from 0 to 10."""
PER_LEVEL = {
    "caustic_refraction": 0.05,
    "inverse_sparkles": 0.13,
    "sparkles": 0.01,
    "perlin_noise": 0.05,
    "blue_noise_sample": 0.3,
    "plasma_noise": 6.4,
    "checkerboard_cutout": 0.1,
    "cocentric_sine_waves": 12.8,
    "single_frequency_greyscale": 19.6,
    "brownish_noise": 6.4,
}
"""What one level adds to the first parameter."""


def test_the_set_is_complete() -> None:
    assert GROUPS["imagenet_c_bar"] == tuple(sorted(ORIGINAL))


@pytest.mark.parametrize("name", ORIGINAL)
def test_square_images_are_those_of_the_original(name: str) -> None:
    for severity, (mean, spread) in zip((1, 5), ORIGINAL[name], strict=True):
        out = corrupt(SQUARE, name, severity, seed=7)
        assert (out.mean(), out.std()) == pytest.approx((mean, spread), abs=0.02)


def test_grids_are_the_published_severities() -> None:
    for name, *levels in csv.reader(io.StringIO(LEVELS)):
        start = -2.5 if name == "blue_noise_sample" else 0
        wanted = [start + float(level) * PER_LEVEL[name] for level in levels]
        assert [row[0] for row in CATALOGUE[name].grid] == pytest.approx(wanted)


@pytest.mark.parametrize("name", ORIGINAL)
def test_wide_images_are_covered_to_their_edges(name: str) -> None:
    image = np.tile(street(48, 60), (1, 3, 1))
    change = np.abs(corrupt(image, name, 5, seed=2).astype(int) - image).sum(axis=2)
    thirds = np.array_split(change, 3, axis=1)
    assert all((third > 0).any() for third in thirds)
