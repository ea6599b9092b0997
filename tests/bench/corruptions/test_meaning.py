"""What a corruption's parameters do: in which direction, in which units."""

from collections.abc import Callable

import numpy as np
import pytest

from bench.core.seeding import legacy_generator
from bench.corruptions import SEVERITIES, corrupt
from bench.corruptions.blur import glass_sources, windowed_gaussian_blur
from bench.corruptions.colour import gain, grey_contrast, hue, saturation
from bench.corruptions.noise import pixel_noise, salt_pepper, salt_then_pepper
from bench.corruptions.textures import plasma
from tests.helpers.pictures import street

Measure = Callable[[np.ndarray], float]


IMAGE = street()


def change(out: np.ndarray) -> float:
    """Mean distance from the clean image."""
    return float(np.abs(out.astype(float) - IMAGE).mean())


def roughness(out: np.ndarray) -> float:
    """Mean difference between horizontal neighbours."""
    return float(np.abs(np.diff(out.astype(float), axis=1)).mean())


def spread(out: np.ndarray) -> float:
    """Standard deviation of each channel, averaged."""
    return float(out.std(axis=(0, 1)).mean())


def colourfulness(out: np.ndarray) -> float:
    """Mean range of a pixel's channels."""
    return float(np.ptp(out.astype(float), axis=2).mean())


MONOTONE: list[tuple[str, Measure, int]] = [
    ("gaussian_noise", change, 1),
    ("shot_noise", change, 1),
    ("impulse_noise", change, 1),
    ("speckle_noise", change, 1),
    ("salt_pepper", change, 1),
    ("camseg_gaussian_noise", change, 1),
    ("camseg_salt_pepper", change, 1),
    ("camseg_salt_then_pepper", change, 1),
    ("gaussian_blur", roughness, -1),
    ("defocus_blur", roughness, -1),
    ("camseg_gaussian_blur", roughness, -1),
    ("camseg_motion_blur", roughness, -1),
    ("depth_fog", change, 1),
    ("rain", change, 1),
    ("night", np.mean, -1),
    ("pixelate", roughness, -1),
    ("brightness", np.mean, 1),
    ("contrast", spread, -1),
    ("saturation", colourfulness, -1),
    ("hue", change, 1),
    ("camseg_brightness", np.mean, 1),
    ("camseg_contrast", spread, 1),
    ("camseg_saturation", colourfulness, 1),
]


@pytest.mark.parametrize(("name", "measure", "sign"), MONOTONE, ids=[case[0] for case in MONOTONE])
def test_each_severity_goes_further(name: str, measure: Measure, sign: int) -> None:
    values = [measure(corrupt(IMAGE, name, severity, seed=4)) for severity in SEVERITIES[name]]
    assert (np.diff(values) * sign > 0).all(), values


def test_noise_is_in_units_of_the_pixel_scale() -> None:
    grey = np.full((200, 200, 3), 128, np.uint8)
    noise = pixel_noise(grey, 20, seed=1).astype(float) - 128
    assert noise.std() == pytest.approx(20, rel=0.01)
    assert abs(noise.mean()) < 0.2  # rounded, not cut


def test_two_readings_of_half_salt_and_pepper() -> None:
    grey = np.full((300, 300, 3), 128, np.uint8)
    total, each = salt_pepper(grey, 0.5, seed=2), salt_then_pepper(grey, 0.5, seed=2)
    assert np.mean(total != 128) == pytest.approx(0.5, abs=0.01)
    assert np.mean(total == 0) == pytest.approx(0.25, abs=0.01)
    assert np.mean(each != 128) == pytest.approx(0.75, abs=0.01)
    assert np.mean(each == 0) == pytest.approx(0.5, abs=0.01)
    assert (np.ptp(total, axis=2) == 0).all()  # a pixel's channels change together


def test_more_salt_and_pepper_keeps_what_less_has_done() -> None:
    low, high = salt_pepper(IMAGE, 0.1, seed=3), salt_pepper(IMAGE, 0.5, seed=3)
    touched = (low != IMAGE).any(axis=2)
    assert (low[touched] == high[touched]).all()


def test_a_window_of_three_saturates_as_the_published_curve_does() -> None:
    five, fifty = (windowed_gaussian_blur(IMAGE, sigma, 3).astype(int) for sigma in (5, 50))
    assert np.abs(five - fifty).max() <= 1


def test_colour_at_no_change_is_exact() -> None:
    for unchanged in (hue(IMAGE, 0), hue(IMAGE, 1), saturation(IMAGE, 1), gain(IMAGE, 1)):
        assert (unchanged == IMAGE).all()
    assert (grey_contrast(IMAGE, 1) == IMAGE).all()


def test_hue_turns_red_to_green_in_a_third() -> None:
    red = np.array([[[200, 20, 20]]], np.uint8)
    assert hue(red, 1 / 3).tolist() == [[[20, 200, 20]]]


def test_fog_follows_the_depth_it_is_given() -> None:
    depth = np.full(IMAGE.shape[:2], 2.0, np.float32)
    depth[:, 64:] = 150
    out = corrupt(IMAGE, "depth_fog", 3, seed=0, depth=depth)
    near = np.abs(out[:, :64].astype(int) - IMAGE[:, :64]).mean()
    far = np.abs(out[:, 64:].astype(int) - IMAGE[:, 64:]).mean()
    assert near < 4 < far
    # At the optical range itself, 5 % of the contrast to the airlight is left.
    row = np.full((1, 2, 3), 100, np.uint8)
    row[0, 1] = 250
    seen = corrupt(row, "depth_fog", 3, seed=0, depth=np.array([[150.0, 150.0]]))
    assert seen[0, 0] == pytest.approx(250 - 150 * 0.05, abs=0.6)


def test_glass_sources_follow_the_plain_loop() -> None:
    height, width, reach = 23, 31, 3
    image = np.arange(height * width)
    draws = legacy_generator(8)
    plain = image.reshape(height, width).copy()
    for row in range(height - reach, reach, -1):
        for column in range(width - reach, reach, -1):
            dx, dy = draws.randint(-reach, reach, size=(2,))
            plain[row, column] = plain[row + dy, column + dx]
    assert (image[glass_sources(height, width, reach, legacy_generator(8))] == plain.ravel()).all()


def test_plasma_fills_its_range() -> None:
    layer = plasma(64, 2.0, legacy_generator(1))
    assert layer.shape == (64, 64)
    assert (layer.min(), layer.max()) == (0, 1)
