"""Widths in pixels that follow the image's height, from a reference height."""

import cv2
import numpy as np
import pytest

from bench.corruptions import CATALOGUE, NAMES, SEVERITIES, corrupt, missing
from bench.corruptions.catalogue.entry import grain, odd_window, per_length, whole_length

LARGE = (192, 256)
USABLE = [name for name in NAMES if not missing(name)]
IN_PIXELS = [n for n in USABLE if CATALOGUE[n].widths]


def picture(height: int, width: int) -> np.ndarray:
    """Coloured bars and disks, drawn large and reduced: alike at every size."""
    canvas = np.full((768, 1024, 3), 90, np.uint8)
    for step in range(0, 1024, 96):
        cv2.rectangle(canvas, (step, step // 2), (step + 40, step // 2 + 220), (200, 160, 90), -1)
        cv2.circle(canvas, (1024 - step, 600), 60, (30, 200, 230), -1)
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)


def reduced(image: np.ndarray) -> np.ndarray:
    """Average 2 x 2 pixels."""
    size = (image.shape[1] // 2, image.shape[0] // 2)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("name", USABLE)
def test_at_the_reference_height_nothing_changes(name: str) -> None:
    image = picture(64, 80)
    for severity in (1, SEVERITIES[name][-1]):
        published = corrupt(image, name, severity, seed=3)
        scaled = corrupt(image, name, severity, seed=3, reference_height=64)
        np.testing.assert_array_equal(published, scaled)


@pytest.mark.parametrize(
    "name", ["gaussian_blur", "defocus_blur", "motion_blur", "camseg_motion_blur", "pixelate"]
)
def test_a_smaller_image_looks_like_the_large_one_reduced(name: str) -> None:
    large, severity = picture(*LARGE), 4
    wanted = reduced(corrupt(large, name, severity, seed=3)).astype(float)
    small = reduced(large)
    scaled, published = (
        np.abs(corrupt(small, name, severity, seed=3, reference_height=height) - wanted).mean()
        for height in (LARGE[0], None)
    )
    assert scaled < 0.5 * published


@pytest.mark.parametrize("name", IN_PIXELS)
def test_every_width_is_a_parameter_with_a_rule(name: str) -> None:
    entry = CATALOGUE[name]
    assert set(entry.widths) <= set(entry.parameters)
    assert {parameter for parameter in entry.parameters if parameter.endswith(", px")} <= set(
        entry.widths
    )


def test_no_width_in_pixels_is_without_a_rule() -> None:
    without = [
        name
        for name, entry in CATALOGUE.items()
        if any(parameter.endswith(", px") for parameter in entry.parameters) and not entry.widths
    ]
    assert without == []


@pytest.mark.parametrize("name", USABLE)
@pytest.mark.parametrize("reference", [16, 4096])
def test_any_ratio_of_heights_is_possible(name: str, reference: int) -> None:
    image = picture(48, 64)
    for severity in (1, SEVERITIES[name][-1]):
        out = corrupt(image, name, severity, seed=3, reference_height=reference)
        assert out.shape == image.shape


def test_rules_keep_what_a_width_must_be() -> None:
    assert [whole_length(10, factor) for factor in (1, 0.25, 0.01)] == [10, 2, 0]
    assert [odd_window(21, factor) for factor in (1, 0.25, 0.01)] == [21, 5, 1]
    assert [grain(4, factor) for factor in (1, 0.5, 0.01)] == [4, 2, 1]
    assert [per_length(0.25, factor) for factor in (1, 0.5, 0.01)] == [0.25, 0.5, 1]


@pytest.mark.parametrize(("height", "backend"), [(0, "fast"), (64, "reference"), (64, "torch")])
def test_what_cannot_be_scaled_is_refused(height: int, backend: str) -> None:
    with pytest.raises(ValueError, match="with the backend 'fast'"):
        corrupt(picture(48, 64), "fog", 1, 0, backend=backend, reference_height=height)
