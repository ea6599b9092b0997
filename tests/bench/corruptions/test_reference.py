"""The reference backend, where imagecorruptions and what it needs are installed."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest

from bench.corruptions import GROUPS, SEVERITIES, corrupt
from tests.helpers.pictures import street

PACKAGES = ("imagecorruptions", "skimage", "numba")
pytestmark = pytest.mark.skipif(
    not all(map(find_spec, PACKAGES)), reason="needs imagecorruptions, scikit-image and numba"
)
NAMES = (*GROUPS["common"], *GROUPS["validation"])
IMAGE = street(48, 64)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "impulse_noise"])
def test_fast_agrees_with_the_library_itself(name: str) -> None:
    for severity in SEVERITIES[name]:
        ours = corrupt(IMAGE, name, severity, seed=2**40).astype(int)
        theirs = corrupt(IMAGE, name, severity, seed=2**40, backend="reference")
        assert np.abs(ours - theirs).max() <= 1, severity


def test_impulse_noise_is_repeatable_and_as_frequent() -> None:
    grey = np.full((200, 200, 3), 128, np.uint8)
    first, again, fast = (
        corrupt(grey, "impulse_noise", 3, seed=6, backend=backend)
        for backend in ("reference", "reference", "fast")
    )
    assert (first == again).all()
    assert np.mean(first == 0) == pytest.approx(np.mean(fast == 0), abs=0.005)
    assert np.mean(first == 255) == pytest.approx(np.mean(fast == 255), abs=0.005)


def test_the_process_is_left_as_it_was() -> None:
    before = np.random.get_state(legacy=True)
    corrupt(IMAGE, "gaussian_noise", 1, seed=6, backend="reference")
    after = np.random.get_state(legacy=True)
    assert (before[1] == after[1]).all()
    assert before[2:] == after[2:]
    assert not hasattr(np, "float_")
    stand_in = sys.modules.get("pkg_resources")
    assert stand_in is None or stand_in.__spec__ is not None


def test_what_it_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="imagecorruptions has no 'rain'"):
        corrupt(IMAGE, "rain", 1, seed=0, backend="reference")
    with pytest.raises(ValueError, match="at least 32 x 32"):
        corrupt(IMAGE[:31], "fog", 1, seed=0, backend="reference")
